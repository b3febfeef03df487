//! Entries put back or removed.

use std::io::Write;

use clap::ArgGroup;
use jiff::Timestamp;
use serde::Serialize;

use super::list::{self, EntryList};
use super::select::{self, EntrySelection};
use crate::domain::CallCenterName;
use crate::store::{EntryId, EntryState, Filter, Run, Store, StoreError};

/// How many entries a dry run prints.
const PRINTED: u32 = 50;

/// Which entries to change: by number, by filter, or all.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(group(ArgGroup::new("which").required(true).multiple(true)
    .args(["ids", "state", "call_center", "kind", "older_than", "words", "all"])))]
pub struct EntryChange {
    /// These entries.
    #[arg(value_name = "ID", value_parser = select::id,
        conflicts_with_all = ["state", "call_center", "kind", "older_than", "words", "all"])]
    ids: Vec<EntryId>,
    #[command(flatten)]
    select: EntrySelection,
    /// All of them: needed where nothing narrows.
    #[arg(long, conflicts_with_all = ["state", "call_center", "kind", "older_than", "words"])]
    all: bool,
    /// Change nothing; print what would be changed.
    #[arg(long)]
    dry_run: bool,
}

/// What is done to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeAction {
    /// Buried ones are due now.
    Retry,
    /// They are removed.
    Discard,
}

/// A number that nothing could be done with.
#[derive(Debug, Serialize)]
struct ChangeProblem {
    id: i64,
    problem: &'static str,
}

#[derive(Debug, Serialize)]
struct ChangeReport {
    dry_run: bool,
    /// How many were changed, or would be.
    entries: usize,
    problems: Vec<ChangeProblem>,
}

impl EntryChange {
    /// The contact center that it is narrowed to.
    pub fn call_center(&self) -> Option<&CallCenterName> {
        self.select.call_center.as_ref()
    }

    /// Does it and says how often. Gives whether everything that was named was there, or anything for a filter.
    pub async fn run(
        &self,
        action: ChangeAction,
        store: &Store,
        now: Timestamp,
        json: bool,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let mut report = ChangeReport { dry_run: self.dry_run, entries: 0, problems: Vec::new() };
        let mut preview = EntryList::default();
        for filter in self.filters(now) {
            if self.dry_run
                && let Some(filter) = action.preview(&filter)
            {
                preview.append(list::read(store, &filter, now).await?);
            }
            let changed = action.run(store, &filter, now, self.dry_run).await?;
            report.entries += changed;
            if let (0, Some(id)) = (changed, filter.id) {
                report.problems.push(ChangeProblem { id: id.0, problem: reason(store, id).await? });
            }
        }
        if json {
            writeln!(out, "{}", serde_json::to_string(&report)?)?;
        } else {
            if preview.total > 0 {
                preview.print(out)?;
            }
            for ChangeProblem { id, problem } in &report.problems {
                writeln!(out, "{id}: {problem}")?;
            }
            writeln!(out, "{} {}", report.entries, action.outcome(self.dry_run))?;
        }
        Ok(report.entries > 0 && report.problems.is_empty())
    }

    fn filters(&self, now: Timestamp) -> Vec<Filter> {
        if self.ids.is_empty() {
            return vec![self.select.filter(now)];
        }
        self.ids.iter().map(|id| Filter { id: Some(*id), ..Filter::default() }).collect()
    }
}

impl ChangeAction {
    async fn run(
        self,
        store: &Store,
        filter: &Filter,
        now: Timestamp,
        dry: bool,
    ) -> Result<usize, StoreError> {
        let run = if dry { Run::Dry } else { Run::Real };
        match self {
            Self::Retry => store.retry(filter, now, run).await,
            Self::Discard => store.discard(filter, run).await,
        }
    }

    /// Which of a filter's entries would be changed, as many as a dry run prints.
    fn preview(self, filter: &Filter) -> Option<Filter> {
        let state = match (self, filter.state) {
            // Nothing pending is ever put back.
            (Self::Retry, Some(EntryState::Pending)) => return None,
            (Self::Retry, _) => Some(EntryState::Buried),
            (Self::Discard, state) => state,
        };
        Some(Filter { state, limit: Some(PRINTED), ..filter.clone() })
    }

    fn outcome(self, dry: bool) -> &'static str {
        match (self, dry) {
            (Self::Retry, false) => "put back, due now",
            (Self::Retry, true) => "would be put back (dry run)",
            (Self::Discard, false) => "discarded",
            (Self::Discard, true) => "would be discarded (dry run)",
        }
    }
}

/// Why nothing could be done with an entry.
async fn reason(store: &Store, id: EntryId) -> Result<&'static str, StoreError> {
    let filter = Filter { id: Some(id), ..Filter::default() };
    Ok(match store.list_all(&filter).await?.into_iter().next() {
        None => "no such entry",
        Some(Ok(entry)) if entry.state == EntryState::Pending => "still pending: it is tried again by itself",
        Some(Err(unreadable)) if unreadable.state.as_deref() == Some("pending") => unreadable.problem,
        Some(_) => "changed by somebody else meanwhile",
    })
}
