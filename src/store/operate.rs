//! What an operator and the housekeeping ask of the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::kept_name;
use super::outbox::once_more;
use super::row::{Millis, read_some, time};
use super::sql::Query;
use super::{Entry, EntryId, EntryKind, EntryState, Store, StoreError, Unreadable};
use crate::domain::{CallCenterName, CallId, CallReference};

/// How many rows one commit of the housekeeping removes, so that nobody waits long behind it.
const CHUNK: usize = 1000;

/// Which entries. What is left out does not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// This one.
    pub id: Option<EntryId>,
    /// In this state.
    pub state: Option<EntryState>,
    /// Of this call.
    pub call: Option<CallId>,
    /// Of this contact center.
    pub call_center: Option<CallCenterName>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// Put in before.
    pub older_than: Option<Timestamp>,
    /// Only what would clear the routing of a caller who is gone, as [`Store::count_not_cleared`] counts them.
    pub not_cleared: bool,
    /// With this text in the reason or in Salesforce's last words, capitals or not.
    pub words: Option<String>,
    /// At most so many, the oldest.
    pub limit: Option<u32>,
}

/// Whether an entry is what would clear the routing of a caller who is gone: a clear or a final update, which clears it too, of a
/// call that may still wait. That is [`Call::may_wait_in_queue`](crate::domain::Call::may_wait_in_queue) in the words of SQL. A
/// clear of a call that the journal does not know counts, and so does a late clear that Salesforce did not take: the routing that it is to
/// remove may have come after the call was closed.
macro_rules! would_clear {
    () => {
        concat!(
            "(o.kind = 'clear' AND NOT EXISTS (SELECT 1 FROM calls AS c WHERE c.id = o.call_id)
            OR (o.kind = 'clear' OR o.kind = 'update' AND o.is_final = 1)
                AND EXISTS (SELECT 1 FROM calls AS c WHERE c.id = o.call_id
                    AND c.routed_at IS NOT NULL AND coalesce(c.route_result, 0) <> 1
                    AND coalesce(c.answered_at, c.closed_at) IS NULL
                    AND (coalesce(c.cleared_at, c.nothing_to_clear_at) IS NULL
                        OR {latest c.cleared_at, c.nothing_to_clear_at} < coalesce(c.route_at, c.routed_at)))
            OR o.kind = 'late_clear' AND o.attempts > 0 AND coalesce(o.last_words, '') <> '",
            once_more!(),
            "' AND EXISTS (SELECT 1 FROM calls AS c WHERE c.id = o.call_id AND c.ended_at IS NOT NULL
                    AND c.answered_at IS NULL))"
        )
    };
}

/// The condition of a filter on `o`.
macro_rules! filter {
    () => {
        concat!(
            "({not_cleared int} = 0 OR ",
            would_clear!(),
            ") AND ({id} IS NULL OR o.id = {id int}) AND ({state} IS NULL OR o.state = {state})
        AND ({call_id} IS NULL OR o.call_id = {call_id int}) AND ({call_center} IS NULL OR o.call_center = {call_center}) AND ({kind} IS NULL OR o.kind = {kind})
        AND ({before} IS NULL OR o.created_at < {before int})
        AND ({words} IS NULL OR {position lower(coalesce(o.reason, '') || ' ' || coalesce(o.last_words, '')),
            lower({words})} > 0)
        ORDER BY o.id LIMIT {limit int}"
        )
    };
}

/// Ids of a filter, in order.
#[derive(Clone, Copy, Serialize)]
struct Matching<'a> {
    id: Option<EntryId>,
    state: Option<EntryState>,
    call_id: Option<i64>,
    call_center: Option<&'a CallCenterName>,
    kind: Option<EntryKind>,
    before: Option<Millis>,
    not_cleared: i64,
    words: Option<&'a str>,
    limit: u32,
}

impl Query for Matching<'_> {
    type Row = EntryId;
    const SQL: &'static str = concat!("SELECT CAST(o.id AS TEXT) FROM outbox AS o WHERE ", filter!());
}

