use proptest::prelude::*;

use super::*;
use crate::salesforce::{Failure, HttpAnswer, Operation, SalesforceApi, judge};

const SETTINGS: settings::Breaker = settings::Breaker {
    failures: 5,
    slow: Duration::from_secs(3),
    slow_calls: 5,
    pause: Duration::from_secs(1),
    longest_pause: Duration::from_secs(30),
    probes: 1,
};

/// The time of a request that has more of it than an answer may take.
const AMPLE: Duration = Duration::from_millis(4500);

fn breaker(settings: settings::Breaker) -> CircuitBreaker {
    CircuitBreaker::new(settings, Arc::new(Ids::new(7)))
}

/// Lets a request pass that takes no time.
fn ask(breaker: &CircuitBreaker, now: Instant, verdict: AnswerHealth) -> Option<BreakerChange> {
    breaker.try_pass(now, AMPLE).unwrap().done(now, verdict)
}

/// Fails until it opens and returns for how long.
fn break_it(breaker: &CircuitBreaker, now: Instant) -> Duration {
    loop {
        if let Some(BreakerChange::Opened { pause }) = ask(breaker, now, AnswerHealth::Bad) {
            return pause;
        }
    }
}

#[test]
fn five_failures_in_a_row_open_it_and_a_good_answer_between_them_starts_the_count_again() {
    let (breaker, now) = (breaker(SETTINGS), Instant::now());
    for verdict in
        [AnswerHealth::Bad; 4].into_iter().chain([AnswerHealth::Good]).chain([AnswerHealth::Bad; 4])
    {
        assert_eq!(ask(&breaker, now, verdict), None);
    }
    let Some(BreakerChange::Opened { pause }) = ask(&breaker, now, AnswerHealth::Bad) else {
        panic!("the fifth failure in a row opens it");
    };
    assert_eq!(breaker.try_pass(now, AMPLE).unwrap_err(), BreakerOpen { retry_after: pause });
    assert_eq!(breaker.state(), BreakerState::Open);
}

#[test]
fn five_slow_answers_in_a_row_open_it_though_failures_come_between() {
    let (breaker, start) = (breaker(SETTINGS), Instant::now());
    let late = start + Duration::from_millis(3001);
    for _ in 0..4 {
        assert_eq!(breaker.try_pass(start, AMPLE).unwrap().done(late, AnswerHealth::Good), None);
        assert_eq!(ask(&breaker, late, AnswerHealth::Bad), None);
    }
    let change = breaker.try_pass(start, AMPLE).unwrap().done(late, AnswerHealth::Good);
    assert!(matches!(change, Some(BreakerChange::Opened { .. })));
}

#[test]
fn after_the_pause_one_probe_passes_and_its_success_closes_it() {
    let (breaker, mut now) = (breaker(SETTINGS), Instant::now());
    now += break_it(&breaker, now);
    let probe = breaker.try_pass(now, AMPLE).unwrap();
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.try_pass(now, AMPLE).unwrap_err(), BreakerOpen { retry_after: SETTINGS.pause });
    assert_eq!(probe.done(now, AnswerHealth::Good), Some(BreakerChange::Closed));
    assert_eq!(ask(&breaker, now, AnswerHealth::Good), None);
}

#[test]
fn a_slow_probe_opens_it_again() {
    let (breaker, mut now) = (breaker(SETTINGS), Instant::now());
    now += break_it(&breaker, now);
    let probe = breaker.try_pass(now, AMPLE).unwrap();
    let change = probe.done(now + Duration::from_secs(4), AnswerHealth::Good);
    assert!(matches!(change, Some(BreakerChange::Opened { .. })));
}

#[test]
fn an_answer_that_is_late_for_a_request_with_little_time_is_no_sign_of_a_salesforce_that_is_ill() {
    let (breaker, now) = (breaker(SETTINGS), Instant::now());
    let late = |given: Duration| breaker.try_pass(now, given).unwrap().done(now + given, AnswerHealth::Late);
    for _ in 0..100 {
        assert_eq!(late(SETTINGS.slow - Duration::from_millis(1)), None);
    }
    // Those that had time enough count, whatever came between.
    for _ in 0..4 {
        assert_eq!(late(SETTINGS.slow), None);
        assert_eq!(late(Duration::from_millis(900)), None);
    }
    assert!(matches!(late(SETTINGS.slow), Some(BreakerChange::Opened { .. })));
}

