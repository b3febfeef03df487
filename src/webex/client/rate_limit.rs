//! How fast we may ask: 300 requests a minute and client id, and not before Webex says so.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Webex's limit for a client id.
const REQUESTS_PER_WINDOW: usize = 300;
/// Over this time.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Default)]
struct SentRequests {
    /// When the requests of the last minute left.
    at: VecDeque<Timestamp>,
    /// Until when Webex wants to hear nothing.
    paused_until: Option<Timestamp>,
}

/// The pace of this process. Others who share the client id are noticed by Webex's 429.
#[derive(Debug, Default)]
pub(in crate::webex) struct RateLimit(Mutex<SentRequests>);

impl RateLimit {
    /// Takes leave to send one request at `now`, or says how long to wait.
    pub(in crate::webex) fn take(&self, now: Timestamp) -> Result<(), Duration> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while sent.at.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            sent.at.pop_front();
        }
        let full = sent
            .at
            .front()
            .filter(|_| sent.at.len() >= REQUESTS_PER_WINDOW)
            .and_then(|first| first.checked_add(WINDOW).ok());
        match full.max(sent.paused_until).filter(|until| *until > now) {
            Some(until) => Err(until.duration_since(now).unsigned_abs()),
            None => {
                sent.at.push_back(now);
                Ok(())
            }
        }
    }

    /// Nothing is sent until then.
    pub(in crate::webex) fn pause(&self, now: Timestamp, pause: Duration) {
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.paused_until = sent.paused_until.max(Some(until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn any_minute_sees_at_most_300_requests() {
        let rate_limit = RateLimit::default();
        assert!((0..300).all(|number| rate_limit.take(at(number / 10)).is_ok()));
        assert_eq!(rate_limit.take(at(30)), Err(Duration::from_secs(30)));
        assert_eq!(rate_limit.take(at(59)), Err(Duration::from_secs(1)));
        assert!((0..10).all(|_| rate_limit.take(at(60)).is_ok()));
        assert_eq!(rate_limit.take(at(60)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn a_pause_that_webex_asked_for_is_kept_and_the_longest_counts() {
        let rate_limit = RateLimit::default();
        rate_limit.pause(at(0), Duration::from_secs(20));
        rate_limit.pause(at(1), Duration::from_secs(5));
        assert_eq!(rate_limit.take(at(19)), Err(Duration::from_secs(1)));
        assert_eq!(rate_limit.take(at(20)), Ok(()));
    }
}
