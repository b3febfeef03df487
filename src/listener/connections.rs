//! The connections of a worker, and what happens on each. One that has shown no right credentials is closed first when
//! there are too many.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// How many closed connections, beyond twice the open ones, are in the list before they are removed.
const GONE: usize = 64;

/// The connections of one worker thread.
#[derive(Debug, Clone)]
pub(super) struct Connections(Rc<WorkerConnections>);

#[derive(Debug)]
struct WorkerConnections {
    most: usize,
    open: Rc<Cell<usize>>,
    /// In the order in which they were opened; closed and authenticated ones are skipped.
    unauthenticated: RefCell<VecDeque<Weak<ConnectionState>>>,
}

/// One open connection, until it is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(Rc<Cell<usize>>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Connections {
    /// At most this many, as long as there are unauthenticated ones.
    pub(super) fn new(most: usize) -> Self {
        let unauthenticated = RefCell::default();
        Self(Rc::new(WorkerConnections { most, open: Rc::default(), unauthenticated }))
    }

    /// A connection has been opened. Beyond the limit, the oldest unauthenticated one is closed: a legitimate client has
    /// authenticated long before, and a flood closes its own connections.
    pub(super) fn admit(&self) -> ConnectionActivity {
        let WorkerConnections { most, open, unauthenticated } = &*self.0;
        open.set(open.get() + 1);
        let mut unauthenticated = unauthenticated.borrow_mut();
        if open.get() > *most {
            let oldest = std::iter::from_fn(|| unauthenticated.pop_front());
            let oldest = oldest.filter_map(|state| state.upgrade()).find(|state| state.is_unauthenticated());
            if let Some(oldest) = oldest {
                oldest.dismiss();
            }
        } else if unauthenticated.len() > 2 * open.get() + GONE {
            unauthenticated.retain(|state| state.upgrade().is_some_and(|state| state.is_unauthenticated()));
        }
        let traffic = ConnectionActivity::of(Some(OpenConnection(Rc::clone(open))));
        unauthenticated.push_back(traffic.downgrade());
        traffic
    }
}

/// The timeouts of a connection.
#[derive(Debug, Clone)]
pub struct ConnectionTimeouts {
    /// From its beginning to the end of the head of its first request; also for taking in an answer.
    pub first: Duration,
    /// From an answer to the end of the head of the next request.
    pub between: Duration,
    /// The answer to a request that does not arrive in time, as it is sent.
    pub too_slow: Arc<[u8]>,
}

/// The requests of one connection: how many are being served, since when there has been none, and whether the client is
/// authenticated.
#[derive(Debug, Clone)]
pub struct ConnectionActivity(Rc<ConnectionState>);

#[derive(Debug)]
struct ConnectionState {
    serving: Cell<usize>,
    /// How many of them wait for more of their body.
    reading: Cell<usize>,
    /// The last answer; none: there was no request yet.
    answered: Cell<Option<Instant>>,
    opened: Instant,
    /// Whether anything arrived since the last answer.
    has_received: Cell<bool>,
    /// Notified when the last request in progress has been served.
    idle: Notify,
    /// Whether a request of this connection had right credentials.
    is_authenticated: Cell<bool>,
    /// Whether it has to be closed at once.
    is_dismissed: Cell<bool>,
    /// The task of the connection, woken when one of these changes.
    task: RefCell<Option<Waker>>,
    _place: Option<OpenConnection>,
}

impl ConnectionActivity {
    /// Of a new connection that does not count among those of a worker.
    pub fn new() -> Self {
        Self::of(None)
    }

    /// Of a new connection.
    fn of(place: Option<OpenConnection>) -> Self {
        Self(Rc::new(ConnectionState {
            serving: Cell::new(0),
            reading: Cell::new(0),
            answered: Cell::new(None),
            opened: Instant::now(),
            has_received: Cell::new(false),
            idle: Notify::new(),
            is_authenticated: Cell::new(false),
            is_dismissed: Cell::new(false),
            task: RefCell::default(),
            _place: place,
        }))
    }

    /// A request has arrived; it is being served until the result is dropped.
    pub fn serve(&self) -> ServedRequest {
        self.0.serving.set(self.0.serving.get() + 1);
        ServedRequest(Rc::clone(&self.0))
    }

    /// A request reads its body until the result is dropped. At other times nothing after a request is read.
    pub fn read_body(&self) -> BodyRead {
        self.0.reading.set(self.0.reading.get() + 1);
        self.0.wake();
        BodyRead(Rc::clone(&self.0))
    }

    /// A request of this connection had right credentials: it is not closed for others any more.
    pub fn mark_authenticated(&self) {
        self.0.is_authenticated.set(true);
    }

    /// Waits until no request is being served: their work may outlast the connection that they came by.
    pub(super) async fn wait_until_idle(&self) {
        while self.0.serving.get() > 0 {
            self.0.idle.notified().await;
        }
    }

