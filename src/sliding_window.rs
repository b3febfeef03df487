//! A limit of a rate: at most so many in any span of time, wherever that begins.
//!
//! It remembers the moments of the last N and lets another pass when the oldest is a span ago. A token bucket with a burst of N
//! would let almost 2 N through in the span after a silence, and so would a counter at the turn of a span.

use std::collections::VecDeque;
use std::ops::Add;
use std::time::Duration;

/// The last of something that is limited, by when they passed: moments of the clock or of the runtime.
#[derive(Debug)]
pub struct SlidingWindow<T> {
    limit: usize,
    span: Duration,
    /// The oldest first; never more than `limit`.
    passed: VecDeque<T>,
}

impl<T: Copy + Ord + Add<Duration, Output = T>> SlidingWindow<T> {
    /// At most `limit`, at least one, in any `span`.
    #[must_use]
    pub fn new(limit: usize, span: Duration) -> Self {
        Self { limit, span, passed: VecDeque::new() }
    }

    /// Goes by another limit from now on.
    pub fn adopt(&mut self, limit: usize) {
        self.limit = limit;
        let too_many = self.passed.len().saturating_sub(limit);
        self.passed.drain(..too_many);
    }

    /// When there is a place again; none if there is one at `now`.
    #[must_use]
    pub fn full_until(&self, now: T) -> Option<T> {
        let oldest = self.passed.front().filter(|_| self.passed.len() >= self.limit)?;
        Some(*oldest + self.span).filter(|free| now < *free)
    }

    /// When the last one passed.
    #[must_use]
    pub fn last(&self) -> Option<T> {
        self.passed.back().copied()
    }

    /// One passes at `now`.
    pub fn take(&mut self, now: T) {
        if self.passed.len() >= self.limit {
            self.passed.pop_front();
        }
        self.passed.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_span_sees_more_than_the_limit_and_who_waits_as_told_passes(
            limit in 1_usize..6,
            pauses in prop::collection::vec(0_u64..1_500, 1..60),
        ) {
            let mut window = SlidingWindow::new(limit, Duration::from_secs(1));
            let (mut now, mut passed) = (Duration::ZERO, Vec::new());
            for pause in pauses {
                now += Duration::from_millis(pause);
                now = window.full_until(now).unwrap_or(now);
                prop_assert_eq!(window.full_until(now), None);
                window.take(now);
                passed.push(now);
            }
            for pair in passed.windows(limit + 1) {
                prop_assert!(pair[limit] - pair[0] >= Duration::from_secs(1));
            }
        }
    }

    #[test]
    fn a_smaller_limit_counts_at_once() {
        let mut window = SlidingWindow::new(3, Duration::from_secs(1));
        (0..3).for_each(|number| window.take(Duration::from_millis(number)));
        window.adopt(1);
        assert_eq!(window.full_until(Duration::from_millis(5)), Some(Duration::from_millis(1002)));
    }
}