/// Entries of calls by how those were named: of calls that the journal does not know, see `key_of` of the outbox; of others,
/// also of those of which it knows nothing else, by the key.
#[derive(Serialize)]
struct EntriesNaming<'a> {
    names: Vec<&'a str>,
    limit: usize,
}

impl Query for EntriesNaming<'_> {
    type Row = EntryId;
    const SQL: &'static str = "SELECT CAST(o.id AS TEXT) FROM outbox AS o
        WHERE EXISTS (SELECT 1 FROM {each names} AS n WHERE o.call_id IS NULL
                AND (o.call_key = o.call_center || '/' || n.value
                    OR o.call_key = o.call_center || '/' || n.value || '/late')
            OR o.call_id IN (SELECT c.id FROM calls AS c WHERE c.vendor_call_key = n.value))
        ORDER BY o.id LIMIT {limit int}";
}

/// Removes entries of a filter.
#[derive(Serialize)]
#[serde(transparent)]
struct Discard<'a>(Matching<'a>);

impl Query for Discard<'_> {
    type Row = EntryId;
    const SQL: &'static str = concat!(
        "DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox AS o WHERE ",
        filter!(),
        ") RETURNING CAST(id AS TEXT)"
    );
}

/// Makes buried entries pending again, as if put in now.
#[derive(Serialize)]
struct Retry {
    now: Millis,
    ids: Vec<EntryId>,
}

impl Query for Retry {
    type Row = EntryId;
    const SQL: &'static str = "UPDATE outbox SET state = 'pending', attempts = 0, created_at = {now int},
            next_at = {now int}, reason = NULL, buried_at = NULL
        WHERE state = 'buried' AND id IN {each ids int} RETURNING CAST(id AS TEXT)";
}

/// Of these entries, those that can be made due. A late clear that was not tried yet, or is sent once more, waits on purpose
/// ([`Entry::waits_on_purpose`]): until then Salesforce may still make the routing that it is to remove.
macro_rules! can_hurry {
    () => {
        concat!(
            "o.state = 'pending' AND o.next_at > {now int}
            AND (o.kind <> 'late_clear' OR o.attempts > 0 AND coalesce(o.last_words, '') <> '",
            once_more!(),
            "') AND o.id IN {each ids int} ORDER BY o.id"
        )
    };
}

/// Tells which entries [`Hurry`] would make due.
#[derive(Serialize)]
struct CanHurry {
    now: Millis,
    ids: Vec<EntryId>,
}

impl Query for CanHurry {
    type Row = EntryId;
    const SQL: &'static str = concat!("SELECT CAST(o.id AS TEXT) FROM outbox AS o WHERE ", can_hurry!());
}

/// Makes waiting entries due now.
#[derive(Serialize)]
struct Hurry {
    now: Millis,
    ids: Vec<EntryId>,
}

impl Query for Hurry {
    type Row = EntryId;
    const SQL: &'static str = concat!(
        "UPDATE outbox SET next_at = {now int} WHERE id IN (SELECT o.id FROM outbox AS o WHERE ",
        can_hurry!(),
        " {lock}) RETURNING CAST(id AS TEXT)"
    );
}

/// Counts entries.
#[derive(Serialize)]
struct CountAll {}

impl Query for CountAll {
    type Row = Count;
    const SQL: &'static str =
        "SELECT {text {object 'call_center', call_center, 'kind', kind, 'state', state, 'entries', count(*),
            'oldest', min(created_at)}}
        FROM outbox WHERE {input} IS NOT NULL GROUP BY call_center, kind, state
        ORDER BY call_center, kind, state";
}

/// Counts callers who are gone and whose routing is not cleared, by what would clear it: each once, whatever of several entries
/// would, and none as buried for whom something is still tried.
#[derive(Serialize)]
struct CountNotCleared {}