    /// Waits until the connection has to end.
    pub(super) async fn dismissed(&self) {
        std::future::poll_fn(|context| {
            self.wake_by(context.waker());
            if self.is_dismissed() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// The waker for changes that the connection waits for.
    pub(super) fn wake_by(&self, waker: &Waker) {
        let mut task = self.0.task.borrow_mut();
        if !task.as_ref().is_some_and(|task| task.will_wake(waker)) {
            *task = Some(waker.clone());
        }
    }

    /// Something has arrived.
    pub(super) fn note_arrival(&self) {
        self.0.has_received.set(true);
    }

    /// Whether anything has arrived since the last answer.
    pub(super) fn has_received(&self) -> bool {
        self.0.has_received.get()
    }

    /// Whether a request is being served.
    pub(super) fn is_serving(&self) -> bool {
        self.0.serving.get() > 0
    }

    /// Whether a request is being served that has arrived completely.
    pub(super) fn is_working(&self) -> bool {
        self.is_serving() && self.0.reading.get() == 0
    }

    pub(super) fn is_authenticated(&self) -> bool {
        self.0.is_authenticated.get()
    }

    pub(super) fn is_dismissed(&self) -> bool {
        self.0.is_dismissed.get()
    }

    fn downgrade(&self) -> Weak<ConnectionState> {
        Rc::downgrade(&self.0)
    }

    /// When the connection times out if no request arrives; none: one is being served.
    pub(super) fn end(&self, timeouts: &ConnectionTimeouts) -> Option<Instant> {
        if self.0.serving.get() > 0 {
            return None;
        }
        Some(match self.0.answered.get() {
            Some(answered) => answered + timeouts.between,
            None => self.0.opened + timeouts.first,
        })
    }
}

impl Default for ConnectionActivity {
    fn default() -> Self {
        Self::new()
    }
}

impl ConnectionState {
    /// Whether it may be closed for another one.
    fn is_unauthenticated(&self) -> bool {
        !self.is_authenticated.get() && !self.is_dismissed.get()
    }

    /// Closes the connection.
    fn dismiss(&self) {
        self.is_dismissed.set(true);
        self.wake();
    }

    fn wake(&self) {
        // The task registers its waker again when it waits again.
        if let Some(task) = self.task.borrow_mut().take() {
            task.wake();
        }
    }
}

/// One request that is being served.
#[derive(Debug)]
pub struct ServedRequest(Rc<ConnectionState>);

impl Drop for ServedRequest {
    fn drop(&mut self) {
        self.0.serving.set(self.0.serving.get().saturating_sub(1));
        if self.0.serving.get() == 0 {
            self.0.idle.notify_one();
        }
        self.0.answered.set(Some(Instant::now()));
        self.0.has_received.set(false);
        self.0.wake();
    }
}

/// One request whose body is being read.
#[derive(Debug)]
pub struct BodyRead(Rc<ConnectionState>);

impl Drop for BodyRead {
    fn drop(&mut self) {
        self.0.reading.set(self.0.reading.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod connections_tests {
    use super::*;

    #[test]
    fn the_oldest_unused_connection_is_closed_and_no_used_one() {
        let connections = Connections::new(3);
        let [first, second, third] = [(); 3].map(|()| connections.admit());
        first.mark_authenticated();
        let fourth = connections.admit();
        let dismissed = [&first, &second, &third, &fourth].map(ConnectionActivity::is_dismissed);
        assert_eq!(dismissed, [false, true, false, false]);
        drop(second);
        drop(third);
        let fifth = connections.admit();
        assert!(
            ![&first, &fourth, &fifth].into_iter().any(ConnectionActivity::is_dismissed),
            "there is room"
        );
    }

    #[test]
    fn those_that_are_gone_are_forgotten() {
        let connections = Connections::new(10);
        for _ in 0..10_000 {
            drop(connections.admit());
        }
        assert!(connections.0.unauthenticated.borrow().len() <= GONE + 3);
        assert_eq!(connections.0.open.get(), 0);
    }
}

#[cfg(test)]
mod traffic_tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_ends_after_the_last_of_its_answers_and_never_during_a_request() {
        let timeouts = ConnectionTimeouts {
            first: Duration::from_secs(10),
            between: Duration::from_secs(75),
            too_slow: Arc::from(&b""[..]),
        };
        let traffic = ConnectionActivity::new();
        assert_eq!(traffic.end(&timeouts), Some(traffic.0.opened + timeouts.first));
        traffic.note_arrival();
        let (one, other) = (traffic.serve(), traffic.serve());
        drop(one);
        assert_eq!(traffic.end(&timeouts), None);
        let before = Instant::now();
        drop(other);
        assert!(traffic.end(&timeouts).unwrap() >= before + timeouts.between);
        assert!(!traffic.has_received());
    }
}
