//! The outbox: what must still reach Salesforce. Put in, leased, settled.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::Job;
use super::journal::{Calls, EndCreateLeases};
use super::row::{CallRow, Millis, time, unreadable};
use super::sql::{Connection, Query};
use super::task::EndTaskLeases;
use super::{Answer, NewEvent, Note, Store, StoreError};
use crate::domain::{Call, CallCenterName, CallReference, StoredJson};

/// The kinds of entries that this version can send, as [`EntryKind`] spells them. Others are a newer version's:
/// they are left alone, and keep the entries of their call behind them.
macro_rules! known_kinds {
    () => {
        "('create', 'clear', 'update', 'late_clear')"
    };
}

#[cfg(test)]
pub(super) use known_kinds;

/// What an entry is told when the lease of who tried it has ended without a word.
macro_rules! broken_off {
    () => {
        "whoever tried it was gone before the answer came"
    };
}

/// What a late clear is told that has cleared a routing, and is sent once more.
macro_rules! once_more {
    () => {
        "its routing was cleared; that is done once more, because Salesforce may still route it after that"
    };
}
pub(super) use once_more;

/// What a late clear is told that has cleared a routing, and is sent once more: until then it is none that failed.
pub const ONCE_MORE: &str = once_more!();

/// No earlier entry of the same call is waiting.
macro_rules! is_first {
    () => {
        "NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.call_key = o.call_key AND e.state = 'pending' AND e.id < o.id)"
    };
}

/// Waits, is of a kind that this version knows, is leased to nobody and is the first of its call.
macro_rules! is_free {
    () => {
        concat!(
            "o.state = 'pending' AND (o.lease_until IS NULL OR o.lease_until <= {now int}) AND o.kind IN ",
            known_kinds!(),
            " AND ",
            is_first!()
        )
    };
}

/// The number of an entry; ascending is the order. Never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EntryId(pub i64);

/// What an entry asks of Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A deferred create.
    Create,
    /// Clears the routing.
    Clear,
    /// Updates the record.
    Update,
    /// Clears the routing of a call whose executeOmniFlow Salesforce may still do after its caller is gone. It stands
    /// outside the order of its call: it waits for no other entry, and none waits for it.
    LateClear,
}

impl EntryKind {
    /// The name in the log, in metrics and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Clear => "clear",
            Self::Update => "update",
            Self::LateClear => "late-clear",
        }
    }
}

/// Whether it is still tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryState {
    /// It is.
    Pending,
    /// It is not: refused for good, or tried often enough. Kept for an operator.
    Buried,
}

impl EntryState {
    /// The name in metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Buried => "buried",
        }
    }
}

/// An entry to be.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// What it asks.
    pub kind: EntryKind,
    /// Whether it is the call's final update, of which there is one only.
    pub is_final: bool,
    /// What is sent.
    pub body: StoredJson,
    /// When it is due, for the worker.
    pub next_at: Timestamp,
}

/// Whose entries they are.
#[derive(Debug, Clone)]
pub enum Subject {
    /// A call of the journal, which this note adds to in the same commit.
    Known(Arc<Note>),
    /// A call that the journal does not know and has no key for.
    Unknown(CallCenterName, CallReference),
}

/// Entries of one call, taken together or not at all.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// Whose.
    pub subject: Subject,
    /// In this order.
    pub entries: Vec<NewEntry>,
    /// Take them only if no agent is known to have had the call, in the same commit that would tell.
    pub unless_answered: bool,
    /// Kept with the call's task if they are taken, in the same commit.
    pub mark: Option<Box<NewEvent>>,
    /// Who will try them at once.
    pub owner: String,
    /// Until when the worker leaves them alone.
    pub lease_until: Timestamp,
    /// The current time.
    pub now: Timestamp,
}

impl Enqueue {
    /// Whether its note says that the caller is gone.
    pub(super) fn ends_call(&self) -> bool {
        matches!(&self.subject, Subject::Known(note) if note.ended_at.is_some())
    }
}

/// What became of them. The note is kept in every case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// They are durable.
    Accepted {
        /// Their numbers, in their order.
        ids: Vec<EntryId>,
        /// Earlier entries of the call are still waiting: these wait behind them, are not leased and must not be
        /// tried now.
        behind: bool,
        /// What is known of the call.
        call: Option<Box<Call>>,
    },
    /// The call has its final update already, on its way, buried or delivered; or its create waits already, or it needs
    /// none.
    Duplicate,
    /// An agent has had the call. If the note says that the caller is gone, what its create said is removed.
    Answered,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// Salesforce has it: the entry is removed.
    Delivered {
        /// Nothing is left to send for the call.
        close: bool,
    },
    /// Salesforce was not asked: the lease is given back, and all else stays as it was.
    NotTried {
        /// When it may be asked.
        next_at: Timestamp,
        /// Why it was not; told, not kept.
        words: String,
    },
    /// Another time.
    Later {
        /// When.
        next_at: Timestamp,
        /// What Salesforce said.
        words: String,
    },
    /// Never again by itself.
    Buried {
        /// Why.
        reason: String,
        /// What Salesforce said.
        words: String,
    },
}

