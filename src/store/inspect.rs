//! A look at the database from outside: whose it is, whether this version of the service knows it, and whether it can be
//! written. Where a service runs, nothing is written.

use std::fs::{File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;

use super::StoreError;
use super::engine::{Limits, Target};
use super::lock::{beside, holder};
use super::sqlite::{SqliteThread, refuse_other_than_a_file};

/// What is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Which service has SQLite's file, in its own words.
    pub holder: Option<String>,
    /// What stands in it.
    pub schema: Schema,
    /// How long a commit took; none where nothing was written.
    pub commit: Option<Duration>,
    /// The user whose file it is, where that is another one than the one who looks.
    pub other_user: Option<u32>,
    /// Whether several services may share it.
    pub is_shared: bool,
}

/// What stands in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// There is none yet; the service makes it when it starts.
    Absent,
    /// An earlier version has made it; the service migrates it when it starts.
    Earlier,
    /// What this version knows.
    Current,
}

/// Looks at the database of `store.url`.
///
/// # Errors
/// What would keep a service from using it.
pub async fn inspect(url: &str) -> Result<Inspection, StoreError> {
    let target = Target::parse(url)?;
    let limits = Limits { open: Duration::from_secs(8), ..Limits::default() };
    let Some(file) = target.file().map(Path::to_owned) else {
        let looked = tokio::time::timeout(limits.open, target.look_at_server());
        return looked.await.unwrap_or(Err(StoreError::Slow));
    };
    refuse_other_than_a_file(&file)?;
    match std::fs::metadata(&file) {
        Ok(metadata) => of_file(&file, &metadata, limits).await,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = file.parent().map_or_else(PathBuf::new, Path::to_owned);
            can_be_made(&folder).map_err(|error| StoreError::of_file(&error))?;
            let (holder, commit, other_user) = (None, None, None);
            Ok(Inspection { holder, schema: Schema::Absent, commit, other_user, is_shared: false })
        }
        Err(error) => Err(StoreError::of_file(&error)),
    }
}

/// Whether a file can be made in the folder, or the folder itself where it is missing. Leaves nothing behind.
fn can_be_made(folder: &Path) -> io::Result<()> {
    let here = Path::new(".");
    let named = folder.ancestors().find(|above| above.is_dir());
    let existing = named.filter(|above| !above.as_os_str().is_empty()).unwrap_or(here);
    let probe = existing.join(format!(".scv-bridge-doctor-{}", std::process::id()));
    File::create_new(&probe)?;
    std::fs::remove_file(&probe)
}

async fn of_file(
    file: &Path,
    metadata: &std::fs::Metadata,
    limits: Limits,
) -> Result<Inspection, StoreError> {
    let (lock, holder) = lock(file)?;
    let own = rustix::process::geteuid().as_raw();
    let other_user = Some(metadata.uid()).filter(|owner| *owner != own);
    let empty = metadata.len() == 0;
    if holder.is_some() || other_user.is_some() || empty {
        let schema = match empty {
            true => Schema::Absent,
            false => {
                let reader = SqliteThread::open_to_read(file.to_owned(), limits).await?;
                reader.call(|sqlite| sqlite.schema()).await?
            }
        };
        return Ok(Inspection { holder, schema, commit: None, other_user, is_shared: false });
    }
    let writer = SqliteThread::open(Some(file.to_owned()), limits).await?;
    let schema = writer.call(|sqlite| sqlite.schema()).await?;
    let started = Instant::now();
    writer.call(move |sqlite| sqlite.probe(schema)).await?;
    let commit = Some(started.elapsed());
    writer.close().await?;
    drop(lock);
    Ok(Inspection { holder, schema, commit, other_user, is_shared: false })
}

/// Keeps services away while the file is looked at, or tells which one has it. Makes no lock file: without one no service
/// has ever used the database.
fn lock(database: &Path) -> Result<(Option<File>, Option<String>), StoreError> {
    let of_file = |error: io::Error| StoreError::of_file(&error);
    let path = beside(database).map_err(of_file)?;
    // Opened to write, as the service does: nobody waits then for the other end of a named pipe.
    let open = || File::options().read(true).write(true).open(&path);
    let mut file = match open().or_else(|_| File::open(&path)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((None, None)),
        Err(error) => return Err(of_file(error)),
    };
    match file.try_lock() {
        Ok(()) => Ok((Some(file), None)),
        Err(TryLockError::WouldBlock) => {
            let holder = holder(&mut file);
            Ok((None, Some(holder)))
        }
        Err(TryLockError::Error(error)) => Err(of_file(error)),
    }
}
