//! When an entry is tried again, and when no more: a pure decision.

use std::time::Duration;

use jiff::Timestamp;

use crate::jitter::between;
use crate::settings;

/// What becomes of an entry after an attempt that came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is tried again at this moment.
    At(Timestamp),
    /// It has had its time and is buried.
    GiveUp,
}

/// What an attempt may take beside its pause: its own time, and that of the worker to wake up.
const OVERHEAD: Duration = Duration::from_secs(settings::Outbox::ATTEMPT.as_secs() + 1);
/// The longest pause that Salesforce can ask for.
const MOST_ASKED: Duration = Duration::from_secs(3600);

/// The pauses between attempts, and their end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pauses: Vec<Duration>,
    give_up_after: Duration,
}

impl Schedule {
    /// As configured.
    #[must_use]
    pub fn new(settings: &settings::Outbox) -> Self {
        Self { pauses: settings.schedule.clone(), give_up_after: settings.give_up_after }
    }

    /// Decides after `attempts` attempts on an entry made at `created_at`.
    ///
    /// - An entry that was never tried is due at once, however old it is: nobody gives up on what he did not try.
    /// - A pause differs by up to a tenth from the list, by `jitter` in [0, 1).
    /// - `retry_after`, as Salesforce asked, is never undercut.
    /// - A pause that would pass the end is cut, so that the last attempt falls on the end itself; a `retry_after`
    ///   that passes it is not cut, and there is no further attempt.
    /// - The clock alone does not age an entry: it is never older than the slowest schedule makes it by so many attempts.
    ///   So one that was tried once is not given up because the clock jumped, or the service stood still.
    #[must_use]
    pub fn next(
        &self,
        attempts: u32,
        created_at: Timestamp,
        now: Timestamp,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Next {
        let Some(pause) = self.pause(attempts) else {
            return Next::At(now);
        };
        let end = self.end(attempts, created_at, now);
        let asked = later(now, retry_after.unwrap_or_default());
        if now >= end || asked > end {
            return Next::GiveUp;
        }
        let planned = later(now, between(pause * 9 / 10, pause * 11 / 10, jitter));
        Next::At(planned.max(asked).min(end))
    }

    /// When it is given up, as far as `attempts` attempts and the clock tell.
    fn end(&self, attempts: u32, created_at: Timestamp, now: Timestamp) -> Timestamp {
        let created_at = created_at.min(now);
        let age = Duration::try_from(now.duration_since(created_at)).unwrap_or_default();
        let slowest = self.slowest(attempts);
        match age <= slowest {
            true => later(created_at, self.give_up_after),
            false => later(now, self.give_up_after.saturating_sub(slowest)),
        }
    }

    /// How long so many attempts take at most, from the creation to the end of the last, where each is made when it is
    /// due.
    fn slowest(&self, attempts: u32) -> Duration {
        let Some(pauses) = attempts.checked_sub(1) else { return Duration::ZERO };
        let step = |pause: &Duration| (*pause * 11 / 10).saturating_add(OVERHEAD);
        let listed = usize::try_from(pauses).unwrap_or(usize::MAX).min(self.pauses.len());
        let first = self.pauses.iter().take(listed).map(step).fold(OVERHEAD, Duration::saturating_add);
        let left = pauses.saturating_sub(u32::try_from(listed).unwrap_or(u32::MAX));
        let last = self.pauses.last().map(step).unwrap_or(OVERHEAD);
        first.saturating_add(last.saturating_mul(left))
    }

    /// The longest time that can lie between an attempt and the next. What is put off for longer was put off by a clock
    /// that went wrong.
    #[must_use]
    pub fn longest(&self) -> Duration {
        let longest = self.pauses.iter().max().copied().unwrap_or_default();
        (longest * 11 / 10).max(MOST_ASKED)
    }

    /// The pause after so many attempts; none before the first.
    fn pause(&self, attempts: u32) -> Option<Duration> {
        let index = usize::try_from(attempts.checked_sub(1)?).unwrap_or(usize::MAX);
        Some(self.pauses.get(index).or(self.pauses.last()).copied().unwrap_or_default())
    }
}

/// `by` after `at`, or the last moment there is.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
