//! The creates that SQLite's one service has in flight, by name, in a file beside the database: if the process dies before
//! Salesforce answers, the next one knows that the end of the create is unknown. Written by one system call, it outlives the
//! process, however that ends, but not a loss of power; a commit for each create would cost a third of its CPU
//! (docs/performance.md). On PostgreSQL, where replicas compete for a create, its lease is kept with the call.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::row::Millis;
use crate::domain::{CallCenterName, CallName, CallReference, VendorCallKey};

/// From how many bytes on the file is written anew, with what is still in flight.
const MOST: usize = 256 * 1024;

/// Names in flight.
#[derive(Debug)]
pub(super) struct InFlight {
    path: PathBuf,
    state: Mutex<CreatesFile>,
}

#[derive(Debug)]
struct CreatesFile {
    file: File,
    /// How much was written since the file was made.
    size: usize,
    /// What is in flight.
    creates: HashMap<CallName, SentCreate>,
}

/// A create in flight.
#[derive(Debug, Clone, Copy)]
struct SentCreate {
    /// Since when.
    at: Millis,
    /// Whether its end is on its way to the journal: only the journal ends it then.
    is_being_noted: bool,
}

impl SentCreate {
    fn at(at: Millis) -> Self {
        Self { at, is_being_noted: false }
    }
}

/// A line of the file: a create that is sent, or one of which nothing came.
#[derive(Serialize, Deserialize)]
struct Line<'a> {
    call_center: Cow<'a, str>,
    vendor_call_key: Cow<'a, str>,
    parent: Cow<'a, str>,
    /// When it is sent; none: nothing came of it.
    at: Option<Millis>,
}

impl Line<'_> {
    fn of(call: &CallName, at: Option<Millis>) -> Line<'_> {
        Line {
            call_center: call.call_center().as_ref().into(),
            vendor_call_key: call.vendor_call_key().as_ref().into(),
            parent: call.parent().into(),
            at,
        }
    }

    fn name(&self) -> Option<CallName> {
        let parent = match self.parent.as_ref() {
            "" => None,
            parent => Some(CallReference::parse(parent).ok()?),
        };
        let center = CallCenterName::parse(self.call_center.as_ref()).ok()?;
        Some(CallName::new(
            center,
            VendorCallKey::parse(self.vendor_call_key.as_ref()).ok()?,
            parent.as_ref(),
        ))
    }
}

