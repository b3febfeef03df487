//! Times that lie further ahead than anything puts them were written by a clock that has been set back since. What waits
//! for them would wait for hours, so they are taken as come.

use std::time::Duration;

use jiff::Timestamp;

use super::row::json;
use super::{Store, StoreError};

/// What the clocks of replicas may differ by, and what a statement may take.
pub(super) const TOLERANCE: Duration = Duration::from_secs(60);
/// The farthest that a task is put off: for a recording, by a day.
const TASK: Duration = Duration::from_secs(26 * 3600);

/// How far ahead times can lie.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// The current time.
    pub now: Timestamp,
    /// Whose leases and claims are left alone: this process knows what it has under way.
    pub owner: String,
    /// How long leases and claims are, at most.
    pub lease: Duration,
    /// How far an entry is put off, at most.
    pub next: Duration,
}

impl Ahead {
    fn row(&self) -> Result<String, StoreError> {
        let at = |ahead: Duration| {
            let at = self.now.checked_add(ahead.saturating_add(TOLERANCE)).unwrap_or(Timestamp::MAX);
            at.as_millisecond()
        };
        json(&serde_json::json!({
            "now": self.now.as_millisecond(),
            "owner": self.owner,
            // Another replica's may be configured longer at this moment.
            "lease": at(self.lease.saturating_mul(2)),
            "next": at(self.next),
            "task": at(TASK),
            "told": at(Duration::ZERO),
        }))
    }
}

impl Store {
    /// Brings back to now what lies further ahead than it can: when entries and tasks are due, when they were put in or
    /// told, and the ends of leases and claims. Gives how many entries and tasks those were.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn bring_back(&self, ahead: &Ahead) -> Result<usize, StoreError> {
        let input = ahead.row()?;
        let entries = self.write(self.dialect().bring_back_entries, input.clone()).await?.len();
        let tasks = self.write(self.dialect().bring_back_tasks, input.clone()).await?.len();
        self.write(self.dialect().bring_back_claims, input).await?;
        Ok(entries + tasks)
    }
}
