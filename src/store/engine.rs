//! Where a database is, and the connection to it. The store has one; it is made again when it breaks.

use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;

use super::StoreError;
use super::batch::{self, Answers, Batch};
use super::fingerprint::Key;
use super::inspect::{Inspection, Schema};
use super::known::KnownCalls;
use super::lock::ServiceLock;
use super::meta::Set;
use super::outbox::ReleaseAll;
use super::postgres::Postgres;
use super::sql::{Connection, Engine, Query};
use super::sqlite::{Sqlite, SqliteThread, refuse_other_than_a_file};

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Waiting for another program's lock; SQLite only.
    pub(super) busy: Duration,
    /// One batch, and one attempt to connect.
    pub(super) batch: Duration,
    /// Opening, with migrations, possibly behind another replica's.
    pub(super) open: Duration,
    /// Between two attempts to connect again.
    pub(super) retry: Duration,
    /// A disk that is soon full; SQLite only.
    #[cfg(test)]
    pub(super) pages: Option<u32>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(1),
            batch: Duration::from_secs(3),
            open: Duration::from_secs(30),
            retry: Duration::from_millis(250),
            #[cfg(test)]
            pages: None,
        }
    }
}

impl Limits {
    /// For a command that runs beside a busy service: SQLite gives its lock to who happens to ask in the right moment, and
    /// nobody hangs on the line.
    pub(super) fn of_command() -> Self {
        Self { busy: Duration::from_secs(10), batch: Duration::from_secs(15), ..Self::default() }
    }
}

/// Where the database is.
#[derive(Clone)]
pub(super) enum Target {
    /// SQLite's file; none: in memory.
    Sqlite(Option<PathBuf>),
    Postgres(Box<PgConnectOptions>),
}

/// What tells a file from another at its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