impl Query for CountNotCleared {
    type Row = NotCleared;
    const SQL: &'static str = concat!(
        "SELECT {text {object 'call_center', o.call_center, 'state', o.state,
            'callers', count(DISTINCT coalesce('call ' || o.call_id, o.call_key)),
            'oldest', min(CASE WHEN o.kind = 'late_clear' THEN coalesce(
                (SELECT c.ended_at FROM calls AS c WHERE c.id = o.call_id), o.created_at) ELSE o.created_at END)}}
        FROM outbox AS o WHERE {input} IS NOT NULL AND (o.state = 'pending' OR NOT EXISTS (SELECT 1 FROM outbox AS p
            WHERE p.call_id = o.call_id AND p.state = 'pending' AND (p.kind = 'clear' OR p.kind = 'update' AND p.is_final = 1)))
        AND (",
        would_clear!(),
        ") GROUP BY o.call_center, o.state ORDER BY o.call_center, o.state"
    );
}

/// Makes a statement that removes some rows that are older than a time, and gives one row for each.
macro_rules! purge {
    ($(#[$doc:meta])* $name:ident $sql:expr) => {
        $(#[$doc])*
        #[derive(Serialize)]
        #[serde(transparent)]
        struct $name(Old);

        impl From<Old> for $name {
            fn from(old: Old) -> Self {
                Self(old)
            }
        }

        impl Query for $name {
            type Row = serde_json::Value;
            const SQL: &'static str = $sql;
        }
    };
}

/// Before when, and how many.
#[derive(Serialize)]
struct Old {
    before: Millis,
    limit: usize,
}

purge! {
    /// Old calls that no entry needs: an entry is sent by what the journal knows of its call, of others of the same key and
    /// of the one that its call continues, so none of them goes before it. A buried one may be sent again.
    OldCalls "WITH held AS (SELECT DISTINCT w.call_center, w.vendor_call_key, w.parent
            FROM outbox AS o JOIN calls AS w ON w.id = o.call_id), kept AS (
            SELECT call_center, vendor_call_key AS name FROM held
            UNION SELECT call_center, parent FROM held WHERE parent <> '')
        DELETE FROM calls WHERE id {in SELECT c.id FROM calls AS c WHERE c.updated_at < {before int}
            AND (c.call_center, c.vendor_call_key) NOT IN (SELECT call_center, name FROM kept)
            AND (c.voice_call_id IS NULL
                OR (c.call_center, substr(c.voice_call_id, 1, 15)) NOT IN (SELECT call_center, name FROM kept))
            LIMIT {limit int} {skip locked}}
        RETURNING CAST(id AS TEXT)"
}

purge! {
    /// Entries that were buried long ago.
    OldBuried "DELETE FROM outbox WHERE id {in SELECT id FROM outbox
            WHERE state = 'buried' AND buried_at < {before int} LIMIT {limit int} {skip locked}}
        RETURNING CAST(id AS TEXT)"
}

purge! {
    /// Old tasks for which nothing is to be done.
    OldTasks "DELETE FROM tasks WHERE task_id {in SELECT task_id FROM tasks
            WHERE updated_at < {before int} AND due_at IS NULL LIMIT {limit int} {skip locked}}
        RETURNING {quoted task_id}"
}

purge! {
    /// Old events of tasks that are not to be looked at.
    OldEvents "DELETE FROM events WHERE (task_id, event_id) IN (SELECT task_id, event_id FROM events
            WHERE arrived_at < {before int} AND NOT EXISTS (SELECT 1 FROM tasks AS t
                WHERE t.task_id = events.task_id AND t.due_at IS NOT NULL) LIMIT {limit int} {skip locked})
        RETURNING {quoted event_id}"
}

purge! {
    /// Old private details.
    OldPrivate "DELETE FROM details WHERE (vendor_call_key, call_center, parent, kind, source) IN (
            SELECT vendor_call_key, call_center, parent, kind, source FROM details
            WHERE is_private = 1 AND updated_at < {before int} LIMIT {limit int} {skip locked})
        RETURNING {quoted kind}"
}

