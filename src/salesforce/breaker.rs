//! The circuit breaker: a Salesforce that does not answer gets no requests for a while, so that no caller waits for it.
//!
//! One per org and API. Closed, everything passes; consecutive failures or slow answers open it. Open, nothing passes until a
//! pause is over, which doubles each time up to the longest. Then, half-open, a few requests probe; the first good answer
//! closes it, anything else opens it again. What a request from before a change of state found counts no more.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{AnswerOutcome, Failure, HttpAnswer};
use crate::ids::Ids;
use crate::jitter::between;
use crate::settings;

/// The breaker of one org and API, shared by all workers.
#[derive(Debug)]
pub struct CircuitBreaker {
    machine: Mutex<BreakerMachine>,
    ids: Arc<Ids>,
}

/// The state of a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes; once its pause is over, the next request is a probe.
    Open,
    /// Probes are in flight.
    HalfOpen,
}

impl BreakerState {
    /// The name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// What an operator wants to know of a breaker.
#[derive(Debug, Clone, Copy)]
pub struct BreakerView {
    /// The state.
    pub state: BreakerState,
    /// For how long it is closed again, or not closed; none as long as that has never changed.
    pub since: Option<Duration>,
    /// Where it is open: how long nobody is let through yet.
    pub pause: Option<Duration>,
}

/// A change of state, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerChange {
    /// No more requests are sent.
    Opened {
        /// For so long.
        pause: Duration,
    },
    /// Salesforce answers again.
    Closed,
}

/// The refusal of an open breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it did not answer lately and is left alone for a moment")]
pub struct BreakerOpen {
    /// When to try again.
    pub retry_after: Duration,
}

impl CircuitBreaker {
    /// A closed one. `ids` gives the jitter of its pauses.
    pub fn new(settings: settings::Breaker, ids: Arc<Ids>) -> Self {
        Self { machine: Mutex::new(BreakerMachine::new(settings)), ids }
    }

    /// Replaces the settings; the state does not change.
    pub fn adopt(&self, settings: settings::Breaker) {
        self.machine().adopt(settings);
    }

    /// Lets a request pass that has `given` time for its answer. The holder of a permit reports the health of the answer,
    /// or drops the permit.
    ///
    /// # Errors
    /// While it is open, or as many probes are under way as may be.
    pub fn try_pass(&self, now: Instant, given: Duration) -> Result<BreakerPermit<'_>, BreakerOpen> {
        let passed = self.machine().pass(now, given);
        match passed {
            Ok(ticket) => Ok(BreakerPermit { breaker: self, ticket, settled: false }),
            Err(retry_after) => Err(BreakerOpen { retry_after }),
        }
    }

    /// The state.
    pub fn state(&self) -> BreakerState {
        self.machine().state()
    }

    /// What an operator wants to know of it.
    pub fn view(&self, now: Instant) -> BreakerView {
        let machine = self.machine();
        let pause = match machine.phase {
            BreakerPhase::Open { until } => Some(until.saturating_duration_since(now)),
            BreakerPhase::Closed { .. } | BreakerPhase::HalfOpen { .. } => None,
        };
        let since = machine.since.map(|since| now.saturating_duration_since(since));
        BreakerView { state: machine.state(), since, pause }
    }

    /// Whether it is open, and its pause not over yet.
    pub fn pauses(&self, now: Instant) -> bool {
        self.machine().pauses(now)
    }

    /// Whether a request that passes now would be a probe.
    pub fn wants_probe(&self, now: Instant) -> bool {
        self.machine().wants_probe(now)
    }

    /// No code panics while it holds the lock; if it did, the state would still be valid.
    fn machine(&self) -> MutexGuard<'_, BreakerMachine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pass of one request. Dropped without a report, as by a cancelled request, it has no effect, and the place of a
/// probe is free again.
#[derive(Debug)]
#[must_use = "a permit dropped at once guards nothing"]
pub struct BreakerPermit<'a> {
    breaker: &'a CircuitBreaker,
    ticket: BreakerTicket,
    settled: bool,
}

impl BreakerPermit<'_> {
    /// Reports the health of the answer. A good one that came later than the setting `slow` after the pass counts as
    /// slow.
    pub fn done(mut self, now: Instant, verdict: AnswerHealth) -> Option<BreakerChange> {
        self.settled = true;
        let jitter = self.breaker.ids.fraction();
        self.breaker.machine().settle(self.ticket, now, verdict, jitter)
    }
}