impl Target {
    /// Reads `store.url`.
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        if let Some(place) = url.strip_prefix("sqlite:") {
            return sqlite_file(place).map(Self::Sqlite).ok_or(StoreError::Url);
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(StoreError::Url);
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Url)?;
        Ok(Self::Postgres(Box::new(options.application_name("scv-bridge").disable_statement_logging())))
    }

    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// Makes what is missing, migrates and connects.
    pub(super) async fn open(&self, limits: &Limits) -> Result<Link, StoreError> {
        self.create_file()?;
        let opened = async {
            let mut link = self.connect(limits).await?;
            link.migrate().await?;
            Ok(link)
        };
        tokio::time::timeout(limits.open, opened).await.unwrap_or(Err(StoreError::Slow))
    }

    /// Connects to a database that this version knows: who works beside a service makes and migrates nothing.
    pub(super) async fn open_existing(&self, limits: &Limits) -> Result<Link, StoreError> {
        self.find_file()?;
        let opened = async { self.connect(limits).await?.of_this_version().await };
        tokio::time::timeout(limits.open, opened).await.unwrap_or(Err(StoreError::Slow))
    }

    /// The same, only to read it.
    pub(super) async fn open_to_read(&self, limits: &Limits) -> Result<Link, StoreError> {
        let opened = async {
            let link = match self {
                Self::Sqlite(None) => return Err(StoreError::File(std::io::ErrorKind::NotFound)),
                Self::Sqlite(Some(file)) => {
                    Link::Sqlite(SqliteThread::open_to_read(file.clone(), *limits).await?)
                }
                Self::Postgres(options) => Link::Postgres(Postgres::connect_to_read(options).await?),
            };
            link.of_this_version().await
        };
        tokio::time::timeout(limits.open, opened).await.unwrap_or(Err(StoreError::Slow))
    }

    async fn connect(&self, limits: &Limits) -> Result<Link, StoreError> {
        Ok(match self {
            Self::Sqlite(_) => Link::Sqlite(self.open_past_locks(limits).await?),
            Self::Postgres(options) => Link::Postgres(Postgres::connect(options).await?),
        })
    }

    /// Looks at a server's database: what stands in it, and whether it can be written.
    pub(super) async fn look_at_server(&self) -> Result<Inspection, StoreError> {
        let (holder, other_user, mut commit) = (None, None, None);
        let Self::Postgres(options) = self else {
            // In memory: there is nothing to look at.
            return Ok(Inspection { holder, schema: Schema::Absent, commit, other_user, is_shared: false });
        };
        let mut postgres = Postgres::connect(options).await?;
        let schema = postgres.schema().await?;
        if schema == Schema::Current {
            let started = tokio::time::Instant::now();
            postgres.query(&PROBE).await?;
            commit = Some(started.elapsed());
        }
        postgres.close().await?;
        Ok(Inspection { holder, schema, commit, other_user, is_shared: true })
    }

    /// Connects, and shows that writing works.
    pub(super) async fn recover(&self, limits: &Limits) -> Result<Link, StoreError> {
        let recovered = tokio::time::timeout(limits.batch, async {
            let mut link = match self {
                Self::Sqlite(file) => Link::Sqlite(SqliteThread::open(file.clone(), *limits).await?),
                Self::Postgres(options) => Link::Postgres(Postgres::connect(options).await?),
            };
            link.query(PROBE).await?;
            Ok(link)
        });
        recovered.await.unwrap_or(Err(StoreError::Slow))
    }

    /// Two programs that open a new SQLite file at once meet in the change to write-ahead logging, for which
    /// SQLite does not wait by itself.
    async fn open_past_locks(&self, limits: &Limits) -> Result<SqliteThread, StoreError> {
        let give_up = tokio::time::Instant::now() + limits.busy;
        loop {
            match SqliteThread::open(self.file().map(Path::to_owned), *limits).await {
                Err(StoreError::Locked) if tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                result => return result,
            }
        }
    }

    /// SQLite's file, unless the database lives in memory.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::Sqlite(file) => file.as_deref(),
            Self::Postgres(_) => None,
        }
    }

    /// Which file SQLite's is now, if it is one and is there.
    pub(super) fn file_id(&self) -> Option<FileId> {
        let metadata = std::fs::metadata(self.file()?).ok()?;
        Some(FileId { device: metadata.dev(), inode: metadata.ino() })
    }

    /// Keeps other services away from SQLite's file, for as long as the lock lives. Before anything is changed in it: a
    /// newer version must not migrate what an older one is using.
    pub(super) async fn lock(
        &self,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Option<ServiceLock>, StoreError> {
        let Some(path) = self.file() else { return Ok(None) };
        self.create_file()?;
        ServiceLock::take(path, now, limits.busy).await.map(Some)
    }

    /// Fails where SQLite's file is missing.
    pub(super) fn find_file(&self) -> Result<(), StoreError> {
        let Some(path) = self.file() else { return Ok(()) };
        std::fs::metadata(path).map_err(|error| StoreError::File(error.kind()))?;
        refuse_other_than_a_file(path)
    }

    /// Makes folder and file, for the service's own eyes: SQLite gives its other files the same rights. A file that is there
    /// and empty is closed to others too; of one with data that all may read `check` tells.
    fn create_file(&self) -> Result<(), StoreError> {
        let Some(path) = self.file() else { return Ok(()) };
        refuse_other_than_a_file(path)?;
        let made = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::OpenOptions::new().create(true).append(true).mode(OWN).open(path)
        };
        made().and_then(|file| close_to_others(&file)).map_err(|error| StoreError::of_file(&error))
    }
}

/// Who may read and write a database: its owner.
const OWN: u32 = 0o600;

/// Takes the rights of others on a file that is still empty; a group is somebody's choice. A file of another user keeps them:
/// only its owner can.
fn close_to_others(file: &std::fs::File) -> std::io::Result<()> {
    let metadata = file.metadata()?;
    let is_ours = metadata.uid() == rustix::process::geteuid().as_raw();
    match metadata.len() == 0 && metadata.mode() & 0o007 != 0 && is_ours {
        true => file.set_permissions(std::fs::Permissions::from_mode(OWN)),
        false => Ok(()),
    }
}

