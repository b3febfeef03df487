//! Where entries are taken in and attempts are written down.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::recent::{Kept, Recent};
use super::schedule::later;
use super::{Schedule, Tried, verdict};
use crate::clock::Clock;
use crate::domain::{Call, CallCenterName, CallName, CallReference, Origin, StoredJson};
use crate::ids::Ids;
use crate::salesforce::{Failure, Operation, SalesforceRequest, StoredRequest};
use crate::settings;
use crate::store::{
    Ahead, Answer, Attempt, Enqueue, Enqueued, EntryId, EntryKind, NewEntry, NewEvent, Note, Settle, Store,
    StoreError, Subject,
};
use crate::telemetry::{LogSubject, Metrics, store_span};

/// A lease on fresh entries that nobody tries yet, because a create of their call is in flight: it ends early, or by
/// itself.
#[derive(Debug)]
pub struct Hold {
    owner: String,
    until: Timestamp,
}

/// The outbox of this process. Request handlers put entries in and try them at once; the worker tries the rest.
pub struct Outbox {
    store: Store,
    terms: ArcSwap<Terms>,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    pub(super) metrics: Arc<Metrics>,
    owner: String,
    /// Rings when there may be work for the worker sooner than it thinks.
    wake: Notify,
    /// Where what nobody waits for is done: the runtime that outlives those of the request handlers.
    runtime: Handle,
    background: Mutex<JoinSet<()>>,
    /// What was learned of calls in the last minute.
    recent: Mutex<Recent>,
}

/// Waits for the answer to entries that were put in. Dropped before it has come, because a deadline has passed, it lets the
/// worker try them as soon as they are durable: else they would wait for the end of a lease that nobody uses.
struct Waiting<'a> {
    outbox: &'a Arc<Outbox>,
    owner: String,
    answer: Option<Answer<Enqueued>>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(answer) = self.answer.take() else { return };
        let (outbox, owner) = (Arc::clone(self.outbox), std::mem::take(&mut self.owner));
        self.outbox.afterwards(async move {
            let Ok(Ok(Enqueued::Accepted { ids, .. })) = answer.await else { return };
            tracing::warn!(entries = ids.len(), "the database took what was to be kept after its deadline");
            outbox.give_back_of(&owner, &ids).await;
        });
    }
}

/// When entries are tried again, and how long they are ours meanwhile: as configured at this moment.
struct Terms {
    schedule: Schedule,
    lease: Duration,
}

impl Terms {
    fn new(settings: &settings::Outbox) -> Self {
        Self { schedule: Schedule::new(settings), lease: settings.lease }
    }
}

impl Outbox {
    /// An outbox over a store. Must be called within the runtime that lives as long as the service.
    #[must_use]
    pub fn new(
        store: Store,
        settings: &settings::Outbox,
        clock: Arc<dyn Clock>,
        ids: Arc<Ids>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (terms, owner) = (ArcSwap::from_pointee(Terms::new(settings)), ids.unique());
        let (runtime, background) = (Handle::current(), Mutex::default());
        let (wake, recent) = (Notify::new(), Mutex::default());
        Self { store, terms, clock, ids, metrics, owner, wake, runtime, background, recent }
    }

    /// Goes by other settings from now on.
    pub fn adopt(&self, settings: &settings::Outbox) {
        self.terms.store(Arc::new(Terms::new(settings)));
    }

    /// The store behind it.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where what is done is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The name of this process in leases.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Until when a lease taken now holds.
    #[must_use]
    pub fn lease_until(&self) -> Timestamp {
        self.clock.now().checked_add(self.terms.load().lease).unwrap_or(Timestamp::MAX)
    }

    /// Does something that nobody waits for.
    pub fn afterwards(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        background.spawn_on(LogSubject::current().about(work), &self.runtime);
    }

    /// Writes down how a create ended. A repetition of the create that comes before the database has taken it finds it by
    /// [`Outbox::recent`]: else it would make a second VoiceCall. A database that fails is told again for a while; nobody
    /// waits for that.
    ///
    /// # Errors
    /// When it could not be written at first.
    pub async fn keep(self: &Arc<Self>, note: Arc<Note>) -> Result<(), StoreError> {
        self.lock_recent().add(&note, Kept::NotYet);
        let kept = self.store.note(Arc::clone(&note)).await;
        match &kept {
            Ok(()) => self.lock_recent().kept(&note),
            Err(_) => self.keep_later(note),
        }
        kept
    }

    fn keep_later(self: &Arc<Self>, note: Arc<Note>) {
        let outbox = Arc::clone(self);
        self.afterwards(async move {
            outbox.note_again(&note).await;
            outbox.lock_recent().kept(&note);
        });
    }

