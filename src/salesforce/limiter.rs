//! The create limiter: Salesforce takes so many creates a second from an org and answers 429 to the next.
//!
//! It remembers the moments of the last N creates and lets another pass when the oldest is a second ago. A token
//! bucket with a burst of N would let almost 2 N through in the second after a silence, and so would a counter
//! at the turn of a second; this never lets more than N through in any second, wherever it begins.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

/// The limiter of one org, shared by all workers.
#[derive(Debug)]
pub struct CreateLimiter {
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    per_second: usize,
    /// The last creates, oldest first; never more than `per_second`.
    passed: VecDeque<Instant>,
    /// Salesforce has asked for silence until then.
    paused_until: Option<Instant>,
}

/// The refusal of a limiter that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it takes no more creates from this org in this second")]
pub struct Limited {
    /// After how long to ask again.
    pub retry_after: Duration,
}

impl CreateLimiter {
    /// At most `per_second` creates in any second.
    #[must_use]
    pub fn new(per_second: usize) -> Self {
        let window = Window { per_second, passed: VecDeque::with_capacity(per_second), paused_until: None };
        Self { window: Mutex::new(window) }
    }

    /// At most `per_second` from now on; the creates of the last second count.
    pub fn adopt(&self, per_second: usize) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.per_second = per_second;
        let too_many = window.passed.len().saturating_sub(per_second);
        window.passed.drain(..too_many);
    }

    /// Takes the place of one create.
    ///
    /// # Errors
    /// When all of this second are taken, or Salesforce asked for a pause.
    pub fn try_take(&self, now: Instant) -> Result<(), Limited> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = window.paused_until {
            if now < until {
                return Err(Limited { retry_after: until.saturating_duration_since(now) });
            }
            window.paused_until = None;
        }
        // Workers read their clocks before they get the lock: time must not run backwards in here.
        let now = window.passed.back().map_or(now, |last| now.max(*last));
        if window.passed.len() >= window.per_second {
            let free = window.passed.front().map_or(now, |oldest| *oldest + SECOND);
            if now < free {
                return Err(Limited { retry_after: free.saturating_duration_since(now) });
            }
            window.passed.pop_front();
        }
        window.passed.push_back(now);
        Ok(())
    }

    /// Salesforce answered 429: no create before its `Retry-After` is over; a second where it named none.
    pub fn pause(&self, now: Instant, retry_after: Option<Duration>) {
        let until = now + retry_after.unwrap_or(SECOND);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        window.paused_until = window.paused_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limited(milliseconds: u64) -> Result<(), Limited> {
        Err(Limited { retry_after: Duration::from_millis(milliseconds) })
    }

    #[test]
    fn a_burst_passes_up_to_the_limit_and_the_next_waits_for_the_oldest() {
        let (limiter, start) = (CreateLimiter::new(50), Instant::now());
        for _ in 0..50 {
            assert_eq!(limiter.try_take(start), Ok(()));
        }
        assert_eq!(limiter.try_take(start), limited(1000));
        assert_eq!(limiter.try_take(start + Duration::from_millis(999)), limited(1));
        assert_eq!(limiter.try_take(start + SECOND), Ok(()));
    }

    #[test]
    fn a_pause_that_salesforce_asked_for_holds_and_a_shorter_one_does_not_end_it() {
        let (limiter, start) = (CreateLimiter::new(50), Instant::now());
        limiter.pause(start, Some(Duration::from_secs(7)));
        limiter.pause(start, None);
        assert_eq!(limiter.try_take(start + Duration::from_secs(6)), limited(1000));
        assert_eq!(limiter.try_take(start + Duration::from_secs(7)), Ok(()));
    }

    #[test]
    fn another_limit_counts_what_has_passed() {
        let (limiter, start) = (CreateLimiter::new(2), Instant::now());
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        assert_eq!((limiter.try_take(at(0)), limiter.try_take(at(400))), (Ok(()), Ok(())));
        limiter.adopt(3);
        assert_eq!(limiter.try_take(at(500)), Ok(()));
        limiter.adopt(2);
        assert_eq!(limiter.try_take(at(1200)), limited(200), "the last two were at 400 and 500");
        assert_eq!(limiter.try_take(at(1400)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_read_before_anothers_takes_no_place_twice() {
        let (limiter, start) = (CreateLimiter::new(1), Instant::now());
        assert_eq!(limiter.try_take(start + Duration::from_millis(2)), Ok(()));
        assert_eq!(limiter.try_take(start), limited(1000));
    }

    proptest! {
        #[test]
        fn no_second_holds_more_than_the_limit_and_every_promise_is_kept(
            limit in 1_usize..20,
            steps in prop::collection::vec(0_u64..300, 1..300),
        ) {
            let (limiter, mut now) = (CreateLimiter::new(limit), Instant::now());
            let mut passed: Vec<Instant> = Vec::new();
            for step in steps {
                now += Duration::from_millis(step);
                if let Err(Limited { retry_after }) = limiter.try_take(now) {
                    prop_assert!(retry_after > Duration::ZERO && retry_after <= SECOND);
                    now += retry_after;
                    prop_assert_eq!(limiter.try_take(now), Ok(()));
                }
                passed.push(now);
            }
            for window in passed.windows(limit + 1) {
                prop_assert!(window[limit] - window[0] >= SECOND);
            }
        }
    }
}
