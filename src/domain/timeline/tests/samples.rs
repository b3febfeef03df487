//! Real call histories: what the Search API recorded of a tenant, as the webhooks would have told it.

use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use proptest::{prelude::*, strategy::Just};
use serde_json::Value;

use super::*;

const RECORDED: &str = include_str!("../../../../tests/fixtures/webex/search_activities_response.json");

/// A recorded event: name and milliseconds until the next one of its kind of thing.
type Recorded = (String, u64);

/// Histories that are whole, oldest event first. The API cuts those off that are longer than a page.
fn histories() -> Vec<(String, Vec<Recorded>)> {
    let answer: Value = serde_json::from_str(RECORDED).unwrap();
    let tasks = answer["data"]["taskDetails"]["tasks"].as_array().unwrap();
    let whole = tasks.iter().filter(|task| task["activities"]["pageInfo"]["hasNextPage"] == false);
    whole
        .map(|task| {
            let nodes = task["activities"]["nodes"].as_array().unwrap().iter().rev();
            let read = |node: &Value| {
                let name = node["eventName"].as_str().unwrap().to_owned();
                (name, u64::try_from(node["duration"].as_i64().unwrap().max(0)).unwrap())
            };
            (task["id"].as_str().unwrap().to_owned(), nodes.map(read).collect())
        })
        .collect()
}

/// The caller's way in order, with the time that each step states. What lies beside it (the consulted party, the
/// wrap-up, recording) is left out, as are steps without a time of their own.
fn way(recorded: &[Recorded]) -> Vec<Recorded> {
    let sum_after =
        |at: usize| -> u64 { recorded[at + 1..].iter().filter(|(name, _)| is_step(name)).map(|r| r.1).sum() };
    let mut way: Vec<Recorded> = Vec::new();
    let mut consulting = false;
    for (at, (name, time)) in recorded.iter().enumerate() {
        match name.as_str() {
            "consulting" => consulting = true,
            "consult-done" | "Transferred" => consulting = false,
            _ => {}
        }
        if !is_step(name) || consulting {
            continue;
        }
        // Of some calls `new` states the time before the first step, of others that of the whole call.
        let whole = name == "new" && at == 0 && *time > sum_after(at);
        way.push((name.clone(), if whole { time - sum_after(at) } else { *time }));
    }
    way
}

fn is_step(name: &str) -> bool {
    let steps = ["new", "ivr-connected", "parked", "connect", "connected", "on-hold", "hold-done"];
    let gaps = ["blind-transfer", "Transferred", "dequeued", "vt-transfer", "con-to-agent-error"];
    steps.contains(&name) || gaps.contains(&name)
}

/// The webhooks of it. `None` where no webhook tells of a step: it passes in silence.
fn what(name: &str) -> Option<What> {
    Some(match name {
        "new" => What::New,
        "parked" => What::Parked,
        "connect" => What::Connect,
        "connected" => What::Connected,
        "on-hold" => What::OnHold,
        "hold-done" => What::HoldDone,
        // The first agent is rid of the call, and writes it up.
        "blind-transfer" | "vt-transfer" => What::Agent(AgentState::WrapUp { code: None }),
        _ => return None,
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
    // A step of which no webhook tells counts as the one before it.
    let mut told: Vec<Recorded> = Vec::new();
    for (name, time) in way {
        match told.last_mut() {
            Some(before) if what(name).is_none() => before.1 += time,
            _ => told.push((name.clone(), *time)),
        }
    }
    let mut now = 0;
    let mut events = Vec::new();
    for (name, time) in &told {
        events.extend(what(name).map(|what| event(what, now)));
        now += time;
    }
    events.push(event(What::Ended(Ending::default()), now));
    let times = |wanted: &[&str]| {
        told.iter().filter(|(name, _)| wanted.contains(&name.as_str())).map(|one| one.1).collect::<Vec<_>>()
    };
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