impl Drop for BreakerPermit<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.breaker.machine().release(self.ticket);
        }
    }
}

/// The state with its data.
#[derive(Debug, Clone, Copy)]
enum BreakerPhase {
    /// Everything passes. `since`: its last closing, if it was ever open.
    Closed { since: Option<Instant> },
    /// Nothing passes.
    Open { until: Instant },
    /// A few requests probe Salesforce.
    HalfOpen { probes: usize },
}

/// The data of a request from its pass to its report.
#[derive(Debug, Clone, Copy)]
struct BreakerTicket {
    /// The era in which it passed. A report of an earlier era has no effect.
    era: u64,
    passed: Instant,
    /// The time for its answer.
    given: Duration,
}

#[derive(Debug)]
struct BreakerMachine {
    settings: settings::Breaker,
    phase: BreakerPhase,
    /// When it was last closed, or opened after it was closed.
    since: Option<Instant>,
    /// Failures since the last good answer.
    failures: usize,
    /// Slow answers since the last good one.
    slow: usize,
    /// Openings without a lasting recovery in between.
    openings: u32,
    /// The last pause, without jitter.
    pause: Duration,
    /// Counts the changes of phase.
    era: u64,
}

impl BreakerMachine {
    fn new(settings: settings::Breaker) -> Self {
        Self {
            settings,
            phase: BreakerPhase::Closed { since: None },
            since: None,
            failures: 0,
            slow: 0,
            openings: 0,
            pause: Duration::ZERO,
            era: 0,
        }
    }

    fn adopt(&mut self, settings: settings::Breaker) {
        self.settings = settings;
    }

