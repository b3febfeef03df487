//! What is lost and then found by comparing, against histories as they truly happened.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::ended_task;
use super::missing::missing;
use crate::domain::history::{History, history};
use crate::domain::{CallTimeline, EndedTask, Event, Segment, SegmentKind, Story, What};

fn callers_end(history: &History) -> &Event {
    history.events.iter().find(|event| event.what.is_end() && !History::is_of_party(event)).unwrap()
}

/// Search's record of what truly happened.
fn record(history: &History, with_activities: bool) -> EndedTask {
    let millisecond = |event: &Event| event.at.unwrap().as_millisecond();
    let count = |what: &What| history.events.iter().filter(|event| event.what == *what).count();
    let lasted = |kind: SegmentKind| -> u64 {
        history.outline.iter().filter(|part| part.0 == kind).map(|part| part.2.unwrap() - part.1).sum()
    };
    let held: u64 = history.holds.iter().sum();
    let end = callers_end(history);
    let mut task = json!({
        "id": "t1", "channelType": "telephony", "isActive": false,
        "createdTime": millisecond(&history.events[0]), "endedTime": millisecond(end),
        "lastQueue": { "id": history.queue }, "lastAgent": { "id": history.agent },
        "connectedCount": count(&What::Connected), "connectedDuration": history.with_agents - held,
        "holdCount": history.holds.len(), "holdDuration": held,
        "queueCount": history.queued, "queueDuration": lasted(SegmentKind::Queue),
    });
    if with_activities {
        let of_task = history.events.iter().rev().filter_map(|event| {
            let name = event.what.name().strip_prefix("task:")?;
            Some(json!({ "eventName": name, "createdTime": millisecond(event) }))
        });
        let mut nodes: Vec<Value> = of_task.collect();
        nodes.extend(history.transferred.map(|time| {
            json!({ "eventName": "Transferred", "createdTime": millisecond(&history.events[0]) + i64::try_from(time).unwrap() })
        }));
        nodes.sort_by_key(|node| std::cmp::Reverse(node["createdTime"].as_i64()));
        task["activities"] = json!({ "totalCount": nodes.len(), "nodes": nodes });
    }
    ended_task(serde_json::from_value(task).unwrap()).unwrap().unwrap()
}

/// A history, and what arrived of it: not all, some of it twice, in any order.
fn with_loss() -> impl Strategy<Value = (History, Vec<Event>)> {
    history().prop_flat_map(|history| {
        let twice = [history.events.clone(), history.events.clone()].concat();
        let some = proptest::sample::subsequence(twice.clone(), 0..=twice.len());
        (Just(history), some.prop_shuffle())
    })
}

/// All that is known in the end.
fn reconciled(record: &EndedTask, arrived: Vec<Event>) -> Story {
    let mut known: CallTimeline = arrived.into_iter().collect();
    known.extend(missing(record, &known));
    assert_eq!(missing(record, &known), [], "what was found once is not missing again");
    known.story()
}

/// A consult transfer, and later a conference; of all that webhooks told the two acceptances and the end only.
#[test]
fn a_consult_transfer_of_which_search_tells_both_steps_leaves_every_hold_as_it_was() {
    const BEGAN: i64 = 1_795_000_000_000;
    let activities = [
        ("new", 0),
        ("parked", 4_517),
        ("connect", 72_839),
        ("connected", 81_979),
        ("on-hold", 92_387),
        ("consulting", 93_203),
        ("connect", 93_666),
        ("ConsultTransfer", 115_919),
        ("Transferred", 116_657),
        ("consult-done", 116_660),
        ("WrapUp", 116_660),
        ("connected", 116_660),
        ("on-hold", 176_429),
        ("consulting", 177_221),
        ("conferencing", 190_219),
        ("hold-done", 190_219),
        ("conference-done", 237_821),
        ("WrapUp", 261_633),
        ("ended", 261_633),
    ];
    let nodes =
        activities.iter().rev().map(|(name, time)| json!({ "eventName": name, "createdTime": BEGAN + time }));
    let nodes: Vec<Value> = nodes.collect();
    let task = json!({
        "id": "t1", "channelType": "telephony", "isActive": false, "createdTime": BEGAN, "endedTime": BEGAN + 261_633,
        "lastQueue": { "id": "q1" }, "lastAgent": { "id": "a1" }, "connectedCount": 2, "connectedDuration": 141_591,
        "holdCount": 2, "holdDuration": 38_063, "queueCount": 1, "queueDuration": 68_322,
        "activities": { "totalCount": nodes.len(), "nodes": nodes },
    });
    let record = ended_task(serde_json::from_value(task).unwrap()).unwrap().unwrap();
    let told = |what: What, millisecond| Event {
        at: Some(jiff::Timestamp::from_millisecond(BEGAN + millisecond).unwrap()),
        id: format!("{what}{millisecond}"),
        what,
        queue: None,
        agent: None,
        direction: None,
    };
    let arrived = vec![
        told(What::Connected, 81_979),
        told(What::Connected, 116_660),
        told(What::Ended(crate::domain::Ending::default()), 261_633),
    ];
    let sums = reconciled(&record, arrived).sums();
    assert_eq!((sums.holds, sums.longest_hold, sums.total_hold), (Some(2), Some(24), Some(38)));
}

proptest! {
    #[test]
    fn whatever_was_lost_is_told_by_the_record_and_its_history((history, arrived) in with_loss()) {
        history.assert_told_by(&reconciled(&record(&history, true), arrived), 1);
    }

    #[test]
    fn nothing_but_the_record_tells_the_truth_too(history in history()) {
        history.assert_told_by(&reconciled(&record(&history, true), Vec::new()), 1);
    }

    #[test]
    fn a_record_without_history_tells_who_gave_up_and_when_and_invents_nothing(
        (history, arrived) in with_loss()
    ) {
        let arrived_holds = arrived.iter().cloned().collect::<CallTimeline>().story().holds();
        let story = reconciled(&record(&history, false), arrived);
        prop_assert_eq!(story.started_at(), history.events[0].at);
        let end = callers_end(&history);
        let apart = story.ended_at.unwrap().duration_since(end.at.unwrap()).abs();
        prop_assert!(apart.as_millis() <= 2000, "{:?} {:?}", story.ended_at, end.at);
        prop_assert_eq!(story.is_answered, history.accepted_at.is_some());
        prop_assert_eq!(story.accepted_at().is_some(), history.accepted_at.is_some());
        prop_assert!(story.holds() <= arrived_holds);
        prop_assert!(story.enqueued_at().is_none() || history.enqueued_at.is_some());
        let sum: u64 = story.segments.iter().filter(|one| one.kind != SegmentKind::WrapUp)
            .filter_map(Segment::milliseconds).sum();
        prop_assert!(sum.abs_diff(history.ended_at) <= 2000);
        let own = |agent: &str| history.events.iter().any(|event| event.agent.as_deref() == Some(agent));
        prop_assert!(story.agent().is_none_or(own));
    }
}
