//! Times that lie further ahead than anything puts them were written by a clock that has been set back since. What waits
//! for them would wait for hours, so they are taken as come.

use std::time::Duration;

use jiff::Timestamp;

use serde::Serialize;

use super::row::Millis;
use super::sql::Query;
use super::{EntryId, Store, StoreError};

/// What the clocks of replicas may differ by, and what a statement may take.
pub(super) const TOLERANCE: Duration = Duration::from_secs(60);
/// The farthest that a task is put off: for a recording, by a day.
const TASK: Duration = Duration::from_secs(26 * 3600);

/// How far ahead times can lie.
#[derive(Debug, Clone)]
pub struct Ahead {
    /// The current time.
    pub now: Timestamp,
    /// Whose leases are left alone: this process knows what it has under way.
    pub owner: String,
    /// How long leases are, at most.
    pub lease: Duration,
    /// How far an entry is put off, at most.
    pub next: Duration,
}

/// The latest that each time can be.
#[derive(Clone, Copy, Serialize)]
struct Latest<'a> {
    now: Millis,
    owner: &'a str,
    lease: Millis,
    next: Millis,
    task_due: Millis,
    put_in: Millis,
}

/// Brings back pending entries, but for leases of the owner.
#[derive(Serialize)]
#[serde(transparent)]
struct Entries<'a>(Latest<'a>);

impl Query for Entries<'_> {
    type Row = EntryId;
    const SQL: &'static str = "UPDATE outbox SET created_at = {earliest created_at, {now int}},
            next_at = CASE WHEN next_at > {next int} OR created_at > {put_in int}
                THEN {earliest next_at, {now int}} ELSE next_at END,
            lease_owner = CASE WHEN coalesce(lease_until, 0) <= {lease int}
                OR substr(lease_owner, 1, length({owner})) = {owner} THEN lease_owner END,
            lease_until = CASE WHEN coalesce(lease_until, 0) <= {lease int}
                OR substr(lease_owner, 1, length({owner})) = {owner} THEN lease_until END
        WHERE state = 'pending' AND (created_at > {put_in int} OR next_at > {next int}
            OR lease_until > {lease int} AND substr(lease_owner, 1, length({owner})) <> {owner})
        RETURNING CAST(id AS TEXT)";
}

/// Brings back tasks, but for leases of the owner.
#[derive(Serialize)]
#[serde(transparent)]
struct Tasks<'a>(Latest<'a>);

impl Query for Tasks<'_> {
    type Row = String;
    const SQL: &'static str = "UPDATE tasks SET updated_at = {earliest updated_at, {now int}},
            due_at = CASE WHEN due_at > {task_due int} OR updated_at > {put_in int}
                THEN {earliest due_at, {now int}} ELSE due_at END,
            lease_owner = CASE WHEN coalesce(lease_until, 0) <= {lease int} OR lease_owner = {owner}
                THEN lease_owner END,
            lease_until = CASE WHEN coalesce(lease_until, 0) <= {lease int} OR lease_owner = {owner}
                THEN lease_until END
        WHERE due_at IS NOT NULL AND (updated_at > {put_in int} OR due_at > {task_due int}
            OR lease_until > {lease int} AND lease_owner <> {owner})
        RETURNING {quoted task_id}";
}

/// Ends leases of creates, but for those of the owner: how they ended is not known.
#[derive(Serialize)]
#[serde(transparent)]
struct Creates<'a>(Latest<'a>);

impl Query for Creates<'_> {
    type Row = ();
    const SQL: &'static str = "UPDATE calls SET create_unknown_at = coalesce(create_unknown_at, {now int}),
            lease_owner = NULL, lease_until = NULL
        WHERE lease_until > {lease int} AND lease_owner <> {owner}";
}

impl Ahead {
    fn latest(&self) -> Latest<'_> {
        let at = |ahead: Duration| {
            Millis::from(self.now.checked_add(ahead.saturating_add(TOLERANCE)).unwrap_or(Timestamp::MAX))
        };
        Latest {
            now: self.now.into(),
            owner: &self.owner,
            // Another replica's may be configured longer at this moment.
            lease: at(self.lease.saturating_mul(2)),
            next: at(self.next),
            task_due: at(TASK),
            put_in: at(Duration::ZERO),
        }
    }
}

impl Store {
    /// Brings back to now what lies further ahead than it can: when entries and tasks are due, when they were put in or
    /// told, and the ends of leases. Gives how many entries and tasks those were.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn bring_back(&self, ahead: &Ahead) -> Result<usize, StoreError> {
        let latest = ahead.latest();
        let entries = self.write(&Entries(latest)).await?.len();
        let tasks = self.write(&Tasks(latest)).await?.len();
        self.write(&Creates(latest)).await?;
        Ok(entries + tasks)
    }
}
