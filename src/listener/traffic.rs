//! What happens on a connection, told by those who serve its requests to the socket below them.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a connection may be without a request.
#[derive(Debug, Clone)]
pub struct Patience {
    /// From its beginning to the end of the head of its first request; also how long it may not take in an answer.
    pub first: Duration,
    /// From an answer to the end of the head of the next request.
    pub between: Duration,
    /// What is said to who began a request over HTTP/1.1 and did not end it: the whole answer.
    pub too_slow: Arc<[u8]>,
}

/// One connection's requests: how many are being served, and since when there has been none.
#[derive(Debug, Clone)]
pub struct Traffic(Rc<State>);

#[derive(Debug)]
struct State {
    serving: Cell<usize>,
    /// The last answer; none: there was no request yet.
    answered: Cell<Option<Instant>>,
    opened: Instant,
    /// Whether anything arrived since the last answer.
    heard: Cell<bool>,
    /// Told when the last of the requests that were being served has been.
    idle: Notify,
}

impl Traffic {
    /// Of a connection that has just been opened.
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new(State {
            serving: Cell::new(0),
            answered: Cell::new(None),
            opened: Instant::now(),
            heard: Cell::new(false),
            idle: Notify::new(),
        }))
    }

    /// A request has arrived; it is served until what this returns is dropped.
    #[must_use]
    pub fn serve(&self) -> Served {
        self.0.serving.set(self.0.serving.get() + 1);
        Served(Rc::clone(&self.0))
    }

    /// Waits until no request is being served: their work may outlast the connection that they came by.
    pub(super) async fn rest(&self) {
        while self.0.serving.get() > 0 {
            self.0.idle.notified().await;
        }
    }

    /// Something has arrived.
    pub(super) fn hear(&self) {
        self.0.heard.set(true);
    }

    /// Whether anything has arrived since the last answer.
    pub(super) fn heard(&self) -> bool {
        self.0.heard.get()
    }

    /// When the connection is over if no request arrives; none: one is being served.
    pub(super) fn end(&self, patience: &Patience) -> Option<Instant> {
        if self.0.serving.get() > 0 {
            return None;
        }
        Some(match self.0.answered.get() {
            Some(answered) => answered + patience.between,
            None => self.0.opened + patience.first,
        })
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new()
    }
}

/// One request that is being served.
#[derive(Debug)]
pub struct Served(Rc<State>);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.serving.set(self.0.serving.get().saturating_sub(1));
        if self.0.serving.get() == 0 {
            self.0.idle.notify_one();
        }
        self.0.answered.set(Some(Instant::now()));
        self.0.heard.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_ends_after_the_last_of_its_answers_and_never_during_a_request() {
        let patience = Patience {
            first: Duration::from_secs(10),
            between: Duration::from_secs(75),
            too_slow: Arc::from(&b""[..]),
        };
        let traffic = Traffic::new();
        assert_eq!(traffic.end(&patience), Some(traffic.0.opened + patience.first));
        traffic.hear();
        let (one, other) = (traffic.serve(), traffic.serve());
        drop(one);
        assert_eq!(traffic.end(&patience), None);
        let before = Instant::now();
        drop(other);
        assert!(traffic.end(&patience).unwrap() >= before + patience.between);
        assert!(!traffic.heard());
    }
}