#[test]
fn a_probe_with_little_time_that_hears_nothing_leaves_the_try_to_the_next() {
    let (breaker, mut now) = (breaker(SETTINGS), Instant::now());
    now += break_it(&breaker, now);
    assert!(breaker.wants_probe(now));
    let little = Duration::from_millis(900);
    assert_eq!(breaker.try_pass(now, little).unwrap().done(now + little, AnswerHealth::Late), None);
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert!(breaker.wants_probe(now));
    let change = breaker.try_pass(now, AMPLE).unwrap().done(now + AMPLE, AnswerHealth::Late);
    assert!(matches!(change, Some(BreakerChange::Opened { .. })));
}

#[test]
fn a_dropped_probe_frees_its_place_and_says_nothing() {
    let (breaker, mut now) = (breaker(SETTINGS), Instant::now());
    now += break_it(&breaker, now);
    drop(breaker.try_pass(now, AMPLE).unwrap());
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(ask(&breaker, now, AnswerHealth::Good), Some(BreakerChange::Closed));
}

#[test]
fn pauses_double_up_to_the_longest() {
    let (breaker, mut now) = (breaker(SETTINGS), Instant::now());
    let mut pause = break_it(&breaker, now);
    for seconds in [1, 2, 4, 8, 16, 30, 30, 30] {
        let whole = Duration::from_secs(seconds);
        assert!(pause >= whole * 4 / 5 && pause <= whole, "{pause:?} instead of {whole:?}");
        now += pause;
        let Some(BreakerChange::Opened { pause: next }) = ask(&breaker, now, AnswerHealth::Bad) else {
            panic!("a failed probe opens it again");
        };
        pause = next;
    }
}

#[test]
fn a_relapse_right_after_closing_goes_on_doubling_and_a_later_one_starts_again() {
    for (held, least) in [(0, 1600), (5, 800)] {
        let (breaker, mut now) = (breaker(SETTINGS), Instant::now());
        now += break_it(&breaker, now);
        assert_eq!(ask(&breaker, now, AnswerHealth::Good), Some(BreakerChange::Closed));
        let pause = break_it(&breaker, now + Duration::from_secs(held));
        let least = Duration::from_millis(least);
        assert!(pause >= least && pause <= least * 5 / 4, "{pause:?} after {held} s");
    }
}

