//! Real call histories: what the Search API recorded of a tenant, as events of webhooks.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest::{prelude::*, strategy::Just};

use super::*;

#[path = "../../../../tests/support/histories.rs"]
mod histories;

use histories::{Recorded, histories, is_step, kind, times, way};

fn event_kind(name: &str) -> Option<EventKind> {
    Some(match kind(name)? {
        "task:new" => EventKind::New,
        "task:parked" => EventKind::Parked,
        "task:connect" => EventKind::Connect,
        "task:connected" => EventKind::Connected,
        "task:on-hold" => EventKind::OnHold,
        "task:hold-done" => EventKind::HoldDone,
        _ => EventKind::Agent(AgentState::WrapUp { code: None }),
    })
}

struct Played {
    events: Vec<TaskEvent>,
    /// What the recorded events themselves state, summed up by their names.
    total: u64,
    holds: Vec<u64>,
    parked: u64,
    /// An agent is asked, or a transfer is under way.
    invited: u64,
    talk: u64,
}

fn play(way: &[Recorded]) -> Played {
    let mut now = 0;
    let mut events = Vec::new();
    for (name, time) in way {
        events.extend(event_kind(name).map(|kind| event(kind, now)));
        now += time;
    }
    events.push(event(EventKind::Ended(TaskEnding::default()), now));
    let times = |wanted: &[&str]| times(way, wanted);
    Played {
        events,
        total: now,
        holds: times(&["on-hold"]),
        parked: times(&["parked"]).iter().sum(),
        invited: times(&["connect", "blind-transfer", "vt-transfer"]).iter().sum(),
        talk: times(&["connected", "hold-done"]).iter().sum(),
    }
}

fn stated(played: &Played, events: Vec<TaskEvent>) {
    let call_history = events.into_iter().collect::<CallTimeline>().history();
    assert_sum(&call_history);
    assert_eq!(call_history.ended_at, Some(at(played.total)));
    let holds = call_history.segments.iter().flat_map(|one| one.stretches_of(StretchKind::Hold));
    assert_eq!(holds.map(|hold| hold.milliseconds().unwrap()).collect::<Vec<_>>(), played.holds);
    let milliseconds =
        |kind| call_history.of(kind).map(|segment| segment.milliseconds().unwrap()).sum::<u64>();
    assert_eq!(milliseconds(SegmentKind::Queue), played.parked);
    assert_eq!(milliseconds(SegmentKind::Invitation), played.invited);
    assert_eq!(milliseconds(SegmentKind::Agent), played.talk + played.holds.iter().sum::<u64>());
}

#[test]
fn real_histories_in_order_and_shuffled_give_what_their_own_events_state() {
    let histories = histories();
    assert_eq!(histories.len(), 23);
    for (id, recorded) in histories {
        let played = play(&way(&recorded));
        println!("{id}");
        stated(&played, played.events.clone());
        let config = Config { cases: 20, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, deterministic());
        let shuffled = Just(played.events.clone()).prop_shuffle();
        let shown = |events| {
            stated(&played, events);
            Ok(())
        };
        runner.run(&shuffled, shown).unwrap();
    }
}

/// What the consulted party does meanwhile, and when, in milliseconds after the beginning: the beginning of each consult lies
/// so far before the end of its hold as its parts state.
fn beside(recorded: &[Recorded]) -> Vec<(&'static str, u64)> {
    let own_end = recorded.iter().rposition(|(name, _)| name == "ended");
    let (mut events, mut now, mut hold, mut consult, mut left) = (Vec::new(), 0, (0, 0), None, None);
    let sum_after =
        |at: usize| -> u64 { recorded[at + 1..].iter().filter(|(name, _)| is_step(name)).map(|r| r.1).sum() };
    for (at, (name, time)) in recorded.iter().enumerate() {
        match (name.as_str(), consult) {
            ("consulting", _) => {
                let after = recorded[at + 1..].iter().filter(|(name, _)| CLOSING.contains(&name.as_str()));
                let after = after.map(|one| one.1).take_while(|time| *time < hold.1).sum::<u64>();
                let begin = hold.0 + hold.1 - (time + after).min(hold.1);
                events.push(("task:consulting", begin));
                consult = Some((begin + 5, begin + time));
            }
            ("consult-done" | "Transferred", Some((_, end))) => {
                events.extend((name == "consult-done").then_some(("task:consult-done", end)));
                (consult, left) = (None, Some(end + 3));
            }
            ("ended", _) if own_end != Some(at) => events.extend(left.take().map(|end| ("task:ended", end))),
            (_, Some((own, end))) => {
                events.extend(kind(name).map(|kind| (kind, own.min(end))));
                consult = Some((own + time, end));
            }
            (_, None) if is_step(name) => {
                if name == "on-hold" {
                    hold = (now, *time);
                }
                let whole = name == "new" && at == 0 && *time > sum_after(at);
                now += if whole { time - sum_after(at) } else { *time };
            }
            _ => {}
        }
    }
    events
}

/// What closes a consult.
const CLOSING: [&str; 3] = ["consult-done", "ConsultTransfer", "Transferred"];

/// What the consulted party did meanwhile, and who the agents were.
fn both_sides(recorded: &[Recorded], played: &Played) -> Vec<TaskEvent> {
    let mut events = played.events.clone();
    for (number, (name, time)) in beside(recorded).into_iter().enumerate() {
        let kind = match name {
            "task:consulting" => EventKind::Consulting,
            "task:consult-done" => EventKind::ConsultDone,
            "task:ended" => EventKind::Ended(TaskEnding::default()),
            _ => event_kind(name.strip_prefix("task:").unwrap()).unwrap(),
        };
        if kind == EventKind::Connected {
            events.push(of_agent(AgentState::Connected, time + 1, "helper"));
        }
        events.push(TaskEvent { id: format!("beside-{number}"), ..event(kind, time) });
    }
    let accepted: Vec<_> = played.events.iter().filter(|event| event.kind == EventKind::Connected).collect();
    for (number, acceptance) in accepted.iter().enumerate() {
        let agent = Some(format!("agent-{number}"));
        let kind = EventKind::Agent(AgentState::Connected);
        events.push(TaskEvent { id: format!("accepted-{number}"), agent, kind, ..(*acceptance).clone() });
    }
    let last = accepted.len().checked_sub(1).map(|number| format!("agent-{number}"));
    let wrap_up = |agent: String| of_agent(AgentState::WrapUp { code: None }, played.total + 2, &agent);
    events.extend(last.map(wrap_up));
    events
}

#[test]
fn real_histories_with_the_consulted_partys_and_the_agents_events_state_the_same() {
    let mut consulted = 0;
    for (id, recorded) in histories() {
        let played = play(&way(&recorded));
        let events = both_sides(&recorded, &played);
        consulted += usize::from(events.iter().filter(|event| event.kind.is_end()).count() > 1);
        println!("{id} {:?}", beside(&recorded));
        stated(&played, events.clone());
        let config = Config { cases: 20, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, deterministic());
        let shown = |events| {
            stated(&played, events);
            Ok(())
        };
        runner.run(&Just(events).prop_shuffle(), shown).unwrap();
    }
    assert_eq!(consulted, 3, "some have an event of the consulted party's end");
}

fn deterministic() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}
