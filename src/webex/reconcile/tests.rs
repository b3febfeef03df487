//! What is lost and then found by comparing, against histories as they truly happened.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::ended_task;
use super::missing_events::missing;
use crate::domain::history::{GeneratedCall, history};
use crate::domain::{
    AgentState, CallHistory, CallTimeline, EndedTask, EventKind, Segment, SegmentKind, TaskEnding, TaskEvent,
};
use crate::webex::webhook::kind_of_task_event;

fn callers_end(history: &GeneratedCall) -> &TaskEvent {
    history.events.iter().find(|event| event.kind.is_end() && !GeneratedCall::is_of_party(event)).unwrap()
}

/// Search's record of what truly happened.
fn record(history: &GeneratedCall, with_activities: bool) -> EndedTask {
    let millisecond = |event: &TaskEvent| event.at.unwrap().as_millisecond();
    let count = |kind: &EventKind| history.events.iter().filter(|event| event.kind == *kind).count();
    let lasted = |kind: SegmentKind| -> u64 {
        history.outline.iter().filter(|part| part.0 == kind).map(|part| part.2.unwrap() - part.1).sum()
    };
    let held: u64 = history.holds.iter().sum();
    let end = callers_end(history);
    let mut task = json!({
        "id": "t1", "channelType": "telephony", "isActive": false,
        "createdTime": millisecond(&history.events[0]), "endedTime": millisecond(end),
        "lastQueue": { "id": history.queue }, "lastAgent": { "id": history.agent },
        "connectedCount": count(&EventKind::Connected), "connectedDuration": history.with_agents - held,
        "holdCount": history.holds.len(), "holdDuration": held,
        "queueCount": history.queued, "queueDuration": lasted(SegmentKind::Queue),
    });
    if with_activities {
        let of_task = history.events.iter().rev().filter_map(|event| {
            let name = event.kind.name().strip_prefix("task:")?;
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
fn with_loss() -> impl Strategy<Value = (GeneratedCall, Vec<TaskEvent>)> {
    history().prop_flat_map(|history| {
        let twice = [history.events.clone(), history.events.clone()].concat();
        let some = proptest::sample::subsequence(twice.clone(), 0..=twice.len());
        (Just(history), some.prop_shuffle())
    })
}

/// All that is known in the end.
fn reconciled(record: &EndedTask, arrived: Vec<TaskEvent>) -> CallHistory {
    let mut known: CallTimeline = arrived.into_iter().collect();
    known.extend(missing(record, &known));
    assert_eq!(missing(record, &known), [], "what was found once is not missing again");
    known.history()
}

/// Milliseconds since a call began, the name of what happened, the agent.
type ActivityAt<'a> = (i64, &'a str, Option<&'a str>);

/// What happened by a text such as `0.000 new, 5.630 agent-connected a1`.
fn happened(text: &str) -> Vec<ActivityAt<'_>> {
    let each = text.split(',').map(|event| {
        let mut words = event.split_whitespace();
        let at: String = words.next().unwrap().chars().filter(char::is_ascii_digit).collect();
        (at.parse().unwrap(), words.next().unwrap(), words.next())
    });
    each.collect()
}

/// Checks the holds of a call that Search and webhooks report: they are as they truly lasted, in milliseconds,
/// but for the jitter of clocks.
fn holds_are_true(search: &[ActivityAt], webhooks: &[ActivityAt], holds: &[u64], with_agents: u64) {
    const BEGAN: i64 = 1_795_000_000_000;
    let nodes =
        search.iter().rev().map(|(at, name, _)| json!({ "eventName": name, "createdTime": BEGAN + at }));
    let nodes: Vec<Value> = nodes.collect();
    let held: u64 = holds.iter().sum();
    let task = json!({
        "id": "t1", "channelType": "telephony", "isActive": false, "createdTime": BEGAN,
        "endedTime": BEGAN + search.last().unwrap().0, "lastQueue": { "id": "q1" }, "lastAgent": { "id": "a2" },
        "connectedCount": 2, "connectedDuration": with_agents - held, "queueCount": 1, "queueDuration": 9_000,
        "holdCount": holds.len(), "holdDuration": held,
        "activities": { "totalCount": nodes.len(), "nodes": nodes },
    });
    let record = ended_task(serde_json::from_value(task).unwrap()).unwrap().unwrap();
    let arrived = webhooks.iter().map(|(at, name, agent)| {
        let kind = match *name {
            "agent-connected" => EventKind::Agent(AgentState::Connected),
            "agent-wrapup" => EventKind::Agent(AgentState::WrapUp { code: None }),
            "ended" => EventKind::Ended(TaskEnding::default()),
            name => kind_of_task_event(&format!("task:{name}")).unwrap(),
        };
        let at = jiff::Timestamp::from_millisecond(BEGAN + at).unwrap();
        let (id, agent) = (format!("{name}{at}"), agent.map(str::to_owned));
        TaskEvent { at: Some(at), id, kind, queue: None, agent, direction: None }
    });
    let call_history = reconciled(&record, arrived.collect());
    let is_true = |reported: Option<u64>, milliseconds: u64| {
        reported.is_some_and(|seconds| milliseconds.abs_diff(seconds * 1000) <= 600)
    };
    let (sums, longest) = (call_history.sums(), holds.iter().max().copied().unwrap());
    assert_eq!(sums.holds, Some(holds.len()), "{call_history:#?}");
    assert!(
        is_true(sums.longest_hold, longest) && is_true(sums.total_hold, held),
        "{sums:?} {call_history:#?}"
    );
}

/// A consult transfer, and later a conference; webhooks reported only the two acceptances and the end.
#[test]
fn a_consult_transfer_of_which_search_reports_both_steps_leaves_every_hold_as_it_was() {
    holds_are_true(
        &happened(
            "0.000 new, 4.517 parked, 72.839 connect, 81.979 connected, 92.387 on-hold, 93.203 consulting,
         93.666 connect, 115.919 ConsultTransfer, 116.657 Transferred, 116.660 consult-done, 116.660 WrapUp,
         116.660 connected, 176.429 on-hold, 177.221 consulting, 190.219 conferencing, 190.219 hold-done,
         237.821 conference-done, 261.633 WrapUp, 261.633 ended",
        ),
        &happened("81.979 connected, 116.660 connected, 261.633 ended"),
        &[24_273, 13_790],
        179_654,
    );
}

/// The wrap-up and the acceptance of a consult transfer have the same millisecond.
#[test]
fn a_consult_transfer_with_wrap_up_and_acceptance_at_once_leaves_every_hold_as_it_was() {
    holds_are_true(
        &happened(
"0.000 new, 5.630 parked, 20.628 connect, 29.882 connected, 72.293 on-hold, 107.987 hold-done,
         152.561 on-hold, 153.206 consulting, 165.471 conferencing, 165.471 hold-done, 179.700 conference-done,
         193.966 on-hold, 194.634 consulting, 194.779 connect, 207.130 ConsultTransfer, 207.664 Transferred,
         207.675 WrapUp, 207.675 connected, 251.442 on-hold, 268.750 hold-done, 298.698 WrapUp, 298.698 ended"
),
        &happened(
"0.000 new, 5.630 parked, 20.628 connect, 29.882 connected, 72.293 on-hold, 107.987 hold-done,
         152.561 on-hold, 153.206 consulting, 165.471 conferencing, 165.471 hold-done, 179.700 conference-done,
         193.966 on-hold, 194.634 consulting, 194.779 connect, 207.675 agent-wrapup a1, 207.675 connected,
         207.675 agent-connected a2, 251.442 on-hold, 298.698 agent-wrapup a2, 298.698 ended"
),
        &[35_694, 12_910, 13_709, 17_308],
        268_816,
    );
    holds_are_true(
        &happened(
            "0.000 new, 9.093 parked, 58.892 connect, 73.262 connected, 109.124 consult, 109.124 on-hold,
         109.907 connect, 118.384 connected, 118.384 consulting, 151.341 consult-done, 151.341 ended,
         158.038 hold-done, 169.546 on-hold, 170.001 consulting, 170.156 connect, 199.412 ConsultTransfer,
         199.804 Transferred, 199.808 WrapUp, 199.808 connected, 235.369 on-hold, 279.158 hold-done,
         292.069 on-hold, 315.083 hold-done, 370.109 WrapUp, 370.109 ended",
        ),
        &happened(
            "0.000 new, 9.093 parked, 58.892 connect, 73.262 connected, 109.124 on-hold, 109.907 connect,
         118.384 connected, 118.384 consulting, 151.341 consult-done, 158.038 hold-done, 169.546 on-hold,
         170.001 consulting, 170.156 connect, 199.808 agent-wrapup a1, 199.808 connected,
         199.808 agent-connected a2, 279.158 hold-done, 292.069 on-hold, 315.083 hold-done,
         370.109 agent-wrapup a2, 370.109 ended",
        ),
        &[48_914, 30_262, 43_789, 23_014],
        296_847,
    );
}

proptest! {
    /// Search's clock differs from that of webhooks, each time by some other milliseconds: of a transfer it may tell after
    /// the acceptance that followed.
    #[test]
    fn a_consult_transfer_leaves_every_hold_as_it_was_whatever_the_clock_of_search(
        shifts in proptest::collection::vec(-8_i64..=8, 29)
    ) {
        let search = happened(
            "0.000 new, 10.721 connect, 24.011 connect, 28.826 connected, 35.758 on-hold, 79.388 hold-done,
             108.767 on-hold, 112.950 hold-done, 124.317 connect, 130.987 connect, 139.661 connected,
             143.327 on-hold, 166.187 hold-done, 175.056 on-hold, 175.790 consulting, 176.081 connect,
             203.835 ConsultTransfer, 204.355 Transferred, 204.362 connected, 253.683 on-hold, 262.845 hold-done,
             316.016 on-hold, 316.354 consulting, 316.587 connect, 327.655 connected, 343.766 ended,
             343.778 consult-done, 349.767 hold-done, 379.845 ended",
        );
        let shifted = search.iter().zip(shifts).map(|((at, name, agent), shift)| ((at + shift).max(0), *name, *agent));
        let webhooks = happened("28.826 connected, 139.661 connected, 204.362 connected, 327.655 connected, 379.845 ended");
        holds_are_true(&shifted.collect::<Vec<_>>(), &webhooks, &[43_630, 4_183, 22_860, 29_306, 9_162, 33_751], 335_675);
    }

    #[test]
    fn lost_events_are_recovered_from_the_record_and_its_history((history, arrived) in with_loss()) {
        history.assert_matches(&reconciled(&record(&history, true), arrived), 1);
    }

    #[test]
    fn the_record_alone_gives_the_true_history_too(history in history()) {
        history.assert_matches(&reconciled(&record(&history, true), Vec::new()), 1);
    }

    #[test]
    fn a_record_without_history_gives_the_abandonment_and_its_time_and_invents_nothing(
        (history, arrived) in with_loss()
    ) {
        let arrived_holds = arrived.iter().cloned().collect::<CallTimeline>().history().holds();
        let call_history = reconciled(&record(&history, false), arrived);
        prop_assert_eq!(call_history.started_at(), history.events[0].at);
        let end = callers_end(&history);
        let apart = call_history.ended_at.unwrap().duration_since(end.at.unwrap()).abs();
        prop_assert!(apart.as_millis() <= 2000, "{:?} {:?}", call_history.ended_at, end.at);
        prop_assert_eq!(call_history.is_answered, history.accepted_at.is_some());
        prop_assert_eq!(call_history.accepted_at().is_some(), history.accepted_at.is_some());
        prop_assert!(call_history.holds() <= arrived_holds);
        prop_assert!(call_history.enqueued_at().is_none() || history.enqueued_at.is_some());
        let sum: u64 = call_history.segments.iter().filter(|one| one.kind != SegmentKind::WrapUp)
            .filter_map(Segment::milliseconds).sum();
        prop_assert!(sum.abs_diff(history.ended_at) <= 2000);
        let own = |agent: &str| history.events.iter().any(|event| event.agent.as_deref() == Some(agent));
        prop_assert!(call_history.agent().is_none_or(own));
    }
}
