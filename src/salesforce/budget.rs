//! The time budget of a request, and how much of it Salesforce has used.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The time of one request: it starts with the first byte from the flow and ends with the route's deadline.
#[derive(Debug)]
pub struct Budget {
    deadline: Instant,
    upstream_microseconds: AtomicU64,
    is_patient: bool,
}

impl Budget {
    /// A budget of `limit` that began at `started`.
    pub fn new(started: Instant, limit: Duration) -> Self {
        Self { deadline: started + limit, upstream_microseconds: AtomicU64::new(0), is_patient: false }
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
        self.like(Self::new(now, self.deadline.saturating_duration_since(now) / 2))
    }

    /// A budget that ends earlier, so that something can be stored before the deadline.
    pub fn sooner(&self, by: Duration) -> Self {
        let now = Instant::now();
        self.like(Self::new(now, self.deadline.saturating_duration_since(now).saturating_sub(by)))
    }

    fn like(&self, other: Self) -> Self {
        Self { is_patient: self.is_patient, ..other }
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
}