    fn state(&self) -> BreakerState {
        match self.phase {
            BreakerPhase::Closed { .. } => BreakerState::Closed,
            BreakerPhase::Open { .. } => BreakerState::Open,
            BreakerPhase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether the pause of an opening is not over yet.
    fn pauses(&self, now: Instant) -> bool {
        matches!(self.phase, BreakerPhase::Open { until } if now < until)
    }

    /// Whether the next request that passes would be a probe.
    fn wants_probe(&self, now: Instant) -> bool {
        match self.phase {
            BreakerPhase::Closed { .. } => false,
            BreakerPhase::Open { until } => now >= until,
            BreakerPhase::HalfOpen { probes } => probes < self.settings.probes,
        }
    }

    /// Lets a request pass that has `given` time for its answer, or returns when to try again.
    fn pass(&mut self, now: Instant, given: Duration) -> Result<BreakerTicket, Duration> {
        match &mut self.phase {
            BreakerPhase::Closed { .. } => {}
            BreakerPhase::Open { until } if now < *until => return Err(until.saturating_duration_since(now)),
            BreakerPhase::Open { .. } => self.enter(BreakerPhase::HalfOpen { probes: 1 }),
            BreakerPhase::HalfOpen { probes } if *probes >= self.settings.probes => {
                return Err(self.settings.pause);
            }
            BreakerPhase::HalfOpen { probes } => *probes += 1,
        }
        Ok(BreakerTicket { era: self.era, passed: now, given })
    }

    /// Takes the report on a request that passed. `jitter` in [0, 1) shortens a pause by up to a fifth.
    fn settle(
        &mut self,
        ticket: BreakerTicket,
        now: Instant,
        verdict: AnswerHealth,
        jitter: f64,
    ) -> Option<BreakerChange> {
        if ticket.era != self.era {
            return None;
        }
        let slow = now.saturating_duration_since(ticket.passed) > self.settings.slow;
        match (self.phase, verdict) {
            (BreakerPhase::Open { .. }, _) => None,
            // A budget shorter than `slow` that ran out does not show that Salesforce is slow.
            (_, AnswerHealth::Late) if ticket.given < self.settings.slow => {
                self.release(ticket);
                None
            }
            (BreakerPhase::HalfOpen { .. }, AnswerHealth::Good) if !slow => Some(self.close(now)),
            (BreakerPhase::HalfOpen { .. }, _) => Some(self.open(now, jitter)),
            (BreakerPhase::Closed { .. }, AnswerHealth::Good) if !slow => {
                (self.failures, self.slow) = (0, 0);
                None
            }
            (BreakerPhase::Closed { since }, _) => {
                match verdict {
                    AnswerHealth::Bad | AnswerHealth::Late => self.failures += 1,
                    AnswerHealth::Good => self.slow += 1,
                }
                if self.failures < self.settings.failures && self.slow < self.settings.slow_calls {
                    return None;
                }
                // A breaker closed for as long as its last pause had recovered, so pauses grow from the shortest again.
                if since.is_some_and(|since| now.saturating_duration_since(since) >= self.pause) {
                    self.openings = 0;
                }
                Some(self.open(now, jitter))
            }
        }
    }

    /// Takes back the pass of a request that ended without a report.
    fn release(&mut self, ticket: BreakerTicket) {
        if let BreakerPhase::HalfOpen { probes } = &mut self.phase
            && ticket.era == self.era
        {
            *probes = probes.saturating_sub(1);
        }
    }

    fn open(&mut self, now: Instant, jitter: f64) -> BreakerChange {
        let doubled = 1_u32.checked_shl(self.openings).unwrap_or(u32::MAX);
        self.openings = self.openings.saturating_add(1);
        self.pause = self.settings.pause.saturating_mul(doubled).min(self.settings.longest_pause);
        let pause = between(self.pause * 4 / 5, self.pause, jitter);
        if matches!(self.phase, BreakerPhase::Closed { .. }) {
            self.since = Some(now);
        }
        self.enter(BreakerPhase::Open { until: now + pause });
        BreakerChange::Opened { pause }
    }

    fn close(&mut self, now: Instant) -> BreakerChange {
        self.since = Some(now);
        self.enter(BreakerPhase::Closed { since: Some(now) });
        BreakerChange::Closed
    }

    fn enter(&mut self, phase: BreakerPhase) {
        self.phase = phase;
        (self.failures, self.slow) = (0, 0);
        self.era = self.era.wrapping_add(1);
    }
}

/// Error codes of a healthy org: a row is locked, the org has used up its requests, or its own code failed at the data of
/// one flow.
const WELL: [&str; 3] = ["UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "APEX_ERROR"];

/// The health of Salesforce by one answer, which is not the outcome of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerHealth {
    /// It answered, also with a refusal. If that took long, the breaker counts it as slow.
    Good,
    /// It cannot be reached, or answered that it is unavailable.
    Bad,
    /// It did not answer in the time of the request. That is bad only if the request had as much time as an answer may
    /// take.
    Late,
}

impl AnswerHealth {
    /// By an answer and its outcome. A limit (429) is no fault: it pauses creates and opens no breaker.
    pub fn of_answer(answer: &HttpAnswer, outcome: &AnswerOutcome) -> Self {
        match outcome {
            AnswerOutcome::Again { words, .. } => {
                let well = answer.status == 429 || WELL.iter().any(|code| words.contains(code));
                if well { Self::Good } else { Self::Bad }
            }
            AnswerOutcome::Unknown { .. } => Self::Bad,
            AnswerOutcome::Done(_)
            | AnswerOutcome::Reauthenticate { .. }
            | AnswerOutcome::Refused { .. }
            | AnswerOutcome::Misconfigured { .. } => Self::Good,
        }
    }

    /// By a failure without an answer: a fault of the connection, or a login without a session. None where nothing was
    /// sent.
    pub fn of_failure(failure: &Failure) -> Option<Self> {
        match failure {
            Failure::Again { .. } | Failure::Unanswered { .. } => Some(Self::Bad),
            Failure::Late => Some(Self::Late),
            Failure::Refused { .. } | Failure::Misconfigured { .. } => Some(Self::Good),
            Failure::NotAsked { .. } | Failure::NoTime => None,
        }
    }
}

#[cfg(test)]
mod tests {
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
        let late =
            |given: Duration| breaker.try_pass(now, given).unwrap().done(now + given, AnswerHealth::Late);
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
    fn an_unanswered_probe_with_little_time_leaves_the_probe_to_the_next() {
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
    fn a_dropped_probe_frees_its_slot_and_decides_nothing() {
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
        for (permit, verdict) in
            late.into_iter().zip([AnswerHealth::Good, AnswerHealth::Bad].into_iter().cycle())
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
}