/// The end of an attempt, written down.
#[derive(Debug, Clone)]
pub struct Settle {
    /// Which entry.
    pub id: EntryId,
    /// Who has tried. A failure is written down only by who still holds the lease; a delivery always is.
    pub owner: String,
    /// How it ended.
    pub attempt: Attempt,
    /// What was learned by it, such as the id of a deferred create; in the same commit.
    pub note: Option<Box<Note>>,
    /// The current time.
    pub now: Timestamp,
}

/// Which due entries to lease.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The current time.
    pub now: Timestamp,
    /// For whom.
    pub owner: String,
    /// Until when; then others may take them.
    pub until: Timestamp,
    /// At most so many.
    pub limit: u32,
    /// Of which contact center.
    pub of: LeaseOf,
}

/// Of which contact center entries are leased.
#[derive(Debug, Clone)]
pub enum LeaseOf {
    /// This one.
    Center(CallCenterName),
    /// Any but these: what waits for one that is not configured any more.
    AllBut(Vec<CallCenterName>),
}

/// An entry as it stands.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub id: EntryId,
    /// The contact center.
    pub call_center: CallCenterName,
    /// What is known of its call.
    pub call: Option<Call>,
    /// What it asks.
    pub kind: EntryKind,
    /// Whether it is the call's final update.
    pub is_final: bool,
    /// What is sent.
    pub body: StoredJson,
    /// Whether it is still tried.
    pub state: EntryState,
    /// How often it has failed.
    pub attempts: u32,
    /// When it was put in.
    pub created_at: Timestamp,
    /// When it is due.
    pub next_at: Timestamp,
    /// Until when somebody is trying it.
    pub lease_until: Option<Timestamp>,
    /// What Salesforce said last.
    pub last_words: Option<String>,
    /// Why it was buried.
    pub reason: Option<String>,
    /// When it was buried.
    pub buried_at: Option<Timestamp>,
}

impl Entry {
    /// Whether it is a late clear that waits for a routing that Salesforce may still make: it was not tried yet, or has cleared one
    /// and is sent once more.
    pub fn waits_on_purpose(&self) -> bool {
        let is_sent_again = self.last_words.as_deref() == Some(ONCE_MORE);
        self.kind == EntryKind::LateClear
            && self.state == EntryState::Pending
            && (self.attempts == 0 || is_sent_again)
    }

    /// An entry that was just put in, as whoever tries it at once has it.
    #[must_use]
    pub fn fresh(id: EntryId, new: NewEntry, call_center: CallCenterName, call: Option<Call>) -> Self {
        Self {
            id,
            call_center,
            call,
            kind: new.kind,
            is_final: new.is_final,
            body: new.body,
            state: EntryState::Pending,
            attempts: 0,
            created_at: new.next_at,
            next_at: new.next_at,
            lease_until: None,
            last_words: None,
            reason: None,
            buried_at: None,
        }
    }

    /// Whether somebody tried it last who was gone before the answer came: Salesforce may have done what it asks. Kept of
    /// creates only, which make a second VoiceCall when they are sent again.
    #[must_use]
    pub fn is_broken_off(&self) -> bool {
        self.last_words.as_deref() == Some(broken_off!())
    }
}

#[derive(Deserialize)]
struct IdRow {
    id: i64,
}

/// An entry on its way from the database.
#[derive(Deserialize)]
struct EntryRow {
    id: i64,
    call_center: String,
    call: Option<CallRow>,
    kind: EntryKind,
    is_final: i64,
    body: String,
    state: EntryState,
    attempts: u32,
    created_at: Millis,
    next_at: Millis,
    lease_until: Option<Millis>,
    last_words: Option<String>,
    reason: Option<String>,
    buried_at: Option<Millis>,
}

/// An entry that this version cannot read, with what can be told of it all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Its number.
    pub id: EntryId,
    /// The contact center, whatever stands there.
    pub call_center: Option<String>,
    /// What it asks, whatever stands there.
    pub kind: Option<String>,
    /// Whether it is still tried, whatever stands there.
    pub state: Option<String>,
    /// When it was put in.
    pub created_at: Option<Timestamp>,
    /// How often it has failed.
    pub attempts: Option<u32>,
    /// Why it was buried.
    pub reason: Option<String>,
    /// What Salesforce said last.
    pub last_words: Option<String>,
    /// What is wrong with it, without a word of what stands there.
    pub problem: &'static str,
}

/// What is wrong with an entry of a kind that this version does not know.
const UNKNOWN_KIND: &str = "a newer version of the service put it in: this one leaves it alone";

