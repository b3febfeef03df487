//! The recorded answers of a real tenant, unchanged.

use super::*;

const ACTIVITIES: &str = include_str!("../../../tests/fixtures/webex/search_activities_response.json");
const PAGE: &str = include_str!("../../../tests/fixtures/webex/search_page_response.json");
const SIMPLE: &str = include_str!("../../../tests/fixtures/webex/search_simple_response.json");

fn details(text: &str) -> TaskDetails {
    let answered: SearchAnswer = serde_json::from_str(text).unwrap();
    answered.data.unwrap().task_details.unwrap()
}

fn tasks(text: &str) -> Vec<SearchTask> {
    let tasks = details(text).tasks.unwrap();
    tasks.into_iter().map(|task| serde_json::from_value(task).unwrap()).collect()
}

/// What was recorded, to compare with.
fn recorded(text: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(text).unwrap();
    all["data"]["taskDetails"]["tasks"].as_array().unwrap().clone()
}

#[test]
fn every_recorded_task_is_read_with_what_it_holds() {
    for text in [ACTIVITIES, PAGE, SIMPLE] {
        let (read, recorded) = (tasks(text), recorded(text));
        assert_eq!(read.len(), recorded.len());
        for (task, recorded) in read.iter().zip(&recorded) {
            assert_eq!(task.id.as_deref(), recorded["id"].as_str());
            assert_eq!(task.channel_type.as_deref(), recorded["channelType"].as_str());
            assert_eq!(task.direction.as_deref(), recorded["direction"].as_str());
            assert_eq!(task.is_active, recorded["isActive"].as_bool());
            assert_eq!(task.queue_count.map(u64::from), recorded["queueCount"].as_u64());
            let agent = task.last_agent.as_ref().and_then(|agent| agent.id.as_deref());
            assert_eq!(agent, recorded["lastAgent"]["id"].as_str().filter(|id| !id.is_empty()));
            let nodes = task.activities.as_ref().and_then(|all| all.nodes.as_ref()).map_or(0, Vec::len);
            assert_eq!(nodes, recorded["activities"]["nodes"].as_array().map_or(0, Vec::len));
        }
    }
    let info = details(PAGE).page_info.unwrap();
    assert!(info.has_next_page.is_some());
}

#[test]
fn an_answer_without_a_single_field_but_the_id_is_a_task() {
    let read = |text: &str| serde_json::from_str::<SearchTask>(text).unwrap();
    let task = read(r#"{"id":"t","endedTime":null,"origin":""}"#);
    assert_eq!((task.ended_time, task.origin), (None, None));
    assert_eq!(read(r#"{"endedTime":1}"#).id, None);
    let task = read(r#"{"id":"t","endedTime":-1,"holdCount":-1,"queueCount":2}"#);
    assert_eq!((task.ended_time, task.hold_count, task.queue_count), (None, None, Some(2)));
}

#[test]
fn numbers_are_read_as_text_and_with_fractions_and_what_cannot_be_read_takes_nothing_with_it() {
    let read = |text: &str| serde_json::from_str::<SearchTask>(text).unwrap();
    let task = read(
        r#"{"id":7,"endedTime":"1795000000000","createdTime":1795000000000.4,"holdCount":"2","holdDuration":19999.6,
        "isActive":"false","lastQueue":"Sales","lastAgent":null,"connectedCount":1e30,"connectedDuration":[5],
        "direction":{},"activities":{"nodes":null,"totalCount":"x"}}"#,
    );
    assert_eq!((task.id.as_deref(), task.is_active), (Some("7"), Some(false)));
    assert_eq!(task.ended_time, task.created_time);
    assert_eq!((task.hold_count, task.hold_duration), (Some(2), Some(20_000)));
    assert_eq!((task.connected_count, task.connected_duration, task.last_queue), (None, None, None));
    assert_eq!(task.activities.unwrap().whole(), None);
    for odd in ["null", "[]", "\"t\"", "7"] {
        assert!(serde_json::from_str::<SearchTask>(odd).is_err() || odd == "[]", "{odd}");
    }
}
