use proptest::prelude::*;

use super::Continues::{Earlier, Itself, Unsaid};
use super::*;
use crate::domain::{CallCenterName, CallId, VendorCallKey, VoiceCallId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn run(began: i64, answered: Option<i64>) -> Run {
    Run { began: at(began), is_later: false, answered_at: answered.map(at), is_over: false }
}

#[test]
fn another_time_is_another_voice_call_only_after_an_agent_or_by_word() {
    let fresh = [run(0, None)];
    let answered = [run(0, Some(20))];
    let over = [Run { is_over: true, ..run(0, Some(20)) }];
    let twice = [run(0, Some(20)), Run { is_later: true, ..run(60, None) }];
    let thrice = [run(0, Some(20)), Run { is_later: true, ..run(60, Some(80)) }];
    for (runs, began, says, wanted) in [
        (&[][..], 0, Unsaid, Place::New),
        (&fresh, 0, Unsaid, Place::Of(0)),
        (&fresh, 5, Unsaid, Place::Of(0)),
        (&fresh, -5, Unsaid, Place::Of(0)),
        (&fresh, 5, Itself, Place::New),
        (&fresh, 0, Itself, Place::Of(0)),
        (&fresh, 0, Earlier, Place::New),
        (&answered, 0, Unsaid, Place::Of(0)),
        (&answered, 19, Unsaid, Place::Of(0)),
        (&answered, 20, Unsaid, Place::New),
        (&answered, 60, Unsaid, Place::New),
        (&over, 60, Unsaid, Place::Of(0)),
        (&over, 60, Itself, Place::New),
        (&twice, 60, Unsaid, Place::Of(1)),
        (&twice, 60, Earlier, Place::Of(1)),
        (&twice, 70, Unsaid, Place::Of(1)),
        (&twice, 30, Unsaid, Place::Of(0)),
        (&thrice, 90, Unsaid, Place::New),
    ] {
        assert_eq!(place(runs, at(began), says), wanted, "{runs:?} {began} {says:?}");
    }
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
        claimed_until: None,
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

#[test]
fn a_call_continues_the_newest_record_before_it_and_none_of_those_after() {
    let first = call(named(None), Some(0), Some("0LQ5g000000abcD"));
    let second = call(named(Some(60)), Some(60), None);
    let third = call(named(Some(90)), Some(90), Some("0LQ5g000000abcE"));
    let calls = [first, second, third];
    let parent = |began| parent_of(&calls, &named(began)).map(|call| call.name.clone());
    assert_eq!(parent(Some(60)), Some(named(None)));
    assert_eq!(parent(Some(90)), Some(named(None)), "the second has no record");
    assert_eq!(parent(Some(120)), Some(named(Some(90))));
    assert_eq!(parent_of(&calls[1..2], &named(Some(90))), None);
    let nameless = calls.iter().map(|call| is_nameless(&calls, call)).collect::<Vec<_>>();
    assert_eq!(nameless, [false, true, false]);
    assert!(!is_nameless(&calls[1..2], &calls[1]), "its key is its own");
}

#[test]
fn a_moment_belongs_to_the_call_that_had_begun() {
    let calls = [call(named(None), None, None), call(named(Some(60)), None, None)];
    let began = |second| call_at(&calls, at(second)).and_then(Call::began);
    assert_eq!([0, 59, 60, 99].map(began), [None, None, Some(at(60)), Some(at(60))]);
    assert_eq!(call_at(&calls[1..], at(0)), Some(&calls[1]));
}

/// An interaction: a create of a flow run, or an agent who takes the newest one, some seconds after what came before.
fn any_history() -> impl Strategy<Value = Vec<(bool, i64)>> {
    prop::collection::vec((any::<bool>(), 1_i64..100), 1..20)
}

/// Plays it; gives the VoiceCalls, and for each create its time and the VoiceCall that it got.
fn play(history: &[(bool, i64)]) -> (Vec<Run>, Vec<(Timestamp, usize)>) {
    let (mut runs, mut creates, mut now): (Vec<Run>, _, _) = (Vec::new(), Vec::new(), 0);
    for (creates_one, later) in history {
        now += later;
        match runs.last_mut() {
            Some(newest) if !creates_one => newest.answered_at = newest.answered_at.or(Some(at(now))),
            newest => {
                let is_later = newest.is_some();
                let got = match place(&runs, at(now), Unsaid) {
                    Place::Of(one) => one,
                    Place::New => {
                        runs.push(Run { is_later, ..run(now, None) });
                        runs.len() - 1
                    }
                };
                creates.push((at(now), got));
            }
        }
    }
    (runs, creates)
}

proptest! {
    #[test]
    fn the_same_time_never_makes_a_second_record(history in any_history(), says in prop::sample::select(&[Unsaid, Itself][..])) {
        let (runs, _) = play(&history);
        for (place_of, run) in runs.iter().enumerate() {
            prop_assert_eq!(place(&runs, run.began, says), Place::Of(place_of));
        }
    }

    #[test]
    fn a_repetition_gets_what_the_create_got_whatever_has_happened_since(history in any_history(), until in 1_usize..20) {
        let (runs, _) = play(&history);
        let (_, before) = play(&history[..until.min(history.len())]);
        for (began, got) in before {
            // One that joined a call before its agent had it can be taken for one that came after.
            if runs[got].began == began {
                prop_assert_eq!(place(&runs, began, Unsaid), Place::Of(got));
            }
        }
    }

    #[test]
    fn each_voice_call_but_the_last_was_answered_before_the_next_began(history in any_history()) {
        let (runs, _) = play(&history);
        for pair in runs.windows(2) {
            prop_assert!(pair[0].answered_at.is_some_and(|at| at <= pair[1].began));
            prop_assert!(pair[0].began < pair[1].began);
        }
    }

    #[test]
    fn without_an_agent_there_is_one_voice_call(times in prop::collection::vec(-1000_i64..1000, 1..20)) {
        let first = [run(times[0], None)];
        for time in times {
            prop_assert_eq!(place(&first, at(time), Unsaid), Place::Of(0));
        }
    }
}
