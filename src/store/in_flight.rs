//! The creates that SQLite's one service has in flight, by name, in a file beside the database: if the process dies before
//! Salesforce answers, the next one knows that the end of the create is unknown. Written without waiting for the disk, it
//! outlives the process, however that ends, but not a loss of power; a commit for each create would cost a third of its CPU
//! (docs/performance.md). A thread of its own writes, so that a disk that stands still holds up no other request. On
//! PostgreSQL, where replicas compete for a create, its lease is kept with the call.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use foldhash::fast::RandomState;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::StoreError;
use super::row::Millis;
use crate::domain::{CallCenterName, CallName, CallReference, VendorCallKey};

/// From how many bytes on the file is written anew, with what is still in flight.
const MOST: usize = 256 * 1024;

/// How many writes may wait for a disk that stands still. Whoever comes after them creates all the same.
const QUEUE: usize = 1024;

/// The creates in flight, and the thread that writes their file.
#[derive(Debug)]
pub(super) struct InFlight {
    creates: Arc<Creates>,
    /// Lines that the thread has not been given yet.
    unsent: Mutex<Lines>,
    writes: mpsc::SyncSender<Write>,
}

/// What is in flight. Locked for no longer than it takes to look.
type Creates = Mutex<SentCreates>;

type SentCreates = HashMap<CallName, SentCreate, RandomState>;

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

/// Something for the thread, in this order.
#[derive(Debug)]
enum Write {
    /// More at the end of the file.
    Lines(Lines),
    /// The file anew, with what is in flight then.
    Anew(Written),
}

/// Lines, and who waits until they are written.
#[derive(Debug, Default)]
struct Lines {
    text: Vec<u8>,
    waiting: Vec<Written>,
}

impl Lines {
    fn answer(self, result: &Result<(), StoreError>) {
        for written in self.waiting {
            // Who has gone in the meantime has given the create up.
            let _ = written.send(result.clone());
        }
    }
}

type Written = oneshot::Sender<Result<(), StoreError>>;

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
        let creates = Arc::new(Creates::new(in_flight_at_the_end_of(&left)));
        let file = open(&path).map_err(|error| StoreError::of_file(&error))?;
        let file = CreatesFile { path, file, size: left.len(), most: MOST, creates: Arc::clone(&creates) };
        let (writes, queue) = mpsc::sync_channel(QUEUE);
        let thread = std::thread::Builder::new().name("creates".to_owned());
        thread.spawn(move || file.run(&queue)).map_err(|error| StoreError::of_file(&error))?;
        Ok(Self { creates, unsent: Mutex::default(), writes })
    }

    /// The disk stands still until a word is sent.
    #[cfg(test)]
    fn standing_still(database: &Path) -> (Self, mpsc::Sender<()>) {
        let (resumes, resumed) = mpsc::channel::<()>();
        let disk = Self::beside(database).unwrap_or_else(|error| panic!("{error}"));
        let (writes, queue) = mpsc::sync_channel(QUEUE);
        let creates = Arc::clone(&disk.creates);
        std::thread::spawn(move || {
            if resumed.recv().is_ok() {
                queue.iter().for_each(|write| drop(disk.writes.send(write)));
            }
        });
        (Self { creates, unsent: Mutex::default(), writes }, resumes)
    }

    /// What is in flight, and since when.
    pub(super) fn all(&self) -> Vec<(CallName, Millis)> {
        self.creates().iter().map(|(name, create)| (name.clone(), create.at)).collect()
    }

    /// The journal knows of all of it.
    pub(super) async fn forget_all(&self) -> Result<(), StoreError> {
        self.creates().clear();
        self.tidy().await
    }

    /// A create is about to be sent. Given up by whoever waits no longer for the disk.
    pub(super) async fn begin(&self, call: &CallName, now: Timestamp) -> Result<(), StoreError> {
        let at = Millis::from(now);
        let (written, is_written) = oneshot::channel();
        self.creates().insert(call.clone(), SentCreate::at(at));
        let mut begun = Begun(Some((self, call)));
        self.append(call, Some(at), Some(written));
        // The thread is woken once for all who are about to create on this one: each time costs as much as the write itself.
        tokio::task::yield_now().await;
        self.send_lines();
        is_written.await.map_err(|_| StoreError::Closed)??;
        begun.0 = None;
        Ok(())
    }

    /// How a create ended is on its way to the journal, which may not take it yet.
    pub(super) fn is_being_noted(&self, call: &CallName) {
        if let Some(create) = self.creates().get_mut(call) {
            create.is_being_noted = true;
        }
    }

    /// The journal knows what came of a create.
    pub(super) fn end(&self, call: &CallName) {
        self.creates().remove(call);
    }

    /// Nothing came of a create; unless the journal is still to be told what did. Not waited for: where that is not
    /// written, the next process finds a create whose end is unknown.
    pub(super) fn give_up(&self, call: &CallName) {
        let mut creates = self.creates();
        if creates.get(call).is_some_and(|create| !create.is_being_noted) {
            creates.remove(call);
            // Before the name can be in flight again.
            self.append(call, None, None);
            self.send_lines();
        }
    }

    /// Leaves only what is in flight in the file.
    pub(super) async fn tidy(&self) -> Result<(), StoreError> {
        let (written, is_written) = oneshot::channel();
        self.send_lines();
        self.send(Write::Anew(written));
        is_written.await.map_err(|_| StoreError::Closed)?
    }

    fn append(&self, call: &CallName, at: Option<Millis>, written: Option<Written>) {
        let mut unsent = self.unsent();
        write_line(&mut unsent.text, call, at);
        unsent.waiting.extend(written);
    }

    fn send_lines(&self) {
        // Kept until they are sent, so that lines stay in their order.
        let mut unsent = self.unsent();
        if !unsent.text.is_empty() {
            self.send(Write::Lines(std::mem::take(&mut unsent)));
        }
    }

    fn send(&self, write: Write) {
        match self.writes.try_send(write) {
            Err(mpsc::TrySendError::Full(Write::Lines(lines))) => lines.answer(&Err(StoreError::Slow)),
            Err(mpsc::TrySendError::Full(Write::Anew(written))) => drop(written.send(Err(StoreError::Slow))),
            // Without the thread there is no answer.
            Err(mpsc::TrySendError::Disconnected(_)) | Ok(()) => {}
        }
    }

    fn unsent(&self) -> MutexGuard<'_, Lines> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn creates(&self) -> MutexGuard<'_, SentCreates> {
        self.creates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A create that may not be in the file yet. Nobody sends it if this is dropped before it is.
struct Begun<'a>(Option<(&'a InFlight, &'a CallName)>);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if let Some((in_flight, call)) = self.0 {
            in_flight.give_up(call);
        }
    }
}

