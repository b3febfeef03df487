//! SQLite's file serves one service at a time: repeated creates are joined in the memory of that process, so a second
//! service would make second VoiceCalls. PostgreSQL needs nothing of the kind, since replicas lease creates there.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::StoreError;

/// Where Linux tells the name of the host.
const HOST: &str = "/proc/sys/kernel/hostname";
/// How much of the file is read: it holds one line.
const MOST: u64 = 1024;
/// Between two tries while another service may be ending.
const PAUSE: Duration = Duration::from_millis(20);

/// The lock of a service on its database. The system takes it back when the process ends, however that ends; the file
/// stays, for the next service to find.
#[derive(Debug)]
pub(super) struct ServiceLock {
    _file: File,
    path: PathBuf,
    /// Whether the file was not there before.
    is_new: bool,
}

impl ServiceLock {
    /// Locks the file beside the database and writes down who has done so. Waits for one that is just ending.
    ///
    /// # Errors
    /// [`StoreError::Taken`] with who has it; [`StoreError::File`] where the file cannot be made or locked.
    pub(super) async fn take(database: &Path, now: Timestamp, wait: Duration) -> Result<Self, StoreError> {
        let path = beside(database).map_err(|error| StoreError::of_file(&error))?;
        let (mut file, mut is_new) = open(&path).map_err(|error| StoreError::of_file(&error))?;
        let give_up = Instant::now() + wait;
        loop {
            match file.try_lock() {
                Ok(()) if is_still_at(&path, &file) => break,
                // Whoever had it has removed it: another service may lock another file of that name.
                Ok(()) => (file, is_new) = open(&path).map_err(|error| StoreError::of_file(&error))?,
                Err(TryLockError::WouldBlock) if Instant::now() < give_up => tokio::time::sleep(PAUSE).await,
                Err(TryLockError::WouldBlock) => return Err(StoreError::Taken(holder(&mut file))),
                Err(TryLockError::Error(error)) => return Err(StoreError::of_file(&error)),
            }
        }
        // What counts is the lock: on a full disk it only stays nameless.
        if let Err(error) = sign(&mut file, now) {
            tracing::debug!(%error, "who has locked the database was not written down");
        }
        Ok(Self { _file: file, path, is_new })
    }

    /// Gives the lock of a database back that turned out to be none of a service: beside a file that is somebody else's
    /// nothing of ours stays. A lock file that was there before is left to whoever has made it.
    pub(super) fn leave_nothing(self) {
        // It is locked still, so that nobody else has locked this file.
        if self.is_new
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::debug!(%error, "the lock file stays beside a database that is not used");
        }
    }
}

/// Whether a file is the one that stands there.
fn is_still_at(path: &Path, file: &File) -> bool {
    let id = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    let there = std::fs::metadata(path).map(id).ok();
    there.is_some() && there == file.metadata().map(id).ok()
}

/// Links to the database lead to the same lock.
pub(super) fn beside(database: &Path) -> io::Result<PathBuf> {
    let mut path = std::fs::canonicalize(database)?.into_os_string();
    path.push(".lock");
    Ok(path.into())
}

/// Opens the lock file, or makes it; gives whether it was made.
fn open(path: &Path) -> io::Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok((options.create(true).truncate(false).open(path)?, false))
        }
        Err(error) => Err(error),
    }
}

fn sign(file: &mut File, now: Timestamp) -> io::Result<()> {
    let host = std::fs::read_to_string(HOST).unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("this host");
    file.set_len(0)?;
    file.write_all(format!("process {} on {host} since {now:.0}\n", std::process::id()).as_bytes())
}

/// Who says to have it: only what the file tells, which may be cut short or not there yet.
pub(super) fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(MOST).read_to_string(&mut text);
    let line = text.lines().next().filter(|line| read.is_ok() && line.starts_with("process "));
    line.map_or_else(|| String::from("another process"), |line| line.replace(char::is_control, " "))
}