impl Unreadable {
    fn of(id: EntryId, row: &serde_json::Value, problem: &'static str) -> Self {
        let text = |name: &str| row.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        let number = |name: &str| row.get(name).and_then(serde_json::Value::as_i64);
        let time = |name: &str| row.get(name).and_then(|time| Millis::deserialize(time).ok());
        Self {
            id,
            call_center: text("call_center"),
            kind: text("kind"),
            state: text("state"),
            created_at: time("created_at").map(Timestamp::from),
            attempts: number("attempts").and_then(|attempts| u32::try_from(attempts).ok()),
            reason: text("reason"),
            last_words: text("last_words"),
            problem,
        }
    }

    /// Reads the row of an entry that was asked for.
    fn or_entry(id: EntryId, row: &str) -> Result<Entry, Box<Self>> {
        let value: serde_json::Value = serde_json::from_str(row).unwrap_or_default();
        let kind = value.get("kind").cloned().unwrap_or_default();
        let problem = match serde_json::from_str::<EntryRow>(row).map(EntryRow::entry) {
            Ok(Ok(entry)) => return Ok(entry),
            _ if kind.is_string() && serde_json::from_value::<EntryKind>(kind).is_err() => UNKNOWN_KIND,
            Ok(Err(problem)) => problem,
            Err(_) => "its row holds what does not belong there",
        };
        Err(Box::new(Self::of(id, &value, problem)))
    }

    /// Whether a newer version of the service has put it in.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        self.problem == UNKNOWN_KIND
    }
}

impl EntryRow {
    fn entry(self) -> Result<Entry, &'static str> {
        Ok(Entry {
            id: EntryId(self.id),
            call_center: CallCenterName::parse(self.call_center)
                .map_err(|_| "its contact center is no name")?,
            call: self
                .call
                .map(CallRow::call)
                .transpose()
                .map_err(|_| "what the journal holds of its call cannot be read")?,
            kind: self.kind,
            is_final: self.is_final == 1,
            body: StoredJson::new(self.body),
            state: self.state,
            attempts: self.attempts,
            created_at: self.created_at.into(),
            next_at: self.next_at.into(),
            lease_until: self.lease_until.map(Timestamp::from),
            last_words: self.last_words,
            reason: self.reason,
            buried_at: self.buried_at.map(Timestamp::from),
        })
    }
}

/// Leases due entries of known kinds. A create whose lease has ended without a word may have been made.
macro_rules! lease_due {
    ($of:literal) => {
        concat!(
            "UPDATE outbox SET lease_owner = {owner}, lease_until = {until int},
            attempts = attempts + CASE WHEN kind = 'create' AND lease_owner IS NOT NULL THEN 1 ELSE 0 END,
            last_words = CASE WHEN kind = 'create' AND lease_owner IS NOT NULL THEN '",
            broken_off!(),
            "' ELSE last_words END
        WHERE id {in SELECT o.id FROM outbox AS o WHERE o.next_at <= {now int} AND o.call_center ",
            $of,
            " AND ",
            is_free!(),
            " ORDER BY o.next_at, o.id LIMIT {limit int} {skip locked}}
        RETURNING CAST(id AS TEXT)"
        )
    };
}

/// What both leases need.
#[derive(Serialize)]
struct LeaseTerms<'a> {
    now: Millis,
    owner: &'a str,
    until: Millis,
    limit: u32,
}

/// Leases what is due of one contact center, in the order of the index.
#[derive(Serialize)]
struct LeaseOfCenter<'a> {
    #[serde(flatten)]
    terms: LeaseTerms<'a>,
    center: &'a CallCenterName,
}

impl Query for LeaseOfCenter<'_> {
    type Row = EntryId;
    const SQL: &'static str = lease_due!("= {center}");
}

/// Leases what is due of all contact centers but some; reads past all that is due of those.
#[derive(Serialize)]
struct LeaseOfOthers<'a> {
    #[serde(flatten)]
    terms: LeaseTerms<'a>,
    without: &'a [CallCenterName],
}

impl Query for LeaseOfOthers<'_> {
    type Row = EntryId;
    const SQL: &'static str = lease_due!("NOT IN {each without}");
}

/// Prolongs leases.
#[derive(Serialize)]
struct Renew<'a> {
    owner: &'a str,
    until: Millis,
}

impl Query for Renew<'_> {
    type Row = EntryId;
    const SQL: &'static str = "UPDATE outbox SET lease_until = {until int}
        WHERE lease_owner = {owner} AND state = 'pending' RETURNING CAST(id AS TEXT)";
}

/// Gives leases on some entries back.
#[derive(Serialize)]
struct GiveBack<'a> {
    owner: &'a str,
    ids: &'a [EntryId],
}

impl Query for GiveBack<'_> {
    type Row = EntryId;
    const SQL: &'static str = "UPDATE outbox SET lease_owner = NULL, lease_until = NULL
        WHERE lease_owner = {owner} AND id IN {each ids int} RETURNING CAST(id AS TEXT)";
}