    /// Tells a database that has failed again what was learned of a call, until it takes it; nobody waits for that.
    pub fn note_later(self: &Arc<Self>, note: Note) {
        let (outbox, note) = (Arc::clone(self), Arc::new(note));
        self.afterwards(async move { outbox.note_again(&note).await });
    }

    async fn note_again(&self, note: &Arc<Note>) {
        for pause in reminders() {
            self.pause(pause).await;
            if self.store.note(Arc::clone(note)).await.is_ok() {
                return;
            }
        }
        let key = note.call.vendor_call_key();
        tracing::error!(vendor_call_key = %key, "what was learned of a call is lost: the database has failed for too long");
    }

    /// Asks a database that could not be read again for the name of a call, until it tells; none where it knows no such call.
    pub async fn name_later(&self, center: &CallCenterName, call: &CallReference) -> Option<CallName> {
        for pause in reminders() {
            self.pause(pause).await;
            if let Ok(interaction) = self.store.interaction(center, call).await {
                let known = interaction.find(call).map(|call| call.name.clone());
                return known.or_else(|| self.recent_name(center, call));
            }
        }
        tracing::error!(%call, "what was learned of a call is lost: the database has failed for too long");
        None
    }

    /// Waits that long, or until a database that has failed works again.
    async fn pause(&self, pause: Duration) {
        match self.store.ready() {
            Ok(()) => tokio::time::sleep(pause).await,
            // Both ends of the wait mean the same.
            Err(_) => drop(timeout(pause, self.store.recovered()).await),
        }
    }

    /// Puts an entry in that a database which has failed did not take, until it does, with what was learned of its call.
    /// Nobody tries it at once, and nobody waits for that.
    pub fn put_later(self: &Arc<Self>, note: Note, entry: NewEntry) {
        let (outbox, note) = (Arc::clone(self), Arc::new(note));
        self.afterwards(async move {
            for pause in reminders() {
                outbox.pause(pause).await;
                let put = outbox.put(Subject::Known(Arc::clone(&note)), vec![entry.clone()], false, None);
                match put.await {
                    Ok(Enqueued::Accepted { ids, .. }) => return outbox.give_back(&ids).await,
                    Ok(Enqueued::Duplicate | Enqueued::Answered) => return,
                    Err(_) => {}
                }
            }
            let key = note.call.vendor_call_key();
            tracing::error!(vendor_call_key = %key, "an entry of the outbox is lost: the database has failed for too long");
        });
    }

    /// What this process has learned of a call in the last minute, for whoever cannot read the journal; and whether the
    /// journal holds it.
    #[must_use]
    pub fn recent(&self, call: &CallName) -> Option<(Call, Kept)> {
        self.lock_recent().get(call)
    }

    /// The name of a call of the last minute that a flow names by its id, for who cannot read the journal, or finds nothing
    /// there yet.
    #[must_use]
    pub fn recent_name(&self, center: &CallCenterName, call: &CallReference) -> Option<CallName> {
        let CallReference::Id(id) = call else { return None };
        self.lock_recent().named(center, id)
    }

    fn lock_recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long giving back and closing may take.
    pub const CLOSE: Duration = Duration::from_secs(5);

