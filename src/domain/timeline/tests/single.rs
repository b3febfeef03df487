//! Single questions.

use super::*;
use crate::domain::{CallCenterName, CallName, FinalUpdateState, UpdateContent, VendorCallKey};

fn call_history(events: impl IntoIterator<Item = TaskEvent>) -> CallHistory {
    events.into_iter().collect::<CallTimeline>().history()
}

#[test]
fn the_state_is_that_of_the_last_event_by_its_own_time() {
    let steps = [
        (EventKind::New, CallState::New),
        (EventKind::Parked, CallState::Queued),
        (EventKind::Connect, CallState::Offered),
        (EventKind::Connected, CallState::Connected),
        (EventKind::OnHold, CallState::OnHold),
        (EventKind::Consulting, CallState::Consulting),
        (EventKind::Conferencing, CallState::Conferencing),
        (EventKind::ConferenceDone, CallState::Connected),
        (EventKind::HoldDone, CallState::Connected),
        (EventKind::Ended(TaskEnding::default()), CallState::Ended),
    ];
    let mut timeline = CallTimeline::default();
    assert_eq!(timeline.history().state, CallState::New);
    for (second, (kind, state)) in (0..).zip(steps) {
        timeline.apply(event(kind.clone(), second * 1000));
        assert_eq!(timeline.history().state, state, "{kind}");
    }
}

#[test]
fn a_conference_whose_end_has_no_time_is_over() {
    let end = TaskEvent { at: None, ..event(EventKind::ConferenceDone, 0) };
    let call_history = call_history([event(EventKind::Connected, 0), event(EventKind::Conferencing, 5), end]);
    assert_eq!(call_history.state, CallState::Connected);
}

#[test]
fn an_end_that_is_followed_by_signs_of_life_was_anothers() {
    let first = [
        event(EventKind::New, 0),
        event(EventKind::Connected, 1000),
        event(EventKind::OnHold, 2000),
        event(EventKind::Ended(TaskEnding::default()), 3000),
        event(EventKind::HoldDone, 4000),
    ];
    assert_eq!(call_history(first.clone()).ended_at, None);
    let whole = call_history(first.into_iter().chain([event(EventKind::Ended(TaskEnding::default()), 9000)]));
    assert_eq!((whole.ended_at, whole.total_hold(), whole.agent_interaction()), (Some(at(9000)), 2, 6));
}

#[test]
fn acceptance_and_wrap_up_come_from_the_agents_own_events() {
    let code = Some(String::from("code-1"));
    let events = [
        event(EventKind::New, 0),
        event(EventKind::Connect, 1000),
        event(EventKind::Connected, 2000),
        of_agent(AgentState::Connected, 2003, "amy"),
        event(EventKind::Ended(TaskEnding { party: Some("Agent".into()), reason: None }), 60_000),
        of_agent(AgentState::WrapUp { code: None }, 60_001, "amy"),
        of_agent(AgentState::read("Available", code.clone()), 65_000, "amy"),
    ];
    let call_history = call_history(events);
    assert_eq!(
        call_history.agents,
        [AgentInvolvement { agent: "amy".into(), accepted_at: Some(at(2003)), wrap_up_code: code }]
    );
    assert_eq!((call_history.agent(), call_history.wrap_up_code()), (Some("amy"), Some("code-1")));
    assert_eq!(call_history.ending.as_ref().unwrap().party.as_deref(), Some("Agent"));
    assert_eq!(call_history.segments.last().unwrap().milliseconds(), Some(4999));
}

#[test]
fn a_transfer_after_a_consult_ends_the_segment_of_the_first_agent() {
    let events = [
        event(EventKind::New, 0),
        event(EventKind::Connected, 1000),
        of_agent(AgentState::Connected, 1000, "amy"),
        event(EventKind::OnHold, 5000),
        event(EventKind::Consulting, 6000),
        event(EventKind::Connected, 9000),
        of_agent(AgentState::Connected, 9001, "bob"),
        of_agent(AgentState::WrapUp { code: None }, 9002, "amy"),
        event(EventKind::Ended(TaskEnding::default()), 20_000),
    ];
    let call_history = call_history(events);
    let agents: Vec<_> =
        call_history.of(SegmentKind::Agent).map(|one| (one.agent.as_deref(), one.mark)).collect();
    assert_eq!(agents, [(Some("amy"), Some(SegmentEnd::Transferred)), (Some("bob"), None)]);
    assert_eq!((call_history.holds(), call_history.total_hold(), call_history.agent()), (1, 4, Some("bob")));
}

