//! What an operator and the housekeeping ask of the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{json, moment, read, read_some};
use super::{Entry, EntryId, EntryKind, EntryState, Store, StoreError, Unreadable};
use crate::domain::CallCenterName;

/// How many rows one commit of the housekeeping removes, so that nobody waits long behind it.
const CHUNK: usize = 1000;

/// Which entries. What is left out does not narrow.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// This one.
    pub id: Option<EntryId>,
    /// In this state.
    pub state: Option<EntryState>,
    /// Of this contact center.
    pub call_center: Option<CallCenterName>,
    /// Of this kind.
    pub kind: Option<EntryKind>,
    /// Put in before.
    pub older_than: Option<Timestamp>,
    /// With this text in the reason or in Salesforce's last words, capitals or not.
    pub words: Option<String>,
    /// At most so many, the oldest.
    pub limit: Option<u32>,
}

#[derive(Serialize)]
struct FilterRow<'a> {
    id: Option<EntryId>,
    state: Option<EntryState>,
    call_center: Option<&'a str>,
    kind: Option<EntryKind>,
    before: Option<i64>,
    words: Option<&'a str>,
    limit: Option<u32>,
}

impl Filter {
    fn row(&self) -> Result<String, StoreError> {
        json(&FilterRow {
            id: self.id,
            state: self.state,
            call_center: self.call_center.as_ref().map(CallCenterName::as_ref),
            kind: self.kind,
            before: self.older_than.map(Timestamp::as_millisecond),
            words: self.words.as_deref(),
            limit: self.limit,
        })
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

/// How many entries of a contact center are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The contact center.
    pub call_center: CallCenterName,
    /// The state.
    pub state: EntryState,
    /// How many.
    pub entries: u64,
    /// When the oldest was put in.
    pub oldest: Timestamp,
}

#[derive(Deserialize)]
struct CountRow {
    call_center: String,
    state: EntryState,
    entries: u64,
    oldest: i64,
}

/// What the housekeeping removes.
#[derive(Debug, Clone, Copy)]
pub struct PurgeBefore {
    /// Calls of which nothing was learned since, and that no entry of the outbox needs; so too for tasks and their
    /// events, as long as nothing is still to be done for them.
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
}

impl Store {
    /// Entries of a filter, oldest first, those among them that this version cannot read as what can be told of them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn list_all(&self, filter: &Filter) -> Result<Vec<Result<Entry, Box<Unreadable>>>, StoreError> {
        let ids: Vec<EntryId> = read(&self.read(self.dialect().matching, filter.row()?).await?)?;
        self.entries(&ids).await
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

    /// Makes the buried entries of a filter pending again, as if put in now; gives how many.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn retry(&self, filter: &Filter, now: Timestamp, run: Run) -> Result<usize, StoreError> {
        if filter.state == Some(EntryState::Pending) {
            return Ok(0);
        }
        let filter = Filter { state: Some(EntryState::Buried), ..filter.clone() };
        let matching = self.read(self.dialect().matching, filter.row()?).await?;
        if run == Run::Dry {
            return Ok(matching.len());
        }
        let ids: Vec<i64> = read(&matching)?;
        let input = json(&serde_json::json!({ "now": now.as_millisecond(), "ids": ids }))?;
        Ok(self.write(self.dialect().retry, input).await?.len())
    }

    /// Removes the entries of a filter, pending ones too if it does not say otherwise; gives how many.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn discard(&self, filter: &Filter, run: Run) -> Result<usize, StoreError> {
        let rows = match run {
            Run::Real => self.write(self.dialect().discard, filter.row()?).await?,
            Run::Dry => self.read(self.dialect().matching, filter.row()?).await?,
        };
        Ok(rows.len())
    }

    /// How many entries there are, by contact center and state; those of a state that only a newer version knows are
    /// not counted.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn count(&self) -> Result<Vec<Count>, StoreError> {
        let rows = self.read(self.dialect().count, "{}".to_owned()).await?;
        let count = |row: CountRow| {
            Some(Count {
                call_center: CallCenterName::parse(row.call_center).ok()?,
                state: row.state,
                entries: row.entries,
                oldest: moment(row.oldest),
            })
        };
        Ok(read_some::<CountRow>(&rows).filter_map(count).collect())
    }

    /// Removes what is old, a little at a time, then leaves no trace of it in SQLite's files.
    ///
    /// # Errors
    /// When it could not be written; the rest is removed the next time.
    pub async fn purge(&self, before: PurgeBefore) -> Result<Purged, StoreError> {
        let purged = Purged {
            buried: self.purge_all(self.dialect().purge_buried, before.buried).await?,
            calls: self.purge_all(self.dialect().purge_calls, before.calls).await?,
            tasks: self.purge_all(self.dialect().purge_tasks, before.calls).await?,
            events: self.purge_all(self.dialect().purge_events, before.calls).await?,
            details: self.purge_all(self.dialect().purge_private, before.private).await?
                + self.purge_all(self.dialect().purge_details, before.calls).await?,
        };
        if let Some(answered) = self.answered.as_ref().filter(|_| purged.calls > 0) {
            answered.clear();
        }
        self.checkpoint().await?;
        if let Some(known) = &self.known {
            known.forget(purged.calls, self).await?;
        }
        Ok(purged)
    }

    async fn purge_all(&self, statement: &'static str, before: Timestamp) -> Result<usize, StoreError> {
        let mut purged = 0;
        loop {
            let input = json(&serde_json::json!({ "before": before.as_millisecond(), "limit": CHUNK }))?;
            let rows = self.write(statement, input).await?.len();
            purged += rows;
            if rows < CHUNK {
                return Ok(purged);
            }
        }
    }
}