/// What becomes of an entry whose lease is given back without a word of how the attempt ended.
macro_rules! released {
    () => {
        concat!(
            "lease_owner = NULL, lease_until = NULL,
            attempts = attempts + CASE WHEN kind = 'create' THEN 1 ELSE 0 END,
            last_words = CASE WHEN kind = 'create' THEN '",
            broken_off!(),
            "' ELSE last_words END"
        )
    };
}

/// Gives all leases of a process back.
#[derive(Serialize)]
struct Release<'a> {
    owner: &'a str,
}

impl Query for Release<'_> {
    type Row = EntryId;
    const SQL: &'static str =
        concat!("UPDATE outbox SET ", released!(), " WHERE lease_owner = {owner} RETURNING CAST(id AS TEXT)");
}

/// Gives the leases of all processes back: there is no other than this one, which has none yet.
#[derive(Serialize)]
pub(super) struct ReleaseAll {}

impl Query for ReleaseAll {
    type Row = ();
    const SQL: &'static str =
        concat!("UPDATE outbox SET ", released!(), " WHERE {input} IS NOT NULL AND lease_owner IS NOT NULL");
}

/// Makes pending entries due. Replicas see the return of an org at the same time: they lock the rows in the same order.
#[derive(Serialize)]
struct MakeDue<'a> {
    now: Millis,
    before: Millis,
    late_before: Millis,
    centers: &'a [CallCenterName],
}

impl Query for MakeDue<'_> {
    type Row = EntryId;
    const SQL: &'static str = "UPDATE outbox SET next_at = {now int}
        WHERE id IN (SELECT o.id FROM outbox AS o WHERE o.state = 'pending' AND o.next_at > {now int}
            AND o.created_at < {before int} AND (o.kind <> 'late_clear' OR o.created_at < {late_before int}) AND o.call_center IN {each centers}
            ORDER BY o.id {lock})
        RETURNING CAST(id AS TEXT)";
}

/// Makes the one entry of a contact center due that can be tried first.
#[derive(Serialize)]
struct MakeOneDue<'a> {
    now: Millis,
    center: &'a CallCenterName,
}

impl Query for MakeOneDue<'_> {
    type Row = EntryId;
    const SQL: &'static str = concat!(
        "UPDATE outbox SET next_at = {now int}
        WHERE next_at > {now int} AND id {in SELECT o.id FROM outbox AS o
            WHERE o.call_center = {center} AND o.kind <> 'late_clear' AND ",
        is_free!(),
        " ORDER BY o.kind = 'create', o.next_at, o.id LIMIT 1 {skip locked}}
        RETURNING CAST(id AS TEXT)"
    );
}

/// When the next entry of each of these contact centers is due that nobody has leased.
#[derive(Serialize)]
struct NextDue<'a> {
    now: Millis,
    centers: &'a [CallCenterName],
}

impl Query for NextDue<'_> {
    type Row = DueCenter;
    const SQL: &'static str = concat!(
        "SELECT {text {object 'call_center', d.call_center, 'next_at', d.next_at}} FROM (
            SELECT c.value AS call_center, (SELECT o.next_at FROM outbox AS o WHERE o.call_center = c.value AND ",
        is_free!(),
        " ORDER BY o.next_at, o.id LIMIT 1) AS next_at FROM {each centers} AS c) AS d
        WHERE d.next_at IS NOT NULL"
    );
}

/// A contact center, and when the next of its entries is due.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct DueCenter {
    /// The contact center.
    pub call_center: CallCenterName,
    /// When its next entry is due.
    #[serde(deserialize_with = "time")]
    pub next_at: Timestamp,
}

/// Of entries that wait, the first of their call that waits before them.
#[derive(Serialize)]
struct AheadOf<'a> {
    ids: &'a [EntryId],
}

impl Query for AheadOf<'_> {
    type Row = AheadRow;
    const SQL: &'static str = "SELECT {text {object 'id', o.id, 'first', min(e.id)}} FROM outbox AS o
        JOIN outbox AS e ON e.call_key = o.call_key AND e.state = 'pending' AND e.id < o.id
        WHERE o.state = 'pending' AND o.id IN {each ids int} GROUP BY o.id";
}

#[derive(Deserialize)]
struct AheadRow {
    id: EntryId,
    first: EntryId,
}

/// Entries in their order.
#[derive(Serialize)]
struct Entries<'a> {
    ids: &'a [EntryId],
}

impl Query for Entries<'_> {
    type Row = serde_json::Value;
    const SQL: &'static str =
        "SELECT {text {entry o}} FROM outbox AS o WHERE o.id IN {each ids int} ORDER BY o.id";
}

impl Store {
    /// Takes entries and a note in one commit; they are durable when this returns, and leased to the caller, who
    /// tries them at once, unless earlier entries of the call are still waiting.
    ///
    /// # Errors
    /// When they could not be written; nothing is promised then.
    pub async fn enqueue(&self, enqueue: Enqueue) -> Result<Enqueued, StoreError> {
        self.begin_enqueue(enqueue).await?.await.map_err(|_| StoreError::Closed)?
    }