/// What the thread has.
struct CreatesFile {
    path: PathBuf,
    file: File,
    /// How much was written since the file was made.
    size: usize,
    /// From what size on the file is written anew.
    most: usize,
    creates: Arc<Creates>,
}

impl CreatesFile {
    /// Writes until nobody can ask any more. What came meanwhile is written together.
    fn run(mut self, queue: &mpsc::Receiver<Write>) {
        let mut all = Lines::default();
        while let Ok(first) = queue.recv() {
            for write in std::iter::once(first).chain(queue.try_iter()) {
                match write {
                    Write::Lines(mut lines) => {
                        all.text.append(&mut lines.text);
                        all.waiting.append(&mut lines.waiting);
                    }
                    Write::Anew(written) => {
                        self.append(std::mem::take(&mut all));
                        let _ = written.send(self.write_anew());
                    }
                }
            }
            self.append(std::mem::take(&mut all));
            if self.size > self.most
                && let Err(error) = self.write_anew()
            {
                tracing::warn!(%error, "the file of the creates in flight cannot be written anew");
            }
        }
    }

    fn append(&mut self, lines: Lines) {
        self.size += lines.text.len();
        let result = self.file.write_all(&lines.text).map_err(|error| StoreError::of_file(&error));
        lines.answer(&result);
    }

    /// A process that dies meanwhile leaves the old file or the new one. What begins meanwhile is in both, or in the next
    /// line.
    fn write_anew(&mut self) -> Result<(), StoreError> {
        let mut lines = Vec::new();
        for (call, create) in self.creates.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            write_line(&mut lines, call, Some(create.at));
        }
        self.replace(&lines).map_err(|error| StoreError::of_file(&error))?;
        (self.size, self.most) = (lines.len(), MOST + 2 * lines.len());
        Ok(())
    }

    fn replace(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut new = self.path.as_os_str().to_owned();
        new.push(".new");
        let mut file = open(Path::new(&new))?;
        file.set_len(0)?;
        file.write_all(lines)?;
        std::fs::rename(&new, &self.path)?;
        self.file = file;
        Ok(())
    }
}

