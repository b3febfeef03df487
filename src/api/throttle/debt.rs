//! How much of an allowance is used up: one moment instead of a counter and its start.

use std::time::Duration;

use crate::settings::FailedLogins;

/// An allowance of so many failures within a window, given back evenly.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    window: i64,
    /// What one failure takes of the window, in milliseconds.
    cost: i64,
}

impl Allowance {
    /// So many within the window.
    #[must_use]
    pub fn new(failures: u32, limits: &FailedLogins) -> Self {
        let window = i64::try_from(limits.window.as_millis()).unwrap_or(i64::MAX / 4);
        Self { window, cost: (window / i64::from(failures.max(1))).max(1) }
    }
}

/// The moment from which on nothing is held against somebody any more, in milliseconds since 1970: the generic cell
/// rate algorithm. The default lies in the past of every clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailureLevel(i64);

impl FailureLevel {
    /// What is still held against them. A clock that was set back makes it no more than the whole window.
    fn left(self, now: i64, allowance: Allowance) -> i64 {
        self.0.saturating_sub(now).clamp(0, allowance.window)
    }

    /// Whether there is any.
    #[must_use]
    pub fn is_none(self, now: i64, allowance: Allowance) -> bool {
        self.left(now, allowance) == 0
    }

    /// When the next failure would be allowed again; none: now.
    #[must_use]
    pub fn exhausted(self, now: i64, allowance: Allowance) -> Option<Duration> {
        let wait = self.left(now, allowance) - (allowance.window - allowance.cost);
        u64::try_from(wait).ok().filter(|&wait| wait > 0).map(Duration::from_millis)
    }

    /// Adds a failure; never beyond the window, so that what was counted is forgotten after it.
    #[must_use]
    pub fn more(self, now: i64, allowance: Allowance) -> Self {
        let left = self.left(now, allowance).saturating_add(allowance.cost).min(allowance.window);
        Self(now.saturating_add(left))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allowance(failures: u32, seconds: u64) -> Allowance {
        let window = Duration::from_secs(seconds);
        Allowance::new(failures, &FailedLogins { per_address: failures, per_client: failures, window })
    }

    proptest! {
        #[test]
        fn within_any_window_no_more_than_twice_the_allowance_passes(
            failures in 1_u32..50,
            steps in proptest::collection::vec(0_i64..5_000, 1..400),
        ) {
            let (window, mut now, mut debt) = (10_000, 1_000_000, FailureLevel::default());
            let allowance = allowance(failures, 10);
            let mut passed: Vec<i64> = Vec::new();
            for step in steps {
                now += step;
                if debt.exhausted(now, allowance).is_none() {
                    debt = debt.more(now, allowance);
                    passed.push(now);
                }
            }
            for (index, from) in passed.iter().enumerate() {
                let within = passed[index..].iter().take_while(|at| **at - from < window).count();
                // A full allowance at once, and what is given back during the window.
                prop_assert!(within <= 2 * failures as usize + 1, "{} of {}", within, failures);
            }
        }

        #[test]
        fn who_waits_as_told_may_try_again(failures in 1_u32..100, tries in 1_usize..300, now in 0_i64..1 << 50) {
            let allowance = allowance(failures, 60);
            let debt = (0..tries).fold(FailureLevel::default(), |debt, _| debt.more(now, allowance));
            if let Some(wait) = debt.exhausted(now, allowance) {
                let wait = i64::try_from(wait.as_millis()).unwrap();
                prop_assert!(debt.exhausted(now + wait, allowance).is_none());
                prop_assert!(debt.exhausted(now + wait - 1, allowance).is_some());
            } else {
                prop_assert!(tries < failures as usize);
            }
            prop_assert!(debt.is_none(now + 60_000, allowance));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_off_longer_than_the_window() {
        let allowance = allowance(1, 60);
        let debt = FailureLevel::default().more(1_000_000_000, allowance);
        assert_eq!(debt.exhausted(0, allowance), Some(Duration::from_secs(60)));
    }
}
