use proptest::prelude::*;

use super::Continuation::{Earlier, Itself, NotStated};
use super::*;
use crate::domain::{CallCenterName, CallId, VendorCallKey, VoiceCallId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn call(name: CallName, start: Option<i64>, id: Option<&str>) -> Call {
    Call {
        id: CallId(1),
        name,
        voice_call_id: id.map(|id| VoiceCallId::parse(id).unwrap()),
        fingerprint: None,
        start_time: start.map(at),
        created_at: None,
        create_unknown_at: None,
        deferred_at: None,
        routed_at: None,
        answered_at: None,
        answered_by: None,
        ended_at: None,
        closed_at: None,
        create_lease_until: None,
        create_body: None,
        updated_at: at(0),
    }
}

fn named(began: Option<i64>) -> CallName {
    let (center, key) = (CallCenterName::parse("Sales").unwrap(), VendorCallKey::parse("wxcc_1").unwrap());
    match began {
        Some(began) => CallName::later_run(center, key, at(began)),
        None => CallName::new(center, key, None),
    }
}

/// A VoiceCall that a create has told of; the first of a key has a name without its beginning.
fn run(began: i64, answered: Option<i64>, is_later: bool) -> Call {
    Call {
        id: CallId(began + 10_000),
        fingerprint: Some(Fingerprint([1; 32])),
        answered_at: answered.map(at),
        ..call(named(is_later.then_some(began)), Some(began), None)
    }
}

fn interaction(calls: &[Call]) -> Interaction {
    Interaction::new(calls.to_vec(), CallTimeline::default(), |_| Fingerprint([0; 32]))
}

/// When the VoiceCall began to which a create belongs; none where it is another one.
fn place(calls: &[Call], began: i64, says: Continuation) -> Option<Timestamp> {
    match interaction(calls).place(at(began), says) {
        CreatePlacement::Existing(call) => call.began(),
        CreatePlacement::First | CreatePlacement::New => None,
    }
}

#[test]
fn another_time_is_another_voice_call_only_after_an_agent_or_by_word() {
    let fresh = [run(0, None, false)];
    let answered = [run(0, Some(20), false)];
    let over = [Call { ended_at: Some(at(30)), ..run(0, Some(20), false) }];
    let twice = [run(0, Some(20), false), run(60, None, true)];
    let thrice = [run(0, Some(20), false), run(60, Some(80), true)];
    for (calls, began, says, wanted) in [
        (&[][..], 0, NotStated, None),
        (&fresh, 0, NotStated, Some(0)),
        (&fresh, 5, NotStated, Some(0)),
        (&fresh, -5, NotStated, Some(0)),
        (&fresh, 5, Itself, None),
        (&fresh, 0, Itself, Some(0)),
        (&fresh, 0, Earlier, None),
        (&answered, 0, NotStated, Some(0)),
        (&answered, 19, NotStated, Some(0)),
        (&answered, 20, NotStated, None),
        (&answered, 60, NotStated, None),
        (&over, 60, NotStated, Some(0)),
        (&over, 60, Itself, None),
        (&twice, 60, NotStated, Some(60)),
        (&twice, 60, Earlier, Some(60)),
        (&twice, 70, NotStated, Some(60)),
        (&twice, 30, NotStated, Some(0)),
        (&thrice, 90, NotStated, None),
    ] {
        assert_eq!(place(calls, began, says), wanted.map(at), "{calls:?} {began} {says:?}");
    }
    assert_eq!(interaction(&[]).place(at(0), NotStated), CreatePlacement::First);
    let untold = Call { fingerprint: None, ..run(0, None, false) };
    assert_eq!(
        interaction(&[untold]).place(at(0), NotStated),
        CreatePlacement::First,
        "no create has told of it"
    );
}

#[test]
fn a_call_continues_the_newest_record_before_it_and_none_of_those_after() {
    let first = call(named(None), Some(0), Some("0LQ5g000000abcD"));
    let second = call(named(Some(60)), Some(60), None);
    let third = call(named(Some(90)), Some(90), Some("0LQ5g000000abcE"));
    let calls = [first, second, third];
    let (all, alone) = (interaction(&calls), interaction(&calls[1..2]));
    let parent = |began| all.parent_of(&named(began)).map(|call| call.name.clone());
    assert_eq!(parent(Some(60)), Some(named(None)));
    assert_eq!(parent(Some(90)), Some(named(None)), "the second has no record");
    assert_eq!(parent(Some(120)), Some(named(Some(90))));
    assert_eq!(alone.parent_of(&named(Some(90))), None);
    assert_eq!(
        all.calls().iter().map(|call| all.lacks_reference(call)).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert!(!alone.lacks_reference(&calls[1]), "its key is its own");
}

#[test]
fn a_moment_belongs_to_the_call_that_had_begun() {
    let calls = [call(named(None), None, None), call(named(Some(60)), None, None)];
    let began = |second| interaction(&calls).at(at(second)).and_then(Call::began);
    assert_eq!([0, 59, 60, 99].map(began), [None, None, Some(at(60)), Some(at(60))]);
    assert_eq!(interaction(&calls[1..]).at(at(0)), Some(&calls[1]));
}

/// An interaction: a create of a flow run, or an agent who takes the newest one, some seconds after what came before.
fn any_history() -> impl Strategy<Value = Vec<(bool, i64)>> {
    prop::collection::vec((any::<bool>(), 1_i64..100), 1..20)
}

/// Plays it; gives the VoiceCalls, and for each create its time and when the VoiceCall began that it got.
fn play(history: &[(bool, i64)]) -> (Vec<Call>, Vec<(i64, Timestamp)>) {
    let (mut calls, mut creates, mut now): (Vec<Call>, _, _) = (Vec::new(), Vec::new(), 0);
    for (creates_one, later) in history {
        now += later;
        match calls.last_mut() {
            Some(newest) if !creates_one => newest.answered_at = newest.answered_at.or(Some(at(now))),
            newest => {
                let is_later = newest.is_some();
                let got = place(&calls, now, NotStated);
                if got.is_none() {
                    calls.push(run(now, None, is_later));
                }
                creates.push((now, got.unwrap_or(at(now))));
            }
        }
    }
    (calls, creates)
}

proptest! {
    #[test]
    fn the_same_time_never_makes_a_second_record(history in any_history(), says in prop::sample::select(&[NotStated, Itself][..])) {
        let (calls, _) = play(&history);
        let interaction = interaction(&calls);
        for call in &calls {
            prop_assert_eq!(interaction.place(call.began().unwrap(), says), CreatePlacement::Existing(call));
        }
    }

    #[test]
    fn a_repetition_gets_what_the_create_got_whatever_has_happened_since(history in any_history(), until in 1_usize..20) {
        let (calls, _) = play(&history);
        let (_, before) = play(&history[..until.min(history.len())]);
        for (began, got) in before {
            // One that joined a call before its agent had it can be taken for one that came after.
            if got == at(began) {
                prop_assert_eq!(place(&calls, began, NotStated), Some(got));
            }
        }
    }

    #[test]
    fn each_voice_call_but_the_last_was_answered_before_the_next_began(history in any_history()) {
        let (calls, _) = play(&history);
        for pair in calls.windows(2) {
            prop_assert!(pair[0].answered_at.is_some_and(|at| Some(at) <= pair[1].began()));
            prop_assert!(pair[0].began() < pair[1].began());
        }
    }

    #[test]
    fn without_an_agent_there_is_one_voice_call(times in prop::collection::vec(-1000_i64..1000, 1..20)) {
        let first = [run(times[0], None, false)];
        for &time in &times {
            prop_assert_eq!(place(&first, time, NotStated), Some(at(times[0])));
        }
    }
}