#[test]
fn a_blind_transfer_rings_between_the_agents() {
    let events = [
        event(EventKind::New, 0),
        event(EventKind::Connected, 1000),
        of_agent(AgentState::Connected, 1000, "amy"),
        of_agent(AgentState::WrapUp { code: None }, 5000, "amy"),
        event(EventKind::Connected, 9000),
        event(EventKind::Ended(TaskEnding::default()), 20_000),
    ];
    use SegmentKind::{Agent, Invitation, Menu, WrapUp};
    assert_eq!(
        outline(&call_history(events)),
        [
            (Menu, 0, Some(1000)),
            (Agent, 1000, Some(5000)),
            (Invitation, 5000, Some(9000)),
            (Agent, 9000, Some(20_000)),
            (WrapUp, 5000, None)
        ]
    );
}

#[test]
fn with_the_acceptance_lost_a_hold_still_shows_that_there_was_one() {
    let call_history = call_history([
        event(EventKind::New, 0),
        event(EventKind::OnHold, 4000),
        event(EventKind::HoldDone, 6000),
    ]);
    assert!(call_history.is_answered);
    assert_eq!(
        (call_history.accepted_at(), call_history.holds(), call_history.state),
        (Some(at(4000)), 1, CallState::Connected)
    );
}

#[test]
fn a_timeline_stops_growing() {
    let events = (0..5000).map(|n| event(EventKind::Other("task:noise".into()), n));
    assert_eq!(events.collect::<CallTimeline>().len(), 2000);
}

#[test]
fn of_too_many_events_the_end_the_marks_and_the_agent_stay_in_whatever_order_they_come() {
    let noise = |n| event(EventKind::Other("task:noise".into()), n);
    let mut events: Vec<TaskEvent> = (0..2500).map(noise).collect();
    events.push(event(EventKind::Connected, 1250));
    events.push(event(EventKind::Ended(TaskEnding::default()), 2500));
    events.extend((2501..5000).map(noise));
    let update = |digest: &str| UpdateContent {
        start: None,
        end: None,
        digest: digest.into(),
        fields: None,
        is_abandonment: false,
        is_callback: false,
        is_plain: false,
    };
    let name =
        CallName::new(CallCenterName::parse("Sales").unwrap(), VendorCallKey::parse("wxcc_1").unwrap(), None);
    events.push(CallTimeline::default().sent_update(&name, Some(update("a"))));
    let forwards: CallTimeline = events.iter().cloned().collect();
    let mut one_by_one = CallTimeline::default();
    events.iter().step_by(2).rev().chain(events.iter().skip(1).step_by(2)).cloned().for_each(|event| {
        one_by_one.apply(event);
    });
    assert_eq!((forwards.len(), &one_by_one), (2000, &forwards));
    let call_history = forwards.history();
    assert!(call_history.is_answered && forwards.is_answered());
    assert_eq!(forwards.ended_at(), Some(at(2500)));
    assert_eq!(forwards.final_update(&name), FinalUpdateState::Ours(&update("a")));
    let times = |event: Option<&TaskEvent>| event.and_then(|event| event.at);
    assert_eq!(times(forwards.all().nth(1)), Some(at(0)), "the first stays");
    assert_eq!(times(forwards.all().last()), Some(at(4999)), "so does the last");
}

#[test]
fn what_begins_in_the_jitter_after_the_end_has_no_length_and_is_none() {
    let call =
        [event(EventKind::Connected, 0), event(EventKind::OnHold, 1000), event(EventKind::HoldDone, 3000)];
    let after = [event(EventKind::Ended(TaskEnding::default()), 9000), event(EventKind::OnHold, 9050)];
    let call_history = call_history(call.into_iter().chain(after));
    assert_eq!(
        (call_history.ended_at, call_history.holds(), call_history.total_hold()),
        (Some(at(9000)), 1, 2)
    );
}
