//! Time, passed in: nothing in the bridge asks the system clock by itself.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The current time in UTC, in whole milliseconds: databases keep no more, and what was read back would differ from what was
    /// written.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask the system")]
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }
}

/// A clock that stands still until it is told to move: for tests.
#[derive(Debug)]
pub struct ManualClock {
    millisecond: AtomicI64,
}

impl ManualClock {
    /// Starts at `at`, to the millisecond.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self { millisecond: AtomicI64::new(at.as_millisecond()) }
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.millisecond.fetch_add(by, Ordering::Relaxed);
    }

    /// Sets the clock back, as somebody may do while the service runs.
    pub fn set_back(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.millisecond.fetch_sub(by, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millisecond.load(Ordering::Relaxed)).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_clock_tells_whole_milliseconds() {
        for _ in 0..50 {
            let now = SystemClock.now();
            assert_eq!(now, Timestamp::from_millisecond(now.as_millisecond()).unwrap());
        }
    }
}
