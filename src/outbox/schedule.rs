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
        let end = later(created_at, self.give_up_after);
        let asked = later(now, retry_after.unwrap_or_default());
        if now >= end || asked > end {
            return Next::GiveUp;
        }
        let planned = later(now, between(pause * 9 / 10, pause * 11 / 10, jitter));
        Next::At(planned.max(asked).min(end))
    }

    /// The pause after so many attempts; none before the first.
    fn pause(&self, attempts: u32) -> Option<Duration> {
        let index = usize::try_from(attempts.checked_sub(1)?).unwrap_or(usize::MAX);
        Some(self.pauses.get(index).or(self.pauses.last()).copied().unwrap_or_default())
    }
}

/// `by` after `at`, or the last moment there is.
fn later(at: Timestamp, by: Duration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
