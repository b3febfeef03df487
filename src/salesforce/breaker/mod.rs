//! The circuit breaker: a Salesforce that does not answer is left alone for a while, so that no caller waits for it.
//!
//! One per org and way. Closed, everything passes; consecutive failures or slow answers open it. Open, nothing
//! passes until a pause is over, which doubles each time up to the longest. Then, half-open, a few requests try;
//! the first good answer closes it, anything else opens it again. Verdicts on requests from before a change
//! count no more.

mod machine;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use self::machine::{BreakerMachine, BreakerTicket};
use crate::ids::Ids;
use crate::settings;

pub use verdict::AnswerHealth;

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
    #[must_use]
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
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.machine().state()
    }

    /// Whether it is open, and its pause not over yet.
    #[must_use]
    pub fn pauses(&self, now: Instant) -> bool {
        self.machine().pauses(now)
    }

    /// Whether a request that passes now would try if Salesforce is back.
    #[must_use]
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