/// What was in flight when the last of `lines` was written. One that was cut off in the middle is left out: then Salesforce
/// was not asked.
fn in_flight_at_the_end_of(lines: &[u8]) -> SentCreates {
    let mut creates = SentCreates::default();
    for line in lines.split(|byte| *byte == b'\n') {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { continue };
        match (line.name(), line.at) {
            (Some(name), Some(at)) => drop(creates.insert(name, SentCreate::at(at))),
            (Some(name), None) => drop(creates.remove(&name)),
            (None, _) => {}
        }
    }
    creates
}

/// A line begins with its end of line: after one that was cut off, by the end of the process or by a full disk, it is whole.
fn write_line(lines: &mut Vec<u8>, call: &CallName, at: Option<Millis>) {
    lines.push(b'\n');
    // Nothing in it can fail to be written to memory.
    let _ = serde_json::to_writer(lines, &Line::of(call, at));
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

    #[tokio::test]
    async fn what_a_process_leaves_is_found_by_the_next_one_until_the_journal_knows_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let gone = InFlight::beside(&database).unwrap();
        assert!(gone.all().is_empty());
        for key in ["wxcc_1", "wxcc_3", "wxcc_2"] {
            gone.begin(&call(key), Timestamp::UNIX_EPOCH).await.unwrap();
            // What is written after it is written once that is.
            gone.give_up(&call("wxcc_3"));
        }
        // It dies while it writes.
        open(&folder.path().join("bridge.db-creates"))
            .unwrap()
            .write_all(b"\n{\"call_center\":\"Sa")
            .unwrap();
        for _ in 0..2 {
            assert_eq!(left(&database), [call("wxcc_1"), call("wxcc_2")]);
        }
        let next = InFlight::beside(&database).unwrap();
        next.begin(&call("wxcc_4"), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(left(&database).len(), 3, "what was cut off spoils no other");
        next.forget_all().await.unwrap();
        assert_eq!(left(&database), []);
    }

    #[tokio::test]
    async fn a_create_whose_end_is_being_noted_is_given_up_by_nobody_but_the_journal() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let creates = InFlight::beside(&database).unwrap();
        creates.begin(&call("wxcc_1"), Timestamp::UNIX_EPOCH).await.unwrap();
        creates.is_being_noted(&call("wxcc_1"));
        creates.give_up(&call("wxcc_1"));
        assert_eq!(left(&database), [call("wxcc_1")]);
        creates.end(&call("wxcc_1"));
        assert!(creates.all().is_empty());
    }

    #[tokio::test]
    async fn the_file_stays_small_and_keeps_what_is_in_flight() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let creates = InFlight::beside(&database).unwrap();
        creates.begin(&call("wxcc_stays"), Timestamp::UNIX_EPOCH).await.unwrap();
        for number in 0..10_000 {
            let call = call(&format!("wxcc_{number}"));
            creates.begin(&call, Timestamp::UNIX_EPOCH).await.unwrap();
            creates.end(&call);
        }
        let size = std::fs::metadata(folder.path().join("bridge.db-creates")).unwrap().len();
        assert!(size < 2 * MOST as u64, "{size}");
        assert!(left(&database).contains(&call("wxcc_stays")));
        creates.tidy().await.unwrap();
        assert_eq!(left(&database), [call("wxcc_stays")]);
    }

    /// What becomes of a create that is about to be sent, if that shows before the disk moves.
    async fn begun_soon(creates: &InFlight, call: &CallName) -> Option<Result<(), StoreError>> {
        let others = async {
            for _ in 0..5 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            begun = creates.begin(call, Timestamp::UNIX_EPOCH) => Some(begun),
            () = others => None,
        }
    }

    #[tokio::test]
    async fn a_disk_that_stands_still_holds_up_nobody_and_a_create_that_waits_no_longer_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("bridge.db");
        let (creates, resumes) = InFlight::standing_still(&database);
        let name = call("wxcc_1");
        let late = begun_soon(&creates, &name).await;
        assert!(late.is_none(), "written by a disk that stands still");
        assert!(creates.all().is_empty());
        resumes.send(()).unwrap();
        creates.begin(&call("wxcc_4"), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(left(&database), [call("wxcc_4")]);
    }

    #[tokio::test]
    async fn no_more_wait_for_a_disk_that_stands_still_than_there_is_room_for() {
        let folder = tempfile::tempdir().unwrap();
        let (creates, _resumes) = InFlight::standing_still(&folder.path().join("bridge.db"));
        let mut refused = None;
        for number in 0..=QUEUE {
            refused = begun_soon(&creates, &call(&format!("wxcc_{number}"))).await;
            if refused.is_some() {
                break;
            }
        }
        assert_eq!(refused, Some(Err(StoreError::Slow)));
        assert!(creates.all().is_empty());
    }
}