purge! {
    /// Old details of calls that are gone.
    OldDetails "DELETE FROM details WHERE (vendor_call_key, call_center, parent, kind, source) IN (
            SELECT vendor_call_key, call_center, parent, kind, source FROM details AS d
            WHERE d.updated_at < {before int} AND NOT EXISTS (SELECT 1 FROM calls AS c
                WHERE c.call_center = d.call_center AND c.vendor_call_key = d.vendor_call_key
                AND c.parent = d.parent) LIMIT {limit int} {skip locked})
        RETURNING {quoted kind}"
}

purge! {
    /// Old exchanges.
    OldExchanges "DELETE FROM exchanges WHERE id {in SELECT id FROM exchanges
            WHERE at < {before int} LIMIT {limit int} {skip locked}}
        RETURNING CAST(id AS TEXT)"
}

impl Filter {
    fn matching(&self) -> Matching<'_> {
        Matching {
            id: self.id,
            state: self.state,
            call_id: self.call.map(|call| call.0),
            call_center: self.call_center.as_ref(),
            kind: self.kind,
            before: self.older_than.map(Millis::from),
            not_cleared: i64::from(self.not_cleared),
            words: self.words.as_deref(),
            limit: self.limit.unwrap_or(u32::MAX),
        }
    }
}

/// Whether something is done, or only counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Done.
    Real,
    /// Counted.
    Dry,
}

/// How many entries of a contact center, of a kind, are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Count {
    /// The contact center.
    pub call_center: CallCenterName,
    /// The kind.
    pub kind: EntryKind,
    /// The state.
    pub state: EntryState,
    /// How many.
    pub entries: u64,
    /// When the oldest was put in.
    #[serde(deserialize_with = "time")]
    pub oldest: Timestamp,
}

/// How many callers of a contact center are gone and not cleared, and how what would clear them is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct NotCleared {
    /// The contact center.
    pub call_center: CallCenterName,
    /// Pending: it is still tried. Buried: nobody tries it any more.
    pub state: EntryState,
    /// How many.
    pub callers: u64,
    /// Since when the first of them waits: when that was put in, and for a late clear the hang-up.
    #[serde(deserialize_with = "time")]
    pub oldest: Timestamp,
}

/// What the housekeeping removes.
#[derive(Debug, Clone, Copy)]
pub struct PurgeBefore {
    /// Calls of which nothing was learned since, and that no entry of the outbox needs; so too for tasks and their
    /// events, as long as nothing is still to be done for them; and exchanges.
    pub calls: Timestamp,
    /// Entries buried before.
    pub buried: Timestamp,
    /// Private details of calls that were told before.
    pub private: Timestamp,
}

/// What it has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Calls.
    pub calls: usize,
    /// Buried entries.
    pub buried: usize,
    /// Tasks.
    pub tasks: usize,
    /// Events.
    pub events: usize,
    /// Details of calls.
    pub details: usize,
    /// Rows of exchanges, each of about a second.
    pub exchanges: usize,
}

/// Entries that were changed come back in any order.
fn in_order(mut ids: Vec<EntryId>) -> Vec<EntryId> {
    ids.sort_unstable();
    ids
}