    /// Waits until then for what nobody waited for, gives leases and turns back and closes the store: the service
    /// stops.
    ///
    /// # Errors
    /// When the store does not answer; leases then end by themselves.
    pub async fn finish(&self, deadline: Instant) -> Result<(), StoreError> {
        let mut background =
            std::mem::take(&mut *self.background.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = async { while background.join_next().await.is_some() {} };
        if timeout_at(deadline, ended).await.is_err() {
            tracing::warn!(tasks = background.len(), "what nobody waited for is broken off");
            background.shutdown().await;
        }
        let close = async {
            self.store.write_exchanges().await?;
            self.store.release(&self.owner).await?;
            self.store.end_turns(&self.owner).await?;
            self.store.close().await
        };
        timeout(Self::CLOSE, close).await.unwrap_or(Err(StoreError::Slow))
    }

    /// Wakes the worker: there may be something to take up.
    pub(super) fn wake_worker(&self) {
        self.wake.notify_one();
    }

    /// Waits until somebody rings.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// An entry that asks this of Salesforce; of one that reports an abandonment it is said that it is not to be sent
    /// if an agent has had the call.
    #[must_use]
    pub fn entry(&self, ask: SalesforceRequest<'_>, is_final: bool, unless_answered: bool) -> NewEntry {
        let kind = match ask.operation() {
            Operation::Create => EntryKind::Create,
            Operation::ClearRouting => EntryKind::Clear,
            Operation::Update | Operation::OmniFlow | Operation::Query => EntryKind::Update,
        };
        let stored = StoredRequest::of(ask).unless_answered(unless_answered);
        let body = serde_json::to_string(&stored).unwrap_or_default();
        NewEntry { kind, is_final, body: StoredJson::new(body), next_at: self.now() }
    }

    /// An entry that takes back what the call's final update said: it is not sent if that was not.
    #[must_use]
    pub fn taking_back(&self, ask: SalesforceRequest<'_>) -> NewEntry {
        let stored = StoredRequest::of(ask).if_ended(true);
        let body = StoredJson::new(serde_json::to_string(&stored).unwrap_or_default());
        NewEntry { body, ..self.entry(ask, false, false) }
    }

    /// How long after the deadline of executeOmniFlow Salesforce may usually still do it: the longest time of a synchronous
    /// transaction of Apex
    /// (<https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_gov_limits.htm>).
    pub const LATE_ROUTING: Duration = Duration::from_secs(10);
    /// How long after it was asked Salesforce may still do it at all: the same page gives callouts of a transaction 120 s, beside
    /// its own time.
    pub(super) const LATEST_ROUTING: Duration = Duration::from_secs(135);

    /// An entry that clears the routing of a call which Salesforce may still route after `within` and
    /// [`Outbox::LATE_ROUTING`]. When it is due, it is sent only if the caller is gone and no agent has had the call.
    #[must_use]
    pub fn late_clear(&self, call: &CallReference, origin: &Origin, within: Duration) -> NewEntry {
        let entry = self.entry(SalesforceRequest::ClearRouting(call, origin), false, true);
        let next_at = later(entry.next_at, within + Self::LATE_ROUTING);
        NewEntry { kind: EntryKind::LateClear, next_at, ..entry }
    }

    /// Takes as come what a clock that has been set back since has put too far ahead. `is_set_back`: our own clock has
    /// been, while we were running; then our own leases begin anew.
    ///
    /// # Errors
    /// When the store does not answer.
    pub(super) async fn bring_back(&self, is_set_back: bool) -> Result<(), StoreError> {
        let terms = self.terms.load_full();
        if is_set_back {
            tracing::warn!(
                "the clock was set back: leases begin anew, and what waits longer than it can is due"
            );
            self.store.renew(&self.owner, self.lease_until()).await?;
        }
        let (lease, next) = (terms.lease, terms.schedule.longest());
        let ahead = Ahead { now: self.now(), owner: self.owner.clone(), lease, next };
        let brought_back = self.store.bring_back(&ahead).await?;
        if brought_back > 0 {
            tracing::warn!(
                brought_back,
                "times in the database lay too far ahead: a clock has been set back"
            );
        }
        Ok(())
    }

    /// A lease of its own, for that long at most.
    #[must_use]
    pub fn hold(&self, at_most: Duration) -> Hold {
        let until = self.now().checked_add(at_most).unwrap_or(Timestamp::MAX);
        // Whose it is must be seen: see `bring_back`.
        Hold { owner: format!("{}/{}", self.owner, self.ids.unique()), until }
    }

    /// Ends a hold: the worker may take up what it held. If that fails, it ends by itself.
    pub async fn let_go(&self, hold: &Hold) {
        if let Err(error) = self.store.renew(&hold.owner, self.now()).await {
            tracing::warn!(%error, "entries that waited for a create wait longer");
        }
        self.wake_worker();
    }

    /// Ends our lease on these entries: the worker may take them up. If that fails, it ends by itself.
    pub async fn give_back(&self, ids: &[EntryId]) {
        self.give_back_of(&self.owner, ids).await;
    }

    async fn give_back_of(&self, owner: &str, ids: &[EntryId]) {
        if let Err(error) = self.store.give_back(ids, owner).await {
            tracing::warn!(%error, "what is kept waits for the end of its lease");
        }
        self.wake_worker();
    }

    /// Takes entries in. They are durable when this returns, and ours to try until the lease ends, or held.
    ///
    /// # Errors
    /// When they could not be written; nothing is promised then.
    pub async fn put(
        self: &Arc<Self>,
        subject: Subject,
        entries: Vec<NewEntry>,
        unless_answered: bool,
        hold: Option<&Hold>,
    ) -> Result<Enqueued, StoreError> {
        self.put_marked(subject, entries, unless_answered, hold, None).await
    }

    /// The same, with a mark for the call's task in the same commit, if they are taken.
    ///
    /// # Errors
    /// As [`Outbox::put`].
    pub async fn put_marked(
        self: &Arc<Self>,
        subject: Subject,
        entries: Vec<NewEntry>,
        unless_answered: bool,
        hold: Option<&Hold>,
        mark: Option<NewEvent>,
    ) -> Result<Enqueued, StoreError> {
        let now = self.now();
        let (owner, lease_until) = match hold {
            Some(hold) => (hold.owner.clone(), hold.until),
            None => (self.owner.clone(), self.lease_until()),
        };
        let mark = mark.map(Box::new);
        let note = match &subject {
            Subject::Known(note) => Some(Arc::clone(note)),
            Subject::Unknown(..) => None,
        };
        let enqueue = Enqueue { subject, entries, unless_answered, mark, owner, lease_until, now };
        let owner = enqueue.owner.clone();
        let _span = store_span("store commit");
        let answer = self.store.begin_enqueue(enqueue).await?;
        let mut waiting = Waiting { outbox: self, owner, answer: Some(answer) };
        let enqueued = match &mut waiting.answer {
            Some(answer) => answer.await.map_err(|_| StoreError::Closed)?,
            None => Err(StoreError::Closed),
        };
        waiting.answer = None;
        let enqueued = enqueued?;
        // Whatever became of the entries, the note is kept.
        if let Some(note) = note {
            self.lock_recent().add(&note, Kept::Already);
        }
        if matches!(enqueued, Enqueued::Accepted { behind: true, .. }) {
            self.wake_worker();
        }
        Ok(enqueued)
    }

    /// What an attempt means for its entry, `attempts` of which failed before.
    #[must_use]
    pub fn judge(
        &self,
        tried: Tried,
        failure: Option<&Failure>,
        attempts: u32,
        created_at: Timestamp,
    ) -> Attempt {
        let (now, terms) = (self.now(), self.terms.load());
        verdict(tried, failure, now, |after| {
            terms.schedule.next(attempts.saturating_add(1), created_at, now, after, self.ids.fraction())
        })
    }

    /// Writes down how an attempt ended. If that fails, the lease ends by itself and the entry is tried again.
    pub async fn settle(&self, id: EntryId, attempt: Attempt, note: Option<Note>) {
        let note = note.map(Box::new);
        let settle = Settle { id, owner: self.owner.clone(), attempt, note, now: self.now() };
        match self.store.settle(settle).await {
            // Another time is to be waited for, or the next entry of the call is free.
            Ok(_) => self.wake_worker(),
            Err(error) => {
                tracing::warn!(entry = id.0, %error, "the end of an attempt was not written down; it will be tried again");
            }
        }
    }
}

/// After which pauses a database that has failed is told again what nobody else knows, a quarter of an hour long in all. Without that
/// a repeated create makes a second VoiceCall once the database is back.
fn reminders() -> impl Iterator<Item = Duration> {
    const LONGEST: Duration = Duration::from_secs(5);
    let rising =
        std::iter::successors(Some(Duration::from_millis(250)), |pause| Some((*pause * 2).min(LONGEST)));
    rising.take(185)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::domain::VendorCallKey;

    #[test]
    fn a_database_that_failed_is_told_again_at_once_and_for_a_quarter_of_an_hour() {
        let pauses: Vec<Duration> = reminders().collect();
        assert!(pauses[0] < Duration::from_secs(1));
        assert!(pauses.iter().all(|pause| *pause <= Duration::from_secs(5)));
        let all: Duration = pauses.iter().sum();
        assert!((900..=920).contains(&all.as_secs()), "{all:?}");
    }

    #[tokio::test]
    async fn the_end_of_an_attempt_wakes_the_worker_for_the_next_entry_of_the_call() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("bridge.db").display());
        let settings = settings::Outbox {
            schedule: vec![Duration::from_secs(1)],
            give_up_after: Duration::from_secs(60),
            lease: Duration::from_secs(30),
            keep_buried: Duration::from_secs(60),
            concurrency: 1,
        };
        let now = Timestamp::UNIX_EPOCH;
        let outbox = Arc::new(Outbox::new(
            Store::open(&url).await.unwrap(),
            &settings,
            Arc::new(ManualClock::new(now)),
            Arc::new(Ids::new(1)),
            Arc::new(Metrics::new().unwrap()),
        ));
        let center = CallCenterName::parse("Main").unwrap();
        let name = CallName::new(center, VendorCallKey::parse("wxcc_1").unwrap(), None);
        let entry = || NewEntry {
            kind: EntryKind::Clear,
            is_final: false,
            body: StoredJson::new("{}".to_owned()),
            next_at: now,
        };
        let subject = Subject::Known(Arc::new(Note::of(name, now)));
        let taken = outbox.put(subject, vec![entry(), entry()], false, None).await.unwrap();
        let Enqueued::Accepted { ids, .. } = taken else { panic!("{taken:?}") };
        // Nobody has rung yet.
        assert!(timeout(Duration::ZERO, outbox.woken()).await.is_err());
        outbox.settle(ids[0], Attempt::Delivered { close: false }, None).await;
        timeout(Duration::from_secs(10), outbox.woken()).await.unwrap();
    }
}