/// SQLite's file in a URL, behind `sqlite:`, and none for a database in memory; nothing where it names no file. Whatever it
/// says of how the file is to be opened, the service opens it its own way.
fn sqlite_file(place: &str) -> Option<Option<PathBuf>> {
    let path = place.strip_prefix("//").unwrap_or(place);
    let path = path.split('?').next().unwrap_or(path);
    let path = percent_decode_str(path).decode_utf8().ok()?;
    match path.as_ref() {
        "" => None,
        ":memory:" => Some(None),
        path => Some(Some(PathBuf::from(path))),
    }
}

/// Shows that writing works.
pub(super) const PROBE: Set<'static> = Set { key: "probe", value: "" };

/// A connection, and the thread of it where it has one.
pub(super) enum Link {
    Sqlite(SqliteThread),
    Postgres(Postgres),
}

impl Link {
    async fn migrate(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(thread) => thread.call(Sqlite::migrate).await,
            Self::Postgres(postgres) => postgres.migrate().await,
        }
    }

    /// Only a service migrates, when it starts; whoever works beside it needs the schema of this version.
    async fn of_this_version(mut self) -> Result<Self, StoreError> {
        let schema = match &mut self {
            Self::Sqlite(thread) => thread.call(|sqlite| sqlite.schema()).await?,
            Self::Postgres(postgres) => postgres.schema().await?,
        };
        match schema {
            Schema::Current => Ok(self),
            Schema::Absent | Schema::Earlier => Err(StoreError::Earlier),
        }
    }

    /// Begins the work of a process: SQLite's only service takes up what others have left behind. Gives the key of
    /// fingerprints, and which calls are known where only this process writes them.
    pub(super) async fn begin(
        &mut self,
        is_only_service: bool,
    ) -> Result<(Key, Option<KnownCalls>), StoreError> {
        match self {
            Self::Sqlite(thread) => {
                let begin = async move |sqlite: &mut Sqlite| {
                    // There is no other process, so whoever left that behind is gone.
                    if is_only_service {
                        sqlite.query(&ReleaseAll {}).await?;
                    }
                    Ok((Key::of(sqlite).await?, Some(KnownCalls::of(sqlite).await?)))
                };
                thread.call(move |sqlite| sqlite.now(begin)).await
            }
            Self::Postgres(postgres) => Ok((Key::of(postgres).await?, None)),
        }
    }

    /// The key of fingerprints that the database has.
    pub(super) async fn key(&mut self) -> Result<Key, StoreError> {
        match self {
            Self::Sqlite(thread) => {
                let read = async |sqlite: &mut Sqlite| Key::read(sqlite).await;
                thread.call(move |sqlite| sqlite.now(read)).await
            }
            Self::Postgres(postgres) => Key::read(postgres).await,
        }
    }

    /// Runs one query.
    async fn query<Q: Query + Send + 'static>(&mut self, query: Q) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(thread) => {
                thread
                    .call(move |sqlite| sqlite.now(async |sqlite| sqlite.query(&query).await.map(drop)))
                    .await
            }
            Self::Postgres(postgres) => postgres.query(&query).await.map(drop),
        }
    }

    /// Runs a batch.
    pub(super) async fn run(&mut self, batch: &Arc<Batch>, writes: bool) -> Result<Answers, StoreError> {
        match self {
            Self::Sqlite(thread) => {
                let batch = Arc::clone(batch);
                let run = move |sqlite: &mut Sqlite| {
                    sqlite.now(async |sqlite| batch::run(sqlite, &batch, writes).await)
                };
                thread.call(run).await
            }
            Self::Postgres(postgres) => batch::run(postgres, batch, writes).await,
        }
    }

    /// Empties the write-ahead log of SQLite; gives whether it could.
    pub(super) async fn checkpoint(&mut self) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(thread) => thread.call(Sqlite::checkpoint).await,
            Self::Postgres(_) => Ok(true),
        }
    }

    pub(super) async fn close(self) {
        let closed = match self {
            Self::Sqlite(thread) => thread.close().await,
            Self::Postgres(postgres) => postgres.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "the database was not closed in order");
        }
    }
}