    /// As [`Store::enqueue`], and gives where the answer will come: who stops waiting for it must still learn of it,
    /// because the entries are then leased to somebody who tries nothing.
    ///
    /// # Errors
    /// When the store is closed.
    pub async fn begin_enqueue(&self, enqueue: Enqueue) -> Result<Answer<Enqueued>, StoreError> {
        if let Subject::Known(note) = &enqueue.subject {
            self.announce(&note.call);
        }
        self.begin(|reply| Job::Enqueue(Box::new(enqueue), reply)).await
    }

    /// Gives the leases of `owner` on these entries back: they are due for whoever comes first.
    ///
    /// # Errors
    /// When the database does not answer; the leases then end by themselves.
    pub async fn give_back(&self, ids: &[EntryId], owner: &str) -> Result<(), StoreError> {
        self.write(&GiveBack { owner, ids }).await.map(drop)
    }

    /// Writes down how an attempt ended. Gives whether the entry was still there and, for a failure, still ours.
    ///
    /// # Errors
    /// When it could not be written; the lease then ends by itself and the entry is tried again.
    pub async fn settle(&self, settle: Settle) -> Result<bool, StoreError> {
        if let Some(note) = &settle.note {
            self.announce(&note.call);
        }
        self.ask(|reply| Job::Settle(Box::new(settle), reply)).await
    }

    /// Leases due entries, in order. An entry is due when its time has come, nobody holds it and no earlier entry
    /// of its call is waiting. One that turns out to be unreadable is buried, so that it holds up nobody; one of a kind that
    /// this version does not know is not leased.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lease_due(&self, lease: &Lease) -> Result<Vec<Entry>, StoreError> {
        let (now, until) = (lease.now.into(), lease.until.into());
        let terms = LeaseTerms { now, owner: &lease.owner, until, limit: lease.limit };
        let leased = match &lease.of {
            LeaseOf::Center(center) => self.write(&LeaseOfCenter { terms, center }).await?,
            LeaseOf::AllBut(without) => self.write(&LeaseOfOthers { terms, without }).await?,
        };
        let mut entries = Vec::with_capacity(leased.len());
        for read in self.entries(&leased).await? {
            match read {
                Ok(entry) => entries.push(entry),
                Err(unreadable) => self.bury(*unreadable, lease).await?,
            }
        }
        Ok(entries)
    }

    async fn bury(&self, unreadable: Unreadable, lease: &Lease) -> Result<(), StoreError> {
        let (id, kind) = (unreadable.id.0, unreadable.kind);
        let (reason, words) = ("it cannot be read".to_owned(), unreadable.problem.to_owned());
        tracing::error!(entry = id, kind, reason, words, "buried; see scv-bridge outbox show");
        let attempt = Attempt::Buried { reason, words };
        let owner = lease.owner.clone();
        let settle = Settle { id: unreadable.id, owner, attempt, note: None, now: lease.now };
        self.settle(settle).await.map(drop)
    }

    /// Reads entries, each by itself where one of them cannot be told as a row at all.
    pub(super) async fn entries(
        &self,
        ids: &[EntryId],
    ) -> Result<Vec<Result<Entry, Box<Unreadable>>>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        match self.rows_of(ids).await {
            Err(StoreError::Refused(_)) => {}
            rows => return rows,
        }
        let mut entries = Vec::with_capacity(ids.len());
        for id in ids {
            match self.rows_of(&[*id]).await {
                Ok(rows) => entries.extend(rows),
                Err(StoreError::Refused(_)) => {
                    let nothing = serde_json::Value::Null;
                    let unreadable = Unreadable::of(*id, &nothing, "its row cannot be read at all");
                    entries.push(Err(Box::new(unreadable)));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(entries)
    }

    async fn rows_of(&self, ids: &[EntryId]) -> Result<Vec<Result<Entry, Box<Unreadable>>>, StoreError> {
        let rows = self.read_raw(&Entries { ids }).await?;
        let entry = |row: &String| {
            let id = serde_json::from_str::<IdRow>(row).map_err(|_| unreadable())?.id;
            Ok(Unreadable::or_entry(EntryId(id), row))
        };
        rows.iter().map(entry).collect()
    }

    /// Makes entries of these contact centers due at once that were put in before a moment: their Salesforce is back. Late
    /// clears, which wait on purpose at first, only where they were put in before another one. Gives how many had been put off.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn make_due(
        &self,
        call_centers: &[CallCenterName],
        [put_in_before, late_clears_before]: [Timestamp; 2],
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let (before, late_before) = (put_in_before.into(), late_clears_before.into());
        let query = MakeDue { now: now.into(), before, late_before, centers: call_centers };
        Ok(self.write(&query).await?.len())
    }

    /// Makes one entry of a contact center due at once, to try whether its Salesforce is back: that which is due first,
    /// rather no create. Gives whether it had been put off.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn make_one_due(
        &self,
        call_center: &CallCenterName,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(!self.write(&MakeOneDue { now: now.into(), center: call_center }).await?.is_empty())
    }

    /// Moves the end of all leases of `owner`, to later or to now; gives how many entries it holds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn renew(&self, owner: &str, until: Timestamp) -> Result<usize, StoreError> {
        Ok(self.write(&Renew { owner, until: until.into() }).await?.len())
    }

    /// Gives all leases of `owner` back, so that others need not wait for their end; gives how many
    /// entries were held.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release(&self, owner: &str) -> Result<usize, StoreError> {
        self.end_in_flight().await?;
        self.write(&EndCreateLeases { owner }).await?;
        self.write(&EndTaskLeases { owner }).await?;
        Ok(self.write(&Release { owner }).await?.len())
    }

    /// Of these entries, those before which others of their call have to go, each with the first of those.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn ahead_of(&self, ids: &[EntryId]) -> Result<BTreeMap<EntryId, EntryId>, StoreError> {
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let rows = self.read(&AheadOf { ids }).await?;
        Ok(rows.into_iter().map(|row| (row.id, row.first)).collect())
    }

    /// When the next entry of each of these contact centers is due; those that somebody has leased do not count.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_due(
        &self,
        centers: &[CallCenterName],
        now: Timestamp,
    ) -> Result<Vec<DueCenter>, StoreError> {
        self.read(&NextDue { now: now.into(), centers }).await
    }
}

