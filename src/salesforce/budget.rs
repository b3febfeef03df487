//! The time budget of a request, and what Salesforce was asked within it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Failure, Operation};
use crate::domain::SalesforceExchange;

/// The time of one request: it starts with the first byte from the flow and ends with the route's deadline.
#[derive(Debug)]
pub struct Budget {
    deadline: Instant,
    upstream_microseconds: AtomicU64,
    is_patient: bool,
    asked: Arc<Mutex<Asked>>,
}

/// What Salesforce was asked within a budget and all that were made of it.
#[derive(Debug)]
struct Asked {
    began: Instant,
    exchanges: Vec<SalesforceExchange>,
    /// The HTTP status of the last answer.
    status: Option<u16>,
    /// How many requests were sent.
    sent: u32,
}

impl Budget {
    /// A budget of `limit` that began at `started`.
    pub fn new(started: Instant, limit: Duration) -> Self {
        Self {
            deadline: started + limit,
            upstream_microseconds: AtomicU64::new(0),
            is_patient: false,
            asked: Arc::new(Mutex::new(Asked {
                began: started,
                exchanges: Vec::new(),
                status: None,
                sent: 0,
            })),
        }
    }

    /// The same, for work that no caller waits for: it leaves scarce resources to the others.
    #[must_use]
    pub fn patient(self) -> Self {
        Self { is_patient: true, ..self }
    }

    /// Whether no caller waits for it.
    pub fn is_patient(&self) -> bool {
        self.is_patient
    }

    /// When the answer must be out.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Half of the time left, for the first of two steps, so that there is time for the second.
    pub fn half(&self) -> Self {
        let now = Instant::now();
        self.until(now + self.deadline.saturating_duration_since(now) / 2)
    }

    /// A budget that ends earlier, so that something can be stored before the deadline.
    pub fn sooner(&self, by: Duration) -> Self {
        let now = Instant::now();
        self.until(now + self.deadline.saturating_duration_since(now).saturating_sub(by))
    }

    fn until(&self, deadline: Instant) -> Self {
        Self {
            deadline,
            upstream_microseconds: AtomicU64::new(0),
            is_patient: self.is_patient,
            asked: Arc::clone(&self.asked),
        }
    }

    /// Adds time spent waiting for Salesforce.
    pub fn waited(&self, time: Duration) {
        let time = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.upstream_microseconds.fetch_add(time, Ordering::Relaxed);
    }

    /// The time spent waiting for Salesforce so far; `None` if nothing was sent.
    pub fn upstream(&self) -> Option<Duration> {
        match self.upstream_microseconds.load(Ordering::Relaxed) {
            0 => None,
            time => Some(Duration::from_micros(time)),
        }
    }

    /// A request is on its way to Salesforce.
    pub(super) fn sends(&self) {
        let mut asked = self.asked();
        asked.sent = asked.sent.saturating_add(1);
    }

    /// How many requests were sent to Salesforce so far, logins and queries among them.
    pub fn sent(&self) -> u32 {
        self.asked().sent
    }

    /// Salesforce has answered with this HTTP status.
    pub(super) fn answered(&self, status: u16) {
        self.asked().status = Some(status);
    }

    /// Salesforce was asked for `operation` at `at`, which failed or not.
    pub(super) fn asked_for(&self, operation: Operation, at: Instant, failure: Option<&Failure>) {
        let mut asked = self.asked();
        let status = asked.status.take();
        let after = milliseconds(at.saturating_duration_since(asked.began));
        asked.exchanges.push(SalesforceExchange {
            operation: operation.name().into(),
            after,
            milliseconds: milliseconds(at.elapsed()),
            status,
            failure: failure.map(Failure::to_string),
        });
    }

    /// What Salesforce was asked since the last look.
    pub fn exchanges(&self) -> Vec<SalesforceExchange> {
        std::mem::take(&mut self.asked().exchanges)
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whole milliseconds.
fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
