//! One promise, two engines: what the store has answered is durable.
//!
//! A [`Store`] is a handle on one writer, which owns the only connection of the process to the database: SQLite,
//! embedded, or PostgreSQL, which several replicas share. Whatever is asked goes through it, and while it commits,
//! more arrives: so one commit, and one fsync, serves everybody who was waiting (group commit). Questions are
//! answered in batches too, without a commit. An answer goes out only after the commit it depends on.
//!
//! When the database fails, everybody who waits is told so at once, [`Store::ready`] says why, and the writer
//! connects again by itself. A command that the database refuses fails alone.
//!
//! The *journal* ([`Note`], [`Call`](crate::domain::Call)) holds what is known of each call; the *outbox*
//! ([`Enqueue`], [`Entry`]) what must still reach Salesforce. Webex's events are kept with their *tasks* ([`NewEvent`],
//! [`Task`]), and what fields of a VoiceCall are filled with as *details* ([`NewDetail`], [`Detail`]). Time is passed in.

mod ahead;
mod answered;
mod batch;
mod detail;
mod engine;
mod error;
mod exchange;
mod fingerprint;
mod in_flight;
mod inspect;
mod journal;
mod known;
mod lock;
mod meta;
mod note;
mod operate;
mod outbox;
mod place;
mod postgres;
mod row;
mod sql;
mod sqlite;
mod task;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::fmt;
use std::sync::Arc;

use crate::domain::CallName;
use crate::telemetry::{Metrics, store_span};
use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};

pub use ahead::Ahead;
pub use answered::Look;
pub use detail::{Detail, DetailKind, NewDetail, Owner};
pub use error::StoreError;
pub use inspect::{Inspection, Schema, inspect};
pub use journal::{OpenCall, Opened};
pub use meta::{Memo, Turn};
pub use note::{CreateBody, Note};
pub use operate::{Count, Filter, NotCleared, PurgeBefore, Purged, Run};
pub use outbox::{
    Attempt, DueCenter, Enqueue, Enqueued, Entry, EntryId, EntryKind, EntryState, Lease, LeaseOf, NewEntry,
    ONCE_MORE, Settle, Subject, Unreadable,
};
pub use place::place;
pub use task::{LeaseTasks, NewEvent, SettleTask, Task};
pub use writer::Work;

use answered::Answered;
use batch::{Job, Reply, Single};
use engine::{Limits, Link, Target};
use exchange::Exchanges;
use fingerprint::Key;
use in_flight::InFlight;
use known::KnownCalls;
use lock::ServiceLock;
use row::{json, read};
use sql::{Engine, Query};
use writer::{Health, Writer};

/// Where the answer of the writer comes.
pub type Answer<T> = oneshot::Receiver<Result<T, StoreError>>;

/// How many may wait for the writer; who comes after them waits for a place.
const QUEUE: usize = 1024;

/// A handle on the database. Clones share the writer; it ends with the last of them.
#[derive(Clone)]
pub struct Store {
    jobs: mpsc::Sender<Job>,
    health: Arc<Health>,
    key: Arc<Key>,
    known: Option<Arc<KnownCalls>>,
    answered: Option<Arc<Answered>>,
    in_flight: Option<Arc<InFlight>>,
    exchanges: Arc<Exchanges>,
    engine: Engine,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("ready", &self.ready()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database of `store.url` for a command, makes it where it is SQLite's and missing, and migrates it. Several
    /// programs may do so at once. Must be called within a Tokio runtime, on which the writer then lives.
    ///
    /// # Errors
    /// When it cannot be reached, opened, migrated or written.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::open_within(url, Limits::of_command()).await
    }

    /// Opens the database for a service: SQLite's is then locked against a second service until this store is closed
    /// or the process ends. Other programs may look at it and change it meanwhile ([`Store::open_existing`]).
    ///
    /// # Errors
    /// As [`Store::open`]; [`StoreError::Taken`] where another service has SQLite's file.
    pub async fn open_for_service(url: &str, now: Timestamp) -> Result<Self, StoreError> {
        Self::open_locked(url, now, Limits::default()).await
    }