/// What the outbox holds of some calls.
#[derive(Serialize)]
struct StandingOf<'a> {
    keys: HashSet<&'a str>,
}

impl Query for StandingOf<'_> {
    type Row = Standing;
    const SQL: &'static str = "SELECT {text {object 'call_key', call_key, 'final', max(is_final),
            'pending', max(CASE WHEN state = 'pending' THEN 1 ELSE 0 END),
            'create', max(CASE WHEN state = 'pending' AND kind = 'create' THEN 1 ELSE 0 END)}}
        FROM outbox WHERE call_key IN {each keys} GROUP BY call_key";
}

/// What the outbox holds of a call.
#[derive(Deserialize)]
struct Standing {
    call_key: String,
    r#final: i64,
    pending: i64,
    create: i64,
}

/// Puts entries in, in the order of `at`.
#[derive(Serialize)]
#[serde(transparent)]
struct PutIn<'a>(Vec<NewRow<'a>>);

impl Query for PutIn<'_> {
    type Row = i64;
    const SQL: &'static str = "INSERT INTO outbox (call_center, call_key, call_id, kind, is_final, body, state, created_at,
            next_at, lease_owner, lease_until)
        SELECT call_center, call_key, call_id, kind, is_final, body, 'pending', created_at, next_at, lease_owner,
            lease_until
        FROM {rows at int, call_center, call_key, call_id int, kind, is_final int, body, created_at int, next_at int,
            lease_owner, lease_until int} AS j WHERE true
        ORDER BY at RETURNING CAST(id AS TEXT)";
}

/// Removes what the creates of calls said: it is needed no more, and never again.
#[derive(Serialize)]
struct ForgetBodies {
    calls: Vec<i64>,
}

impl Query for ForgetBodies {
    type Row = ();
    const SQL: &'static str =
        "UPDATE calls SET create_body = NULL, body_done = 1 WHERE id IN {each calls int}";
}

#[derive(Serialize)]
struct NewRow<'a> {
    at: usize,
    call_center: &'a str,
    call_key: String,
    call_id: Option<i64>,
    kind: EntryKind,
    is_final: i64,
    body: &'a str,
    created_at: Millis,
    next_at: Millis,
    lease_owner: Option<&'a str>,
    lease_until: Option<Millis>,
}

/// The text under which the entries of a call are kept in order.
fn call_key(enqueue: &Enqueue, call: Option<&Call>) -> String {
    let key = key_of(&enqueue.subject, call);
    match enqueue.entries.iter().any(|entry| entry.kind == EntryKind::LateClear) {
        true => format!("{key}/late"),
        false => key,
    }
}

fn key_of(subject: &Subject, call: Option<&Call>) -> String {
    match (subject, call) {
        (_, Some(call)) => call.id.0.to_string(),
        (Subject::Unknown(call_center, CallReference::Id(id)), None) => {
            format!("{call_center}/{}", id.short())
        }
        (Subject::Unknown(call_center, CallReference::Key(key)), None) => format!("{call_center}/{key}"),
        (Subject::Known(note), None) => {
            format!("{}/{}", note.call.call_center(), note.call.vendor_call_key())
        }
    }
}

