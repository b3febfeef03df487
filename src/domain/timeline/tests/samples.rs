//! Real call histories: what the Search API recorded of a tenant, as the webhooks would have told it.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest::{prelude::*, strategy::Just};

use super::*;

#[path = "../../../../tests/support/histories.rs"]
mod histories;

use histories::{Recorded, histories, kind, times, way};

fn what(name: &str) -> Option<What> {
    Some(match kind(name)? {
        "task:new" => What::New,
        "task:parked" => What::Parked,
        "task:connect" => What::Connect,
        "task:connected" => What::Connected,
        "task:on-hold" => What::OnHold,
        "task:hold-done" => What::HoldDone,
        _ => What::Agent(AgentState::WrapUp { code: None }),
    })
}

struct Played {
    events: Vec<Event>,
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
        events.extend(what(name).map(|what| event(what, now)));
        now += time;
    }
    events.push(event(What::Ended(Ending::default()), now));
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

fn stated(played: &Played, events: Vec<Event>) {
    let story = events.into_iter().collect::<CallTimeline>().story();
    assert_sum(&story);
    assert_eq!(story.ended_at, Some(at(played.total)));
    let holds = story.segments.iter().flat_map(|one| one.stretches_of(StretchKind::Hold));
    assert_eq!(holds.map(|hold| hold.milliseconds().unwrap()).collect::<Vec<_>>(), played.holds);
    let milliseconds = |kind| story.of(kind).map(|segment| segment.milliseconds().unwrap()).sum::<u64>();
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

fn deterministic() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::ChaCha)
}
