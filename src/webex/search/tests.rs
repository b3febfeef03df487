//! The recorded answers of a real tenant, unchanged.

use super::*;

const ACTIVITIES: &str = include_str!("../../../tests/fixtures/webex/search_activities_response.json");
const PAGE: &str = include_str!("../../../tests/fixtures/webex/search_page_response.json");
const SIMPLE: &str = include_str!("../../../tests/fixtures/webex/search_simple_response.json");

fn details(text: &str) -> Details {
    let answered: Answered = serde_json::from_str(text).unwrap();
    answered.data.unwrap().task_details.unwrap()
}

/// What was recorded, to compare with.
fn recorded(text: &str) -> Vec<serde_json::Value> {
    let all: serde_json::Value = serde_json::from_str(text).unwrap();
    all["data"]["taskDetails"]["tasks"].as_array().unwrap().clone()
}

#[test]
fn every_recorded_task_is_read_with_what_it_holds() {
    for text in [ACTIVITIES, PAGE, SIMPLE] {
        let (read, recorded) = (details(text), recorded(text));
        assert_eq!(read.tasks.len(), recorded.len());
        for (task, recorded) in read.tasks.iter().zip(&recorded) {
            assert_eq!(Some(task.id.as_str()), recorded["id"].as_str());
            assert_eq!(task.channel_type.as_deref(), recorded["channelType"].as_str());
            assert_eq!(task.direction.as_deref(), recorded["direction"].as_str());
            assert_eq!(task.is_active, recorded["isActive"].as_bool());
            assert_eq!(task.queue_count.map(u64::from), recorded["queueCount"].as_u64());
            assert_eq!(task.ringing_duration, recorded["ringingDuration"].as_u64());
            let agent = task.last_agent.as_ref().and_then(|agent| agent.id.as_deref());
            assert_eq!(agent, recorded["lastAgent"]["id"].as_str());
            let nodes = task.activities.as_ref().map_or(0, |all| all.nodes.len());
            assert_eq!(nodes, recorded["activities"]["nodes"].as_array().map_or(0, Vec::len));
        }
    }
    let info = details(PAGE).page_info.unwrap();
    assert!(info.has_next_page.is_some());
}

#[test]
fn a_recorded_history_keeps_its_order_and_durations() {
    let read = details(ACTIVITIES);
    let history = read.tasks[0].activities.as_ref().unwrap();
    assert!(history.are_whole());
    let events: Vec<_> = history.nodes.iter().rev().map(|node| node.event_name.as_str()).collect();
    assert_eq!((events[0], *events.last().unwrap()), ("new", "ended"));
    let hold = history.nodes.iter().find(|node| node.event_name == "on-hold").unwrap();
    assert_eq!(hold.duration, Some(22_000));
}

#[test]
fn an_answer_without_a_single_field_but_the_id_is_a_task() {
    let task: Task = serde_json::from_str(r#"{"id":"t","endedTime":null,"origin":""}"#).unwrap();
    assert_eq!((task.ended_time, task.origin), (None, None));
    assert!(serde_json::from_str::<Task>(r#"{"endedTime":1}"#).is_err());
    let task: Task =
        serde_json::from_str(r#"{"id":"t","endedTime":-1,"holdCount":-1,"queueCount":2}"#).unwrap();
    assert_eq!((task.ended_time, task.hold_count, task.queue_count), (None, None, Some(2)));
}
