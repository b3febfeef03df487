//! The circuit breaker: a Salesforce that does not answer gets no requests for a while, so that no caller waits for it.
//!
//! One per org and API. Closed, everything passes; consecutive failures or slow answers open it. Open, nothing passes until a
//! pause is over, which doubles each time up to the longest. Then, half-open, a few requests probe; the first good answer
//! closes it, anything else opens it again. What a request from before a change of state found counts no more.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{AnswerOutcome, Failure, HttpAnswer};
use crate::ids::Ids;
use crate::jitter::between;
use crate::settings;

/// The breaker of one org and way, shared by all workers.
#[derive(Debug)]
pub struct Breaker {
    machine: Mutex<BreakerMachine>,
    ids: Arc<Ids>,
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes; once its pause is over, the next request is a probe.
    Open,
    /// Probes are on their way.
    HalfOpen,
}

/// What a verdict changed, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerChange {
    /// Salesforce is left alone.
    Opened {
        /// For so long.
        pause: Duration,
    },
    /// Salesforce is back.
    Closed,
}

/// The refusal of a breaker that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it did not answer lately and is left alone for a moment")]
pub struct BreakerOpen {
    /// After how long to ask again.
    pub retry_after: Duration,
}

impl Breaker {
    /// A closed one. `ids` is where the jitter of its pauses comes from.
    pub fn new(settings: settings::Breaker, ids: Arc<Ids>) -> Self {
        Self { machine: Mutex::new(BreakerMachine::new(settings)), ids }
    }

    /// Goes by other settings from now on; where it stands does not change.
    pub fn adopt(&self, settings: settings::Breaker) {
        self.machine().adopt(settings);
    }

    /// Lets a request pass that has so much time for its answer. Whoever got a permit gives it a verdict, or drops it.
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

    /// Where it stands.
    pub fn state(&self) -> BreakerState {
        self.machine().state()
    }

    /// Whether it is open, and its pause not over yet.
    pub fn pauses(&self, now: Instant) -> bool {
        self.machine().pauses(now)
    }

    /// Whether a request that passes now would try if Salesforce is back.
    pub fn wants_probe(&self, now: Instant) -> bool {
        self.machine().wants_probe(now)
    }

    /// Nothing panics under the lock; if it did, the machine would still be a valid one.
    fn machine(&self) -> MutexGuard<'_, BreakerMachine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pass of one request. Dropped without a verdict, as by a cancelled request, it counts for nothing, and a
/// probe's place is free again.
#[derive(Debug)]
#[must_use = "a permit dropped at once guards nothing"]
pub struct BreakerPermit<'a> {
    breaker: &'a Breaker,
    ticket: BreakerTicket,
    settled: bool,
}

impl BreakerPermit<'_> {
    /// Gives the verdict. A good one that came later than the setting `slow` after the pass counts as slow.
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

/// Where the machine stands.
#[derive(Debug, Clone, Copy)]
enum BreakerPhase {
    /// Everything passes. `since` its last closing, if it was ever open.
    Closed { since: Option<Instant> },
    /// Nothing passes.
    Open { until: Instant },
    /// A few requests try whether Salesforce is back.
    HalfOpen { probes: usize },
}

/// What a request carries from its pass to its verdict.
#[derive(Debug, Clone, Copy)]
struct BreakerTicket {
    /// The era it passed in. A verdict on an earlier one says nothing about this one.
    era: u64,
    passed: Instant,
    /// The time that is left for its answer.
    given: Duration,
}

#[derive(Debug)]
struct BreakerMachine {
    settings: settings::Breaker,
    phase: BreakerPhase,
    /// Failures since the last good answer.
    failures: usize,
    /// Slow answers since the last good one.
    slow: usize,
    /// Openings without a lasting recovery in between.
    openings: u32,
    /// The last pause, before chance took a part of it.
    pause: Duration,
    /// Counts the changes of phase.
    era: u64,
}

impl BreakerMachine {
    fn new(settings: settings::Breaker) -> Self {
        Self {
            settings,
            phase: BreakerPhase::Closed { since: None },
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

    /// Lets a request pass that has so much time for its answer, or says after how long to ask again.
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

    /// Takes the verdict on a request that passed. `jitter` in [0, 1) shortens a pause by up to a fifth.
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
            // Another answer might still have come in a time that is not slow.
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
                // It held as long as it had been shut out before: an honest recovery, and this a new trouble.
                if since.is_some_and(|since| now.saturating_duration_since(since) >= self.pause) {
                    self.openings = 0;
                }
                Some(self.open(now, jitter))
            }
        }
    }

    /// Takes back the pass of a request that ended without a verdict.
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
        self.enter(BreakerPhase::Open { until: now + pause });
        BreakerChange::Opened { pause }
    }

    fn close(&mut self, now: Instant) -> BreakerChange {
        self.enter(BreakerPhase::Closed { since: Some(now) });
        BreakerChange::Closed
    }

    fn enter(&mut self, phase: BreakerPhase) {
        self.phase = phase;
        (self.failures, self.slow) = (0, 0);
        self.era = self.era.wrapping_add(1);
    }
}

/// Codes of an org that is well: a row is locked by somebody else, the org has used up its requests, or its own code
/// failed at what one flow sent.
const WELL: [&str; 3] = ["UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "APEX_ERROR"];

/// What an exchange says about Salesforce's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerHealth {
    /// It answered, a refusal too. If it took long, the breaker counts it as slow.
    Good,
    /// It cannot be reached, or answered that it is not there.
    Bad,
    /// It did not answer in the time that the request had. That is bad only if the request had as much time as an answer
    /// may take: whoever comes with little is no sign of a Salesforce that is ill.
    Late,
}

impl AnswerHealth {
    /// Of an answer and what it means. A limit (429) is no illness: it pauses creates and opens nothing.
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

    /// Of what came without an answer that could be judged: a fault on the way, or a login that gave no session. None
    /// where Salesforce was not asked.
    pub fn of_failure(failure: &Failure) -> Option<Self> {
        match failure {
            Failure::Again { .. } | Failure::Unanswered { .. } => Some(Self::Bad),
            Failure::Late => Some(Self::Late),
            Failure::Refused { .. } | Failure::Misconfigured { .. } => Some(Self::Good),
            Failure::NotAsked { .. } | Failure::NoTime => None,
        }
    }
}
