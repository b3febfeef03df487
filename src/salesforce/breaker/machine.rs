//! The circuit breaker as a machine of states: no lock, no clock, no chance of its own.

use std::time::Duration;

use tokio::time::Instant;

use super::{AnswerHealth, BreakerChange, BreakerState};
use crate::jitter::between;
use crate::settings;

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
pub(super) struct BreakerTicket {
    /// The era it passed in. A verdict on an earlier one says nothing about this one.
    era: u64,
    passed: Instant,
    /// The time that is left for its answer.
    given: Duration,
}

#[derive(Debug)]
pub(super) struct BreakerMachine {
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
    pub(super) fn new(settings: settings::Breaker) -> Self {
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

    pub(super) fn adopt(&mut self, settings: settings::Breaker) {
        self.settings = settings;
    }

    pub(super) fn state(&self) -> BreakerState {
        match self.phase {
            BreakerPhase::Closed { .. } => BreakerState::Closed,
            BreakerPhase::Open { .. } => BreakerState::Open,
            BreakerPhase::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    /// Whether the pause of an opening is not over yet.
    pub(super) fn pauses(&self, now: Instant) -> bool {
        matches!(self.phase, BreakerPhase::Open { until } if now < until)
    }

    /// Whether the next request that passes would be a probe.
    pub(super) fn wants_probe(&self, now: Instant) -> bool {
        match self.phase {
            BreakerPhase::Closed { .. } => false,
            BreakerPhase::Open { until } => now >= until,
            BreakerPhase::HalfOpen { probes } => probes < self.settings.probes,
        }
    }

    /// Lets a request pass that has so much time for its answer, or says after how long to ask again.
    pub(super) fn pass(&mut self, now: Instant, given: Duration) -> Result<BreakerTicket, Duration> {
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
    pub(super) fn settle(
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
    pub(super) fn release(&mut self, ticket: BreakerTicket) {
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