#[test]
fn verdicts_on_requests_from_before_it_opened_count_no_more() {
    let (breaker, mut now) = (breaker(SETTINGS), Instant::now());
    let late: Vec<BreakerPermit<'_>> = (0..4).map(|_| breaker.try_pass(now, AMPLE).unwrap()).collect();
    now += break_it(&breaker, now);
    let probe = breaker.try_pass(now, AMPLE).unwrap();
    for (permit, verdict) in late.into_iter().zip([AnswerHealth::Good, AnswerHealth::Bad].into_iter().cycle())
    {
        assert_eq!(permit.done(now, verdict), None);
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    assert_eq!(breaker.try_pass(now, AMPLE).unwrap_err().retry_after, SETTINGS.pause);
    assert_eq!(probe.done(now, AnswerHealth::Good), Some(BreakerChange::Closed));
}

fn verdict(status: u16, body: &str) -> AnswerHealth {
    let answer = HttpAnswer { status, retry_after: None, html: body.starts_with('<'), body: body.into() };
    AnswerHealth::of_answer(&answer, &judge(SalesforceApi::Apex, Operation::Update, &answer))
}

#[test]
fn only_a_salesforce_that_is_not_there_is_ill() {
    for (status, body) in [
        (200, r#"{"status":"pending"}"#),
        (400, r#"[{"message":"m","errorCode":"UNABLE_TO_LOCK_ROW"}]"#),
        (400, r#"{"errors":["no such field"]}"#),
        (401, r#"[{"message":"m","errorCode":"INVALID_SESSION_ID"}]"#),
        (403, r#"[{"message":"m","errorCode":"REQUEST_LIMIT_EXCEEDED"}]"#),
        (404, ""),
        (429, ""),
        (302, ""),
    ] {
        assert_eq!(verdict(status, body), AnswerHealth::Good, "{status} {body}");
    }
    let exception = r#"[{"errorCode":"APEX_ERROR","message":"System.NullPointerException"}]"#;
    assert_eq!(
        verdict(500, exception),
        AnswerHealth::Good,
        "the org's own code failed at what one flow sent"
    );
    for (status, body) in
        [(500, ""), (502, ""), (503, "[]"), (504, ""), (408, ""), (200, "<html>Down</html>"), (200, "ok")]
    {
        assert_eq!(verdict(status, body), AnswerHealth::Bad, "{status} {body}");
    }
    assert_eq!(AnswerHealth::of_failure(&Failure::Late), Some(AnswerHealth::Late));
    let words = String::new;
    assert_eq!(
        AnswerHealth::of_failure(&Failure::Again { after: None, words: words() }),
        Some(AnswerHealth::Bad)
    );
    assert_eq!(
        AnswerHealth::of_failure(&Failure::Misconfigured { words: words() }),
        Some(AnswerHealth::Good)
    );
}

/// What happens to a breaker.
#[derive(Debug, Clone, Copy)]
enum BreakerStep {
    Pass,
    Wait(u64),
    /// The oldest permit ends: with a verdict, or without.
    End(Option<AnswerHealth>),
}

fn any_step() -> impl Strategy<Value = BreakerStep> {
    let end = prop::sample::select(vec![
        Some(AnswerHealth::Good),
        Some(AnswerHealth::Bad),
        Some(AnswerHealth::Late),
        None,
    ]);
    prop_oneof![3 => Just(BreakerStep::Pass), 1 => (0_u64..4000).prop_map(BreakerStep::Wait), 3 => end.prop_map(BreakerStep::End)]
}

proptest! {
    #[test]
    fn in_any_history_it_bounds_its_probes_and_keeps_its_promises(
        probes in 1_usize..4,
        steps in prop::collection::vec(any_step(), 1..400),
    ) {
        let breaker = breaker(settings::Breaker { probes, ..SETTINGS });
        let mut now = Instant::now();
        let mut open_until = now;
        let mut out = std::collections::VecDeque::new();
        for step in steps {
            match step {
                BreakerStep::Wait(milliseconds) => now += Duration::from_millis(milliseconds),
                BreakerStep::Pass => match breaker.try_pass(now, AMPLE) {
                    Ok(permit) => {
                        prop_assert!(now >= open_until, "passed while open");
                        out.push_back((permit, breaker.state()));
                    }
                    Err(BreakerOpen { retry_after }) => {
                        prop_assert!(breaker.state() != BreakerState::Closed);
                        prop_assert!(retry_after > Duration::ZERO && retry_after <= SETTINGS.longest_pause);
                    }
                },
                BreakerStep::End(verdict) => {
                    let Some((permit, _)) = out.pop_front() else { continue };
                    let change = verdict.and_then(|verdict| permit.done(now, verdict));
                    if let Some(BreakerChange::Opened { pause }) = change {
                        open_until = now + pause;
                        prop_assert!(pause >= SETTINGS.pause * 4 / 5 && pause <= SETTINGS.longest_pause);
                    }
                    if change.is_some() {
                        // Their verdicts count no more; what they are does not matter to the bound either.
                        for (_, passed_in) in &mut out {
                            *passed_in = BreakerState::Closed;
                        }
                    }
                }
            }
            let probing = out.iter().filter(|(_, passed_in)| *passed_in == BreakerState::HalfOpen).count();
            prop_assert!(probing <= probes, "{probing} probes");
        }
        // Whatever happened: once all have ended and the pause is over, one good answer closes it.
        out.clear();
        now += SETTINGS.longest_pause;
        ask(&breaker, now, AnswerHealth::Good);
        prop_assert_eq!(breaker.state(), BreakerState::Closed);
    }
}