/// Takes the entries of all, each by what the outbox and this batch hold already.
pub(super) async fn enqueue(
    connection: &mut impl Connection,
    enqueues: &[Enqueue],
    calls: &Calls,
) -> Result<Vec<Enqueued>, StoreError> {
    if enqueues.is_empty() {
        return Ok(Vec::new());
    }
    let subjects: Vec<(Option<&Call>, String)> = enqueues
        .iter()
        .map(|enqueue| {
            let call = match &enqueue.subject {
                Subject::Known(note) => calls.get(&note.call).map(|(call, _)| call),
                Subject::Unknown(..) => None,
            };
            (call, call_key(enqueue, call))
        })
        .collect();
    let keys: HashSet<&str> = subjects.iter().map(|(_, key)| key.as_str()).collect();
    let mut outbox = Standings::of(connection.query(&StandingOf { keys }).await?);
    let mut rows = Vec::new();
    let mut enqueued = Vec::with_capacity(enqueues.len());
    for (enqueue, (call, key)) in enqueues.iter().zip(&subjects) {
        enqueued.push(outbox.admit(enqueue, *call, key));
        if let Some(Enqueued::Accepted { behind, .. }) = enqueued.last() {
            rows.extend(new_rows(enqueue, *call, key, *behind));
        }
    }
    for (at, row) in rows.iter_mut().enumerate() {
        row.at = at;
    }
    let over =
        enqueues.iter().zip(&subjects).zip(&enqueued).filter_map(|((enqueue, (call, _)), enqueued)| {
            let is_answered = *enqueued == Enqueued::Answered && enqueue.ends_call();
            call.filter(|_| is_answered).map(|call| call.id.0)
        });
    let calls: Vec<i64> = over.collect();
    if !calls.is_empty() {
        connection.query(&ForgetBodies { calls }).await?;
    }
    if !rows.is_empty() {
        number(&mut enqueued, enqueues, connection.query(&PutIn(rows)).await?);
    }
    Ok(enqueued)
}

/// What the outbox holds, with what this batch adds.
#[derive(Default)]
struct Standings {
    finals: HashSet<String>,
    pending: HashSet<String>,
    creates: HashSet<String>,
}

impl Standings {
    fn of(rows: Vec<Standing>) -> Self {
        let mut all = Self::default();
        for row in rows {
            if row.r#final == 1 {
                all.finals.insert(row.call_key.clone());
            }
            if row.create == 1 {
                all.creates.insert(row.call_key.clone());
            }
            if row.pending == 1 {
                all.pending.insert(row.call_key);
            }
        }
        all
    }

    fn admit(&mut self, enqueue: &Enqueue, call: Option<&Call>, key: &str) -> Enqueued {
        if enqueue.unless_answered && call.is_some_and(Call::is_answered) {
            return Enqueued::Answered;
        }
        let is_final = enqueue.entries.iter().any(|entry| entry.is_final);
        let is_closed = call.is_some_and(|call| call.closed_at.is_some());
        if is_final && (is_closed || !self.finals.insert(key.to_owned())) {
            return Enqueued::Duplicate;
        }
        // A database that was slow takes in late what the flow has long repeated.
        let creates = enqueue.entries.iter().any(|entry| entry.kind == EntryKind::Create);
        if creates && (call.is_some_and(needs_no_create) || !self.creates.insert(key.to_owned())) {
            return Enqueued::Duplicate;
        }
        let behind = !enqueue.entries.is_empty() && !self.pending.insert(key.to_owned());
        Enqueued::Accepted { ids: Vec::new(), behind, call: call.cloned().map(Box::new) }
    }
}

/// Its record is there; or its caller is gone, and the final update makes it.
fn needs_no_create(call: &Call) -> bool {
    let has_record = call.voice_call_id.is_some() || call.created_at.is_some();
    has_record || (call.ended_at.is_some() && !call.is_answered())
}

fn new_rows<'a>(
    enqueue: &'a Enqueue,
    call: Option<&'a Call>,
    key: &'a str,
    behind: bool,
) -> impl Iterator<Item = NewRow<'a>> {
    let call_center = match &enqueue.subject {
        Subject::Known(note) => note.call.call_center(),
        Subject::Unknown(call_center, _) => call_center,
    };
    enqueue.entries.iter().map(move |entry| NewRow {
        at: 0,
        call_center: call_center.as_ref(),
        call_key: key.to_owned(),
        call_id: call.map(|call| call.id.0),
        kind: entry.kind,
        is_final: i64::from(entry.is_final),
        body: entry.body.expose(),
        created_at: enqueue.now.into(),
        next_at: entry.next_at.into(),
        lease_owner: (!behind).then_some(enqueue.owner.as_str()),
        lease_until: (!behind).then_some(enqueue.lease_until.into()),
    })
}

/// Both engines number rows in the order in which they are put in, but may give the numbers in another.
fn number(enqueued: &mut [Enqueued], enqueues: &[Enqueue], mut given: Vec<i64>) {
    given.sort_unstable();
    let mut given = given.into_iter().map(EntryId);
    for (enqueued, enqueue) in enqueued.iter_mut().zip(enqueues) {
        if let Enqueued::Accepted { ids, .. } = enqueued {
            ids.extend(given.by_ref().take(enqueue.entries.len()));
        }
    }
}

