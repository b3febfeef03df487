//! The outbox: what must still reach Salesforce. Put in, leased, settled.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::Job;
use super::row::{CallRow, json, moment, read, unreadable};
use super::statement::broken_off;
use super::{Answer, NewEvent, Note, Store, StoreError};
use crate::domain::{Call, CallCenterName, CallReference, StoredJson};

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
    /// The name in metrics, and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Clear => "clear",
            Self::Update => "update",
            Self::LateClear => "late_clear",
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
    Known(Box<Note>),
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
    /// Not of these contact centers, whose Salesforce is known to be down.
    pub without: Vec<CallCenterName>,
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
    created_at: i64,
    next_at: i64,
    lease_until: Option<i64>,
    last_words: Option<String>,
    reason: Option<String>,
    buried_at: Option<i64>,
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
        Self {
            id,
            call_center: text("call_center"),
            kind: text("kind"),
            state: text("state"),
            created_at: number("created_at").map(moment),
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
            created_at: moment(self.created_at),
            next_at: moment(self.next_at),
            lease_until: self.lease_until.map(moment),
            last_words: self.last_words,
            reason: self.reason,
            buried_at: self.buried_at.map(moment),
        })
    }
}

fn due(
    call_centers: &[CallCenterName],
    put_in_before: Timestamp,
    now: Timestamp,
) -> Result<String, StoreError> {
    json(&serde_json::json!({
        "now": now.as_millisecond(),
        "before": put_in_before.as_millisecond(),
        "centers": call_centers.iter().map(CallCenterName::as_ref).collect::<Vec<_>>(),
    }))
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
            self.announce(note);
        }
        self.begin(|reply| Job::Enqueue(Box::new(enqueue), reply)).await
    }

    /// Gives the leases of `owner` on these entries back: they are due for whoever comes first.
    ///
    /// # Errors
    /// When the database does not answer; the leases then end by themselves.
    pub async fn give_back(&self, ids: &[EntryId], owner: &str) -> Result<(), StoreError> {
        let input = json(&serde_json::json!({ "ids": ids, "owner": owner }))?;
        self.write(self.dialect().give_back, input).await.map(drop)
    }

    /// Writes down how an attempt ended. Gives whether the entry was still there and, for a failure, still ours.
    ///
    /// # Errors
    /// When it could not be written; the lease then ends by itself and the entry is tried again.
    pub async fn settle(&self, settle: Settle) -> Result<bool, StoreError> {
        if let Some(note) = &settle.note {
            self.announce(note);
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
        let input = json(&serde_json::json!({
            "now": lease.now.as_millisecond(),
            "owner": lease.owner,
            "until": lease.until.as_millisecond(),
            "limit": lease.limit,
            "without": lease.without.iter().map(CallCenterName::as_ref).collect::<Vec<_>>(),
        }))?;
        let leased: Vec<EntryId> = read(&self.write(self.dialect().lease, input).await?)?;
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
        self.settle(Settle { id: unreadable.id, owner, attempt, note: None, now: lease.now }).await.map(drop)
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
        let rows = self.read(self.dialect().entries, json(&ids)?).await?;
        let entry = |row: &String| {
            let id = serde_json::from_str::<IdRow>(row).map_err(|_| unreadable())?.id;
            Ok(Unreadable::or_entry(EntryId(id), row))
        };
        rows.iter().map(entry).collect()
    }

    /// Makes entries of these contact centers due at once that were put in before a moment: their Salesforce is back. Gives
    /// how many had been put off.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn make_due(
        &self,
        call_centers: &[CallCenterName],
        put_in_before: Timestamp,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let input = due(call_centers, put_in_before, now)?;
        Ok(self.write(self.dialect().make_due, input).await?.len())
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
        let input = due(std::slice::from_ref(call_center), Timestamp::MAX, now)?;
        Ok(!self.write(self.dialect().make_one_due, input).await?.is_empty())
    }

    /// Moves the end of all leases of `owner`, to later or to now; gives how many entries it holds.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn renew(&self, owner: &str, until: Timestamp) -> Result<usize, StoreError> {
        let input = json(&serde_json::json!({ "owner": owner, "until": until.as_millisecond() }))?;
        Ok(self.write(self.dialect().renew, input).await?.len())
    }

    /// Gives all leases and claims of `owner` back, so that others need not wait for their end; gives how many
    /// entries were held.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn release(&self, owner: &str) -> Result<usize, StoreError> {
        let input = json(&serde_json::json!({ "owner": owner }))?;
        self.write(self.dialect().unclaim_all, input.clone()).await?;
        self.write(self.dialect().unclaim_tasks, input.clone()).await?;
        Ok(self.write(self.dialect().release, input).await?.len())
    }

    /// When the next entry is due, or its lease ends; none when nothing waits.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.read(self.dialect().next_due, "{}".to_owned()).await?;
        Ok(read::<Option<i64>>(&rows)?.into_iter().flatten().next().map(moment))
    }
}
