//! A clock that stands still until it is told to move.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

pub(crate) struct ManualClock {
    millisecond: AtomicI64,
}

impl ManualClock {
    pub(crate) fn new(at: Timestamp) -> Self {
        Self { millisecond: AtomicI64::new(at.as_millisecond()) }
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.millisecond.load(Ordering::Relaxed)).unwrap()
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.millisecond.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::Relaxed);
    }
}