    async fn open_locked(url: &str, now: Timestamp, limits: Limits) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        let lock = target.lock(now, &limits).await?;
        match target.open(&limits).await {
            Ok(connection) => Self::work_on(target, connection, limits, lock).await,
            Err(error) => {
                if let Some(lock) = lock {
                    lock.leave_nothing();
                }
                Err(error)
            }
        }
    }

    /// Opens the database only if it is there already, and of this version: for programs that work beside a service, which may
    /// be of another one. Nothing is made or migrated.
    ///
    /// # Errors
    /// [`StoreError::File`] where there is no file, [`StoreError::Earlier`] where a service of this version is still to migrate
    /// it; else as [`Store::open`].
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        let limits = Limits::of_command();
        let target = Target::parse(url)?;
        let connection = target.open_existing(&limits).await?;
        Self::work_on(target, connection, limits, None).await
    }

    /// Opens the database only to read it, beside a service that may be using it: nothing is made, migrated or written, and
    /// whatever would write fails.
    ///
    /// # Errors
    /// As [`Store::open_existing`]; where another version has made the database.
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        let limits = Limits::of_command();
        let target = Target::parse(url)?;
        target.find_file()?;
        let mut connection = target.open_to_read(&limits).await?;
        let key = Arc::new(connection.key().await?);
        Ok(Self::around(target, connection, (key, None, None), limits, None))
    }

    async fn open_within(url: &str, limits: Limits) -> Result<Self, StoreError> {
        let target = Target::parse(url)?;
        let connection = target.open(&limits).await?;
        Self::work_on(target, connection, limits, None).await
    }

    /// Begins to work on an open database: as a service where it is locked.
    async fn work_on(
        target: Target,
        mut connection: Link,
        limits: Limits,
        lock: Option<ServiceLock>,
    ) -> Result<Self, StoreError> {
        let (key, known) = connection.begin(lock.is_some()).await?;
        let (key, known) = (Arc::new(key), known.map(Arc::new));
        // Only a service creates.
        let file = target.file().filter(|_| lock.is_some());
        let in_flight = file.map(InFlight::beside).transpose()?.map(Arc::new);
        let store = Self::around(target, connection, (key, known, in_flight), limits, lock);
        store.end_in_flight().await?;
        Ok(store)
    }

    /// A handle on the writer of this connection.
    fn around(
        target: Target,
        connection: Link,
        (key, known, in_flight): (Arc<Key>, Option<Arc<KnownCalls>>, Option<Arc<InFlight>>),
        limits: Limits,
        lock: Option<ServiceLock>,
    ) -> Self {
        let engine = target.engine();
        let answered = (engine == Engine::Sqlite).then(Arc::default);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let health = Arc::new(Health::default());
        let writer = Writer::new(target, connection, queue, Arc::clone(&health), limits, lock);
        tokio::spawn(writer.run());
        Self { jobs, health, key, known, answered, in_flight, exchanges: Arc::default(), engine }
    }

    /// Whether writing works, as far as the last attempt showed.
    ///
    /// # Errors
    /// Why not.
    pub fn ready(&self) -> Result<(), StoreError> {
        if self.jobs.is_closed() { Err(StoreError::Closed) } else { self.health.ready() }
    }

    /// Whether several processes may write to the database: PostgreSQL's replicas.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.engine == Engine::Postgres
    }

    /// Waits until nothing can be asked any more: the writer has ended, for whatever reason.
    pub async fn closed(&self) {
        self.jobs.closed().await;
    }

    /// Waits until a database that has failed works again, if it has.
    pub async fn recovered(&self) {
        self.health.recovered().await;
    }

    /// How much has been done since the store was opened, for metrics.
    #[must_use]
    pub fn work(&self) -> Work {
        self.health.work()
    }

    /// Tells the metrics the seconds of each commit from now on.
    pub fn measure(&self, metrics: &Metrics) {
        self.health.measure(metrics.store_commit());
    }

    /// How many wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.jobs.max_capacity().saturating_sub(self.jobs.capacity())
    }

    /// A keyed hash over `parts`, in this order. The key is random, made with the database and shared by all
    /// replicas: without it, a hash of a phone number would be as good as the number.
    #[must_use]
    pub fn fingerprint(&self, parts: &[&str]) -> crate::domain::Fingerprint {
        self.key.fingerprint(parts)
    }

    /// Leaves nothing of removed rows in SQLite's write-ahead log: what was deleted is then nowhere in its files.
    /// Gives whether all of the log could be emptied; another program that reads delays it until the next time.
    /// PostgreSQL tidies up by itself (autovacuum).
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn checkpoint(&self) -> Result<bool, StoreError> {
        self.ask(Job::Checkpoint).await
    }

    /// Finishes what is waiting, then closes the database. Other handles find the store closed.
    ///
    /// # Errors
    /// When it was closed already.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.ask(Job::Close).await
    }

    /// What is known of the call from now on may be in the database.
    fn announce(&self, call: &CallName) {
        if let Some(known) = &self.known {
            known.add(call);
        }
        if let Some(answered) = &self.answered {
            answered.meet(call);
        }
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = job(reply);
        let _span = store_span(job.span_name());
        self.jobs.send(job).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Asks, and gives where the answer will come.
    async fn begin<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<Answer<T>, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send(job(reply)).await.map_err(|_| StoreError::Closed)?;
        Ok(answer)
    }

    /// Runs a query that writes, in a commit of a batch.
    async fn write<Q: Query>(&self, query: &Q) -> Result<Vec<Q::Row>, StoreError> {
        read(&self.write_raw(query).await?)
    }

    async fn write_raw<Q: Query>(&self, query: &Q) -> Result<Vec<String>, StoreError> {
        let single = Single { sql: Q::SQL, input: json(query)? };
        self.ask(|reply| Job::Write(single, reply)).await
    }

    /// Runs a query that only reads.
    async fn read<Q: Query>(&self, query: &Q) -> Result<Vec<Q::Row>, StoreError> {
        read(&self.read_raw(query).await?)
    }

    /// The rows as they are, where one that cannot be read must not hide the others.
    async fn read_raw<Q: Query>(&self, query: &Q) -> Result<Vec<String>, StoreError> {
        let single = Single { sql: Q::SQL, input: json(query)? };
        self.ask(|reply| Job::Read(single, reply)).await
    }
}
