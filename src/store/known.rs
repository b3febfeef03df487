//! Which calls the journal may hold, in memory: so a new call costs no way to the database and back. For SQLite only, where
//! one process writes calls.

use std::collections::HashSet;
use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::sql::{Connection, Query};
use super::{Store, StoreError};
use crate::domain::CallName;

/// How many names are read at once, so that nobody waits long behind it.
const PAGE: usize = 4096;

/// Hashes of the names of all calls that the journal holds, and of some that it does not: the database decides what a
/// hash that is here means; one that is not here means a new call. Some 16 bytes for each call.
pub(super) struct KnownCalls {
    hasher: RandomState,
    hashes: Mutex<Hashes>,
}

#[derive(Default)]
struct Hashes {
    all: HashSet<u64, RandomState>,
    /// Added since `all` was last read.
    fresh: HashSet<u64, RandomState>,
    /// Calls that were removed since.
    gone: usize,
}

/// Names of calls, page by page.
#[derive(Serialize)]
struct NamePage {
    after: i64,
    limit: usize,
}

#[derive(Deserialize)]
struct NameRow {
    id: i64,
    call_center: String,
    vendor_call_key: String,
    parent: String,
}

impl Query for NamePage {
    type Row = NameRow;
    const SQL: &'static str = "SELECT {text {object 'id', id, 'call_center', call_center,
            'vendor_call_key', vendor_call_key, 'parent', parent}}
        FROM calls WHERE id > {after int} ORDER BY id LIMIT {limit int}";
}

/// Reads all names.
struct Survey<'a> {
    hasher: &'a RandomState,
    after: i64,
    found: HashSet<u64, RandomState>,
}

impl Survey<'_> {
    fn page(&self) -> NamePage {
        NamePage { after: self.after, limit: PAGE }
    }

    /// Gives whether there is more.
    fn take(&mut self, rows: Vec<NameRow>) -> bool {
        let is_whole = rows.len() == PAGE;
        for row in rows {
            self.after = row.id;
            self.found.insert(hash(self.hasher, &row.call_center, &row.vendor_call_key, &row.parent));
        }
        is_whole
    }
}

fn hash(hasher: &RandomState, call_center: &str, vendor_call_key: &str, parent: &str) -> u64 {
    hasher.hash_one((call_center, vendor_call_key, parent))
}

impl KnownCalls {
    /// Those of a database that was just opened.
    pub(super) async fn of(connection: &mut impl Connection) -> Result<Self, StoreError> {
        let known = Self { hasher: RandomState::default(), hashes: Mutex::default() };
        let mut survey = known.survey();
        while survey.take(connection.query(&survey.page()).await?) {}
        let found = survey.found;
        known.replace(found);
        Ok(known)
    }

    /// Before a note of the call is on its way, so that no note can be overlooked, whoever still waits for it.
    pub(super) fn add(&self, call: &CallName) {
        let hash = self.hash(call);
        self.hashes().fresh.insert(hash);
    }

    /// Whether the journal may hold the call.
    pub(super) fn may_hold(&self, call: &CallName) -> bool {
        let hash = self.hash(call);
        let hashes = self.hashes();
        hashes.fresh.contains(&hash) || hashes.all.contains(&hash)
    }

    /// Reads the names again when a good part of the calls is gone.
    pub(super) async fn forget(&self, gone: usize, store: &Store) -> Result<(), StoreError> {
        if !self.is_stale(gone) {
            return Ok(());
        }
        let mut survey = self.survey();
        while survey.take(store.read(&survey.page()).await?) {}
        let found = survey.found;
        self.replace(found);
        Ok(())
    }

    fn is_stale(&self, gone: usize) -> bool {
        let mut hashes = self.hashes();
        hashes.gone += gone;
        hashes.gone > 0 && hashes.gone >= (hashes.all.len() + hashes.fresh.len()) / 4
    }

    /// What was added since the last time stays until the next: its notes may have been on their way all along.
    fn replace(&self, found: HashSet<u64, RandomState>) {
        let mut hashes = self.hashes();
        let fresh = std::mem::take(&mut hashes.fresh);
        hashes.all = found;
        hashes.all.extend(fresh);
        hashes.gone = 0;
    }

    fn survey(&self) -> Survey<'_> {
        Survey { hasher: &self.hasher, after: 0, found: HashSet::default() }
    }

    fn hash(&self, call: &CallName) -> u64 {
        hash(&self.hasher, call.call_center().as_ref(), call.vendor_call_key().as_ref(), call.parent())
    }

    fn hashes(&self) -> MutexGuard<'_, Hashes> {
        self.hashes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