/// Closes the calls of entries that are delivered.
#[derive(Serialize)]
#[serde(transparent)]
struct Close(Vec<ClosedRow>);

#[derive(Serialize)]
struct ClosedRow {
    id: EntryId,
    now: Millis,
}

impl Query for Close {
    type Row = ();
    const SQL: &'static str = "UPDATE calls SET closed_at = {earliest calls.closed_at, j.now}, create_body = NULL,
            body_done = 1, updated_at = {latest calls.updated_at, j.now}
        FROM {rows id int, now int} AS j WHERE calls.id = (SELECT o.call_id FROM outbox AS o WHERE o.id = j.id)";
}

/// Removes entries.
#[derive(Serialize)]
struct Remove {
    ids: Vec<EntryId>,
}

impl Query for Remove {
    type Row = EntryId;
    const SQL: &'static str = "DELETE FROM outbox WHERE id IN {each ids int} RETURNING CAST(id AS TEXT)";
}

/// Postpones or buries leased entries that were tried.
#[derive(Serialize)]
#[serde(transparent)]
struct Fail<'a>(Vec<FailedRow<'a>>);

#[derive(Serialize)]
struct FailedRow<'a> {
    id: EntryId,
    owner: &'a str,
    state: EntryState,
    next_at: Millis,
    words: String,
    reason: Option<String>,
    buried_at: Option<Millis>,
}

impl Query for Fail<'_> {
    type Row = EntryId;
    const SQL: &'static str = "UPDATE outbox SET state = j.state, attempts = attempts + 1, next_at = j.next_at,
            last_words = j.words, reason = j.reason, buried_at = j.buried_at, lease_owner = NULL, lease_until = NULL
        FROM {rows id int, owner, state, next_at int, words, reason, buried_at int} AS j
        WHERE outbox.id = j.id AND outbox.state = 'pending' AND outbox.lease_owner = j.owner
        RETURNING CAST(outbox.id AS TEXT)";
}

/// Gives leases on entries back that were not tried.
#[derive(Serialize)]
#[serde(transparent)]
struct PutBack<'a>(Vec<PutBackRow<'a>>);

#[derive(Serialize)]
struct PutBackRow<'a> {
    id: EntryId,
    owner: &'a str,
    next_at: Millis,
}

impl Query for PutBack<'_> {
    type Row = EntryId;
    const SQL: &'static str = "UPDATE outbox SET next_at = j.next_at, lease_owner = NULL, lease_until = NULL
        FROM {rows id int, owner, next_at int} AS j
        WHERE outbox.id = j.id AND outbox.state = 'pending' AND outbox.lease_owner = j.owner
        RETURNING CAST(outbox.id AS TEXT)";
}

/// Writes down how attempts ended: closes, then removes; postpones or buries. Gives which entries were still there and, of
/// failures, still held by who tried.
pub(super) async fn settle(
    connection: &mut impl Connection,
    settles: &[Settle],
) -> Result<Vec<bool>, StoreError> {
    let (mut closed, mut delivered) = (Vec::new(), Vec::new());
    let (mut failed, mut put_back) = (Vec::new(), Vec::new());
    for settle in settles {
        let (id, owner, now) = (settle.id, settle.owner.as_str(), Millis::from(settle.now));
        let row = |state, next_at, words: &str, reason: Option<&str>, buried_at| {
            let reason = reason.map(storable);
            FailedRow { id, owner, state, next_at, words: storable(words), reason, buried_at }
        };
        match &settle.attempt {
            Attempt::Delivered { close } => {
                delivered.push(id);
                closed.extend(close.then_some(ClosedRow { id, now }));
            }
            Attempt::NotTried { next_at, words: _ } => {
                put_back.push(PutBackRow { id, owner, next_at: (*next_at).into() });
            }
            Attempt::Later { next_at, words } => {
                failed.push(row(EntryState::Pending, (*next_at).into(), words, None, None));
            }
            Attempt::Buried { reason, words } => {
                failed.push(row(EntryState::Buried, now, words, Some(reason.as_str()), Some(now)));
            }
        }
    }
    let mut settled: HashSet<EntryId> = HashSet::new();
    if !closed.is_empty() {
        connection.query(&Close(closed)).await?;
    }
    if !delivered.is_empty() {
        settled.extend(connection.query(&Remove { ids: delivered }).await?);
    }
    if !failed.is_empty() {
        settled.extend(connection.query(&Fail(failed)).await?);
    }
    if !put_back.is_empty() {
        settled.extend(connection.query(&PutBack(put_back)).await?);
    }
    Ok(settles.iter().map(|settle| settled.contains(&settle.id)).collect())
}

/// PostgreSQL keeps no NUL in a text, and a refusal must be written down whatever it says.
fn storable(words: &str) -> String {
    words.replace('\0', "\u{FFFD}")
}
