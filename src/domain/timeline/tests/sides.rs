//! The caller's side and the consulted party's side of one task.

use super::*;

const ENDED: EventKind = EventKind::Ended(TaskEnding { party: None, reason: None });

/// What happened, at which second; with the agent, where it is an agent's own event.
fn timeline(events: &[(EventKind, f64)]) -> CallTimeline {
    let millisecond =
        |second: f64| std::time::Duration::from_secs_f64(second).as_millis().try_into().unwrap();
    events.iter().map(|(kind, second)| event(kind.clone(), millisecond(*second))).collect()
}

fn call_history(events: &[(EventKind, f64)]) -> CallHistory {
    timeline(events).history()
}

fn wraps_up(agent: &str, millisecond: u64) -> TaskEvent {
    of_agent(AgentState::WrapUp { code: None }, millisecond, agent)
}

/// Holds, all together, the longest, and the time with agents without them; all in seconds.
fn figures(call_history: &CallHistory) -> (usize, u64, u64, u64) {
    assert_sum(call_history);
    (
        call_history.holds(),
        call_history.total_hold(),
        call_history.longest_hold(),
        call_history.agent_interaction(),
    )
}

#[test]
fn a_hold_goes_on_while_the_consulted_party_is_rung_accepts_and_is_parked() {
    use EventKind::*;
    let events = [
        (Connected, 0.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (Connect, 12.0),
        (Parked, 20.0),
        (ConsultDone, 25.0),
        (HoldDone, 30.0),
        (ENDED, 40.0),
    ];
    assert_eq!(figures(&call_history(&events)), (1, 20, 20, 20));
}

#[test]
fn a_hold_ends_where_the_consulted_agent_gets_the_caller_not_where_they_accept_the_consult() {
    use EventKind::*;
    let events = [
        (Connected, 5.0),
        (OnHold, 20.0),
        (Consulting, 21.0),
        (Connect, 22.0),
        (Connected, 30.0),
        (Connected, 50.0),
        (ENDED, 70.0),
    ];
    let call_history = call_history(&events);
    assert_eq!(figures(&call_history), (1, 30, 30, 35));
    assert_eq!((call_history.of(SegmentKind::Agent).count(), call_history.is_end_doubtful), (2, false));
    // Where the ringing was lost, the second acceptance shows that the first was that of the consult.
    let lossy: Vec<_> = events.into_iter().filter(|(kind, _)| *kind != Connect).collect();
    assert_eq!(figures(&self::call_history(&lossy)), (1, 30, 30, 35));
}

#[test]
fn a_hold_ends_where_the_agent_leaves_after_a_transfer_to_an_outside_number() {
    use EventKind::*;
    let mut timeline = timeline(&[(Connected, 0.0), (OnHold, 10.0), (ENDED, 100.0)]);
    timeline.apply(wraps_up("amy", 40_000));
    let call_history = timeline.history();
    assert_eq!(figures(&call_history), (1, 30, 30, 10));
    assert_eq!((call_history.agent(), call_history.ended_at), (Some("amy"), Some(at(100_000))));
    assert_eq!(
        call_history.of(SegmentKind::Outside).map(Segment::milliseconds).collect::<Vec<_>>(),
        [Some(60_000)]
    );
}

#[test]
fn a_hold_ends_with_the_call_while_the_agent_consults() {
    use EventKind::*;
    let events = [
        (Connected, 0.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (Connect, 12.0),
        (Connected, 15.0),
        (ConsultDone, 29.998),
        (ENDED, 30.0),
        (ENDED, 30.002),
    ];
    assert_eq!(figures(&call_history(&events)), (1, 20, 20, 10));
}

#[test]
fn a_hold_ends_where_the_agent_speaks_with_the_caller_again_after_a_consult() {
    use EventKind::*;
    let events = [
        (Connected, 0.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (ConsultDone, 25.0),
        (Connected, 26.0),
        (ENDED, 40.0),
    ];
    let call_history = call_history(&events);
    assert_eq!(figures(&call_history), (1, 16, 16, 24));
    assert_eq!(call_history.of(SegmentKind::Agent).count(), 1);
}

#[test]
fn a_consult_that_becomes_a_conference_ends_the_hold_once() {
    use EventKind::*;
    let events = [
        (Connected, 0.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (Connect, 12.0),
        (Connected, 15.0),
        (Conferencing, 20.0),
        (HoldDone, 20.2),
        (ConferenceDone, 50.0),
        (ENDED, 50.01),
        (ENDED, 60.0),
    ];
    assert_eq!(figures(&call_history(&events)), (1, 10, 10, 50));
    let lossy: Vec<_> = events.iter().filter(|(kind, _)| *kind != HoldDone).cloned().collect();
    assert_eq!(figures(&call_history(&lossy)), (1, 10, 10, 50));
    let until: Vec<_> = events.iter().filter(|(_, second)| *second < 60.0).cloned().collect();
    assert!(call_history(&until).is_end_doubtful, "the conference is over, the call is not");
}

#[test]
fn events_of_a_transfer_some_milliseconds_late_are_no_hold_of_the_next_agent() {
    use EventKind::*;
    let events = [
        (Connected, 0.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (Connected, 20.0),
        (ConsultDone, 20.003),
        (HoldDone, 20.005),
        (ENDED, 50.0),
    ];
    let call_history = call_history(&events);
    assert_eq!(figures(&call_history), (1, 10, 10, 40));
    assert_eq!(call_history.of(SegmentKind::Agent).count(), 2);
}

#[test]
fn the_end_of_a_consulted_party_is_not_that_of_the_call() {
    use EventKind::*;
    let consult = [
        (New, 0.0),
        (Connected, 1.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (New, 11.1),
        (Parked, 11.2),
        (Connect, 12.0),
        (Connected, 15.0),
        (ConsultDone, 25.0),
        (ENDED, 25.001),
    ];
    let consulted_left = call_history(&consult);
    assert!(consulted_left.is_end_doubtful, "no event shows yet whose end it was");
    let back = [&consult[..], &[(HoldDone, 32.0)]].concat();
    assert_eq!(call_history(&back).ended_at, None);
    let whole = call_history(&[&back[..], &[(ENDED, 60.0)]].concat());
    assert_eq!((whole.ended_at, whole.is_end_doubtful), (Some(at(60_000)), false));
    assert_eq!(figures(&whole), (1, 22, 22, 37));
    // The caller hung up meanwhile: there are two ends, or the agent writes it up.
    let twice = call_history(&[&consult[..], &[(ENDED, 25.004)]].concat());
    assert_eq!((twice.ended_at, twice.is_end_doubtful), (Some(at(25_004)), false));
    let mut written_up = timeline(&consult);
    written_up.apply(wraps_up("amy", 25_300));
    assert_eq!((written_up.ended_at(), written_up.history().is_end_doubtful), (Some(at(25_001)), false));
}

#[test]
fn the_end_of_a_consulted_party_is_doubted_whatever_its_other_events() {
    use EventKind::*;
    let outside = [
        (Connected, 0.0),
        (OnHold, 8.4),
        (Consulting, 8.8),
        (Connected, 15.9),
        (ConsultDone, 30.5),
        (ENDED, 30.5),
    ];
    assert!(call_history(&outside).is_end_doubtful, "a number outside is not rung");
    let without_beginning =
        outside.iter().filter(|(kind, _)| *kind != Consulting).cloned().collect::<Vec<_>>();
    assert!(call_history(&without_beginning).is_end_doubtful, "the event that began the consult was lost");
    let late_consult = [
        (Connected, 0.0),
        (OnHold, 20.0),
        (Connect, 21.0),
        (Connected, 30.7),
        (Consulting, 30.7),
        (ConsultDone, 35.4),
        (ENDED, 35.4),
    ];
    assert!(
        call_history(&late_consult).is_end_doubtful,
        "the event of the consult comes after its acceptance"
    );
    let without = |lost| late_consult.iter().filter(|(kind, _)| *kind != lost).cloned().collect::<Vec<_>>();
    let lossy = without(Consulting);
    assert!(call_history(&lossy).is_end_doubtful, "somebody was asked, and a consult is done");
    let before = [(Connected, 0.0), (OnHold, 5.0), (HoldDone, 10.0)];
    let after_another_hold = [&before[..], &lossy[1..]].concat();
    assert!(call_history(&after_another_hold).is_end_doubtful, "an earlier hold has nothing to do with it");
    assert!(call_history(&without(Connect)).is_end_doubtful, "a consult begins with an acceptance");
}

#[test]
fn the_end_of_a_call_whose_agent_consulted_nobody_is_beyond_doubt() {
    use EventKind::*;
    let events = [(Connected, 0.0), (OnHold, 10.0), (ENDED, 30.0)];
    assert!(!call_history(&events).is_end_doubtful);
    let consults = [(Connected, 0.0), (OnHold, 10.0), (Consulting, 12.0), (ConsultDone, 29.9), (ENDED, 30.0)];
    assert!(!call_history(&consults).is_end_doubtful, "no event of a consulted party has come");
}

#[test]
fn a_sign_of_life_that_is_stamped_milliseconds_after_the_end_is_none() {
    use EventKind::*;
    let ended = call_history(&[(New, 0.0), (Connect, 10.0), (ENDED, 60.0), (Connected, 60.002)]);
    assert_eq!((ended.ended_at, ended.accepted_at()), (Some(at(60_000)), Some(at(60_000))));
    assert_sum(&ended);
    let goes_on = call_history(&[(New, 0.0), (Connect, 10.0), (ENDED, 60.0), (Connected, 61.0)]);
    assert_eq!(goes_on.ended_at, None);
}

#[test]
fn time_after_the_last_wrap_up_is_neither_the_agents_nor_a_hold() {
    use EventKind::*;
    let mut known = timeline(&[(New, 0.0), (Connected, 10.0), (OnHold, 60.0), (ENDED, 150.0)]);
    known.apply(wraps_up("amy", 90_000));
    assert_eq!(figures(&known.history()), (1, 30, 30, 50));
    // Another agent wrote it up later, whose acceptance was lost.
    known.apply(wraps_up("bob", 140_000));
    let call_history = known.history();
    assert_eq!(figures(&call_history), (1, 30, 30, 100));
    assert_eq!(call_history.agent(), Some("bob"));
    // An agent ends the call and writes it up in the same moment: that leaves nothing behind.
    let mut known = timeline(&[(New, 0.0), (Connected, 10.0), (ENDED, 60.0)]);
    known.apply(wraps_up("amy", 59_998));
    assert_eq!(known.history().of(SegmentKind::Outside).count(), 0);
}

#[test]
fn an_agent_who_is_named_by_a_wrap_up_only_had_the_call() {
    use EventKind::*;
    for wrap_up in [59_990, 60_500] {
        let mut known = timeline(&[(New, 0.0), (Connected, 10.0), (ENDED, 60.0)]);
        known.apply(wraps_up("amy", wrap_up));
        let call_history = known.history();
        assert_eq!((call_history.agent(), call_history.agents.len()), (Some("amy"), 1));
    }
}

#[test]
fn a_consulted_agents_wrap_up_is_not_that_of_the_agent_who_has_the_call() {
    use EventKind::*;
    let consult = [
        (Connected, 0.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (Connect, 12.0),
        (Connected, 15.0),
        (ConsultDone, 25.0),
        (HoldDone, 30.0),
        (ENDED, 60.0),
    ];
    let mut known = timeline(&consult);
    known.apply(wraps_up("bob", 25_100));
    assert_eq!(figures(&known.history()), (1, 20, 20, 40), "the agent is not known by name");
    known.apply(of_agent(AgentState::Connected, 10, "amy"));
    let call_history = known.history();
    assert_eq!((figures(&call_history), call_history.agent()), ((1, 20, 20, 40), Some("amy")));
}

#[test]
fn the_call_goes_to_the_consulted_agent_where_the_agent_leaves_in_the_middle_of_a_consult() {
    use EventKind::*;
    let consult = [
        (Connected, 0.0),
        (OnHold, 10.0),
        (Consulting, 11.0),
        (Connect, 12.0),
        (Connected, 15.0),
        (ENDED, 60.0),
    ];
    let mut known = timeline(&consult);
    known.apply(of_agent(AgentState::Connected, 1, "amy"));
    known.apply(of_agent(AgentState::Connected, 15_001, "bob"));
    known.apply(wraps_up("amy", 30_000));
    let call_history = known.history();
    assert_eq!((figures(&call_history), call_history.agent()), ((1, 20, 20, 40), Some("bob")));
}

#[test]
fn an_offer_that_arrives_after_its_acceptance_changes_nothing() {
    use EventKind::*;
    let call_history =
        call_history(&[(New, 0.0), (Parked, 5.0), (Connected, 20.0), (Connect, 20.004), (ENDED, 60.0)]);
    assert_eq!(figures(&call_history), (0, 0, 0, 40));
    assert_eq!(call_history.accepted_at(), Some(at(20_000)));
}

/// The agent's own event reports the acceptance; that of the task was lost, and so was the consult.
#[test]
fn the_acceptance_of_a_consulted_party_is_not_the_lost_one_of_the_call() {
    let of = |kind: EventKind, second: f64, queue: Option<&str>| TaskEvent {
        queue: queue.map(str::to_owned),
        ..timeline(&[(kind, second)]).all().next().unwrap().clone()
    };
    let accepted =
        TaskEvent { agent: Some("amy".into()), ..of(EventKind::Agent(AgentState::Connected), 6.8, None) };
    let events = [
        of(EventKind::New, 0.0, None),
        of(EventKind::Connect, 0.3, None),
        accepted,
        of(EventKind::OnHold, 36.8, None),
        of(EventKind::Parked, 39.3, Some("help")),
        of(EventKind::Connected, 50.5, Some("help")),
        of(EventKind::ConsultDone, 55.6, None),
        of(EventKind::HoldDone, 62.6, None),
        of(ENDED, 74.6, None),
    ];
    assert_eq!(events.into_iter().collect::<CallTimeline>().history().queue(), None);
}