impl InFlight {
    /// The file beside a database, with what a process has left there which is gone. Some of that may be in the journal.
    pub(super) fn beside(database: &Path) -> Result<Self, StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push("-creates");
        let path = PathBuf::from(path);
        let left = match std::fs::read(&path) {
            Ok(left) => left,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(StoreError::of_file(&error)),
        };
        let mut creates = HashMap::new();
        // One that was cut off in the middle is left out: then Salesforce was not asked.
        for line in left.split(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { continue };
            match (line.name(), line.at) {
                (Some(name), Some(at)) => drop(creates.insert(name, SentCreate::at(at))),
                (Some(name), None) => drop(creates.remove(&name)),
                (None, _) => {}
            }
        }
        let file = open(&path).map_err(|error| StoreError::of_file(&error))?;
        Ok(Self { path, state: Mutex::new(CreatesFile { file, size: left.len(), creates }) })
    }

    /// What is in flight, and since when.
    pub(super) fn all(&self) -> Vec<(CallName, Millis)> {
        self.state().creates.iter().map(|(name, create)| (name.clone(), create.at)).collect()
    }

    /// The journal knows of all of it.
    pub(super) fn forget_all(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        state.creates.clear();
        state.write_anew(&self.path).map_err(|error| StoreError::of_file(&error))
    }

    /// A create is about to be sent.
    pub(super) fn begin(&self, call: &CallName, now: Timestamp) -> Result<(), StoreError> {
        let (mut state, at) = (self.state(), Millis::from(now));
        state.write(call, Some(at)).map_err(|error| StoreError::of_file(&error))?;
        state.creates.insert(call.clone(), SentCreate::at(at));
        Ok(())
    }

    /// How a create ended is on its way to the journal, which may not take it yet.
    pub(super) fn is_being_noted(&self, call: &CallName) {
        if let Some(create) = self.state().creates.get_mut(call) {
            create.is_being_noted = true;
        }
    }

    /// The journal knows what came of a create.
    pub(super) fn end(&self, call: &CallName) {
        let mut state = self.state();
        state.creates.remove(call);
        if state.size > MOST
            && let Err(error) = state.write_anew(&self.path)
        {
            tracing::warn!(%error, "the file of the creates in flight cannot be written anew");
        }
    }

    /// Nothing came of a create; unless the journal is still to be told what did.
    pub(super) fn give_up(&self, call: &CallName) -> Result<(), StoreError> {
        let mut state = self.state();
        match state.creates.get(call) {
            Some(create) if !create.is_being_noted => {
                state.creates.remove(call);
                state.write(call, None).map_err(|error| StoreError::of_file(&error))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Leaves only what is in flight in the file.
    pub(super) fn tidy(&self) -> Result<(), StoreError> {
        let mut state = self.state();
        match state.size {
            0 => Ok(()),
            _ => state.write_anew(&self.path).map_err(|error| StoreError::of_file(&error)),
        }
    }

    fn state(&self) -> MutexGuard<'_, CreatesFile> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CreatesFile {
    fn write(&mut self, call: &CallName, at: Option<Millis>) -> io::Result<()> {
        let line = line(call, at);
        self.size += line.len();
        self.file.write_all(&line)
    }

    /// A process that dies meanwhile leaves the old file or the new one.
    fn write_anew(&mut self, path: &Path) -> io::Result<()> {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let mut file = open(Path::new(&new))?;
        file.set_len(0)?;
        let lines: Vec<u8> =
            self.creates.iter().flat_map(|(call, create)| line(call, Some(create.at))).collect();
        file.write_all(&lines)?;
        std::fs::rename(&new, path)?;
        (self.file, self.size) = (file, lines.len());
        Ok(())
    }
}

/// A line begins with its end of line: after one that was cut off, by the end of the process or by a full disk, it is whole.
fn line(call: &CallName, at: Option<Millis>) -> Vec<u8> {
    let mut line = vec![b'\n'];
    line.extend(serde_json::to_vec(&Line::of(call, at)).unwrap_or_default());
    line
}

/// For the service's own eyes.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(key: &str) -> CallName {
        let center = CallCenterName::parse("Sales").unwrap();
        let parent = CallReference::parse("0LQ5g000000abcD").unwrap();
        CallName::new(
            center,
            VendorCallKey::parse(key).unwrap(),
            Some(&parent).filter(|_| key.ends_with('2')),
        )
    }

    fn left(database: &Path) -> Vec<CallName> {
        let mut names: Vec<CallName> =
            InFlight::beside(database).unwrap().all().into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    }

    #[test]
    fn what_a_process_leaves_is_found_by_the_next_one_until_the_journal_knows_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let gone = InFlight::beside(&database).unwrap();
        assert!(gone.all().is_empty());
        for key in ["wxcc_1", "wxcc_2", "wxcc_3"] {
            gone.begin(&call(key), Timestamp::UNIX_EPOCH).unwrap();
        }
        gone.give_up(&call("wxcc_3")).unwrap();
        // It dies while it writes.
        gone.state().file.write_all(b"\n{\"call_center\":\"Sa").unwrap();
        for _ in 0..2 {
            assert_eq!(left(&database), [call("wxcc_1"), call("wxcc_2")]);
        }
        let next = InFlight::beside(&database).unwrap();
        next.begin(&call("wxcc_4"), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(left(&database).len(), 3, "what was cut off spoils no other");
        next.forget_all().unwrap();
        assert_eq!(left(&database), []);
    }

    #[test]
    fn a_create_whose_end_is_being_noted_is_given_up_by_nobody_but_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let creates = InFlight::beside(&database).unwrap();
        creates.begin(&call("wxcc_1"), Timestamp::UNIX_EPOCH).unwrap();
        creates.is_being_noted(&call("wxcc_1"));
        creates.give_up(&call("wxcc_1")).unwrap();
        assert_eq!(left(&database), [call("wxcc_1")]);
        creates.end(&call("wxcc_1"));
        assert!(creates.all().is_empty());
    }

    #[test]
    fn the_file_stays_small_and_keeps_what_is_in_flight() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let creates = InFlight::beside(&database).unwrap();
        creates.begin(&call("wxcc_stays"), Timestamp::UNIX_EPOCH).unwrap();
        for number in 0..10_000 {
            let call = call(&format!("wxcc_{number}"));
            creates.begin(&call, Timestamp::UNIX_EPOCH).unwrap();
            creates.end(&call);
        }
        let size = std::fs::metadata(folder.path().join("bridge.db-creates")).unwrap().len();
        assert!(size < 2 * MOST as u64, "{size}");
        assert!(left(&database).contains(&call("wxcc_stays")));
        creates.tidy().unwrap();
        assert_eq!(left(&database), [call("wxcc_stays")]);
    }
}
