//! How fast we may ask: 300 requests a minute and client id, and not before Webex says so.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Webex's limit for a client id.
const REQUESTS: usize = 300;
/// Over this time.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Default)]
struct Sent {
    /// When the requests of the last minute left.
    at: VecDeque<Timestamp>,
    /// Until when Webex wants to hear nothing.
    held: Option<Timestamp>,
}

/// The pace of this process. Others who share the client id are noticed by Webex's 429.
#[derive(Debug, Default)]
pub(in crate::webex) struct Pace(Mutex<Sent>);

impl Pace {
    /// Takes leave to send one request at `now`, or says how long to wait.
    pub(in crate::webex) fn take(&self, now: Timestamp) -> Result<(), Duration> {
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while sent.at.front().is_some_and(|first| now.duration_since(*first) >= WINDOW) {
            sent.at.pop_front();
        }
        let full = sent
            .at
            .front()
            .filter(|_| sent.at.len() >= REQUESTS)
            .and_then(|first| first.checked_add(WINDOW).ok());
        match full.max(sent.held).filter(|until| *until > now) {
            Some(until) => Err(until.duration_since(now).unsigned_abs()),
            None => {
                sent.at.push_back(now);
                Ok(())
            }
        }
    }

    /// Nothing is sent until then.
    pub(in crate::webex) fn hold(&self, now: Timestamp, pause: Duration) {
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.held = sent.held.max(Some(until));
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
        let pace = Pace::default();
        assert!((0..300).all(|number| pace.take(at(number / 10)).is_ok()));
        assert_eq!(pace.take(at(30)), Err(Duration::from_secs(30)));
        assert_eq!(pace.take(at(59)), Err(Duration::from_secs(1)));
        assert!((0..10).all(|_| pace.take(at(60)).is_ok()));
        assert_eq!(pace.take(at(60)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn a_pause_that_webex_asked_for_is_kept_and_the_longest_counts() {
        let pace = Pace::default();
        pace.hold(at(0), Duration::from_secs(20));
        pace.hold(at(1), Duration::from_secs(5));
        assert_eq!(pace.take(at(19)), Err(Duration::from_secs(1)));
        assert_eq!(pace.take(at(20)), Ok(()));
    }
}