impl Store {
    /// Entries of a filter, oldest first, those among them that this version cannot read as what can be told of them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_all(&self, filter: &Filter) -> Result<Vec<Result<Entry, Box<Unreadable>>>, StoreError> {
        self.entries(&self.read(&filter.matching()).await?).await
    }

    /// Entries of a filter that can be read, oldest first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
        Ok(self.list_all(filter).await?.into_iter().filter_map(Result::ok).collect())
    }

    /// One entry that can be read.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn show(&self, id: EntryId) -> Result<Option<Entry>, StoreError> {
        let filter = Filter { id: Some(id), ..Filter::default() };
        Ok(self.list(&filter).await?.into_iter().next())
    }

    /// Entries of calls that were named so, as [`Store::list_all`] gives them, at most so many. Of a call that the journal knows
    /// under an id only its key finds them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_named(
        &self,
        names: &[CallReference],
        limit: usize,
    ) -> Result<Vec<Result<Entry, Box<Unreadable>>>, StoreError> {
        let query = EntriesNaming { names: names.iter().map(kept_name).collect(), limit };
        self.entries(&self.read(&query).await?).await
    }

    /// Entries by their numbers, oldest first, as [`Store::list_all`] gives them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_these(
        &self,
        ids: &[EntryId],
    ) -> Result<Vec<Result<Entry, Box<Unreadable>>>, StoreError> {
        self.entries(ids).await
    }

    /// Makes the buried entries of a filter pending again, as if put in now; gives which, oldest first.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn retry(&self, filter: &Filter, now: Timestamp, run: Run) -> Result<Vec<EntryId>, StoreError> {
        if filter.state == Some(EntryState::Pending) {
            return Ok(Vec::new());
        }
        let filter = Filter { state: Some(EntryState::Buried), ..filter.clone() };
        let ids = self.read(&filter.matching()).await?;
        match run {
            Run::Dry => Ok(ids),
            Run::Real => Ok(in_order(self.write(&Retry { now: now.into(), ids }).await?)),
        }
    }

    /// Makes the waiting entries of a filter due now, with the attempts and the age that they have; gives which, oldest first.
    /// A late clear keeps its first moment.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn hurry(&self, filter: &Filter, now: Timestamp, run: Run) -> Result<Vec<EntryId>, StoreError> {
        if filter.state == Some(EntryState::Buried) {
            return Ok(Vec::new());
        }
        let filter = Filter { state: Some(EntryState::Pending), ..filter.clone() };
        let (now, ids) = (now.into(), self.read(&filter.matching()).await?);
        match run {
            Run::Dry => self.read(&CanHurry { now, ids }).await,
            Run::Real => Ok(in_order(self.write(&Hurry { now, ids }).await?)),
        }
    }

    /// Removes the entries of a filter, pending ones too if it does not say otherwise; gives which, oldest first.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn discard(&self, filter: &Filter, run: Run) -> Result<Vec<EntryId>, StoreError> {
        match run {
            Run::Real => Ok(in_order(self.write(&Discard(filter.matching())).await?)),
            Run::Dry => self.read(&filter.matching()).await,
        }
    }

    /// How many entries there are, by contact center, kind and state; those of a kind or state that only a newer version
    /// knows are not counted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count(&self) -> Result<Vec<Count>, StoreError> {
        Ok(read_some(&self.read_raw(&CountAll {}).await?).collect())
    }

    /// How many callers are gone and not cleared, by contact center and state.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count_not_cleared(&self) -> Result<Vec<NotCleared>, StoreError> {
        Ok(read_some(&self.read_raw(&CountNotCleared {}).await?).collect())
    }

    /// Removes what is old, a little at a time, then leaves no trace of it in SQLite's files.
    ///
    /// # Errors
    /// When it could not be written; the rest is removed the next time.
    pub async fn purge(&self, before: PurgeBefore) -> Result<Purged, StoreError> {
        let purged = Purged {
            buried: self.purge_all::<OldBuried>(before.buried).await?,
            calls: self.purge_all::<OldCalls>(before.calls).await?,
            tasks: self.purge_all::<OldTasks>(before.calls).await?,
            events: self.purge_all::<OldEvents>(before.calls).await?,
            details: self.purge_all::<OldPrivate>(before.private).await?
                + self.purge_all::<OldDetails>(before.calls).await?,
            exchanges: self.purge_all::<OldExchanges>(before.calls).await?,
        };
        if let Some(answered) = self.answered.as_ref().filter(|_| purged.calls > 0) {
            answered.clear();
        }
        self.checkpoint().await?;
        if let Some(known) = &self.known {
            known.forget(purged.calls, self).await?;
        }
        if let Some(in_flight) = &self.in_flight {
            in_flight.tidy().await?;
        }
        Ok(purged)
    }

    async fn purge_all<Q: Query + From<Old>>(&self, before: Timestamp) -> Result<usize, StoreError> {
        let mut purged = 0;
        loop {
            let rows = self.write(&Q::from(Old { before: before.into(), limit: CHUNK })).await?.len();
            purged += rows;
            if rows < CHUNK {
                return Ok(purged);
            }
        }
    }
}
