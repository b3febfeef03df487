//! The connection to a database: opened, migrated, asked. The store has one; it is made again when it breaks.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqlSafeStr};

use super::lock::ServiceLock;
use super::note::NoteRow;
use super::row::json;
use super::statement::{Dialect, Kind};
use super::task::EventRow;
use super::{StoreError, postgres, sqlite};

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
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            busy: Duration::from_secs(1),
            batch: Duration::from_secs(3),
            open: Duration::from_secs(30),
            retry: Duration::from_millis(250),
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
    Sqlite(Box<SqliteConnectOptions>),
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
    pub(super) fn parse(url: &str, limits: &Limits) -> Result<Self, StoreError> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Url)?;
            return Ok(Self::Sqlite(Box::new(
                options
                    .journal_mode(SqliteJournalMode::Wal)
                    // An answer may go out after a commit: it must survive the loss of power.
                    .synchronous(SqliteSynchronous::Full)
                    .busy_timeout(limits.busy)
                    // Deleted numbers are overwritten, and none goes into temporary files.
                    .pragma("secure_delete", "ON")
                    .pragma("temp_store", "MEMORY")
                    // Keys are random, so each call changes another page of their index: 16 MiB hold the pages of some
                    // 200,000 calls, and are written back from the log that many at a time.
                    .pragma("cache_size", "-16384")
                    .pragma("wal_autocheckpoint", "4096")
                    .create_if_missing(false)
                    .disable_statement_logging(),
            )));
        }
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(StoreError::Url);
        }
        let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Url)?;
        Ok(Self::Postgres(Box::new(options.application_name("scv-bridge").disable_statement_logging())))
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Sqlite(_) => Kind::Sqlite,
            Self::Postgres(_) => Kind::Postgres,
        }
    }

    /// Makes what is missing, migrates and connects.
    pub(super) async fn open(&self, limits: &Limits) -> Result<Connection, StoreError> {
        self.create_file()?;
        let opened = tokio::time::timeout(limits.open, async {
            let mut connection = self.connect_past_locks(limits).await?;
            connection.migrate().await?;
            Ok(connection)
        });
        opened.await.unwrap_or(Err(StoreError::Slow))
    }

    /// Connects, and shows that writing works.
    pub(super) async fn recover(&self, limits: &Limits) -> Result<Connection, StoreError> {
        let recovered = tokio::time::timeout(limits.batch, async {
            let mut connection = self.connect().await?;
            connection.rows(self.kind().dialect().probe, "{}").await?;
            Ok(connection)
        });
        recovered.await.unwrap_or(Err(StoreError::Slow))
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(options) => Ok(Connection::Sqlite(options.connect().await?)),
            Self::Postgres(options) => {
                let mut connection = options.connect().await?;
                // Where the server is set to forget commits, we are not. Stronger settings are left alone.
                sqlx::query(
                    "SELECT set_config('synchronous_commit', 'on', false)
                    WHERE current_setting('synchronous_commit') = 'off'",
                )
                .execute(&mut connection)
                .await?;
                Ok(Connection::Postgres(connection))
            }
        }
    }

    /// Two programs that open a new SQLite file at once meet in the change to write-ahead logging, for which
    /// SQLite does not wait by itself.
    async fn connect_past_locks(&self, limits: &Limits) -> Result<Connection, StoreError> {
        let give_up = tokio::time::Instant::now() + limits.busy;
        loop {
            match self.connect().await {
                Err(StoreError::Locked) if tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                result => return result,
            }
        }
    }

    /// SQLite's file, unless the database lives in memory.
    fn file(&self) -> Option<&Path> {
        let Self::Sqlite(options) = self else { return None };
        let path = options.get_filename();
        // A database in memory has a name of this kind and no file.
        let in_memory = path.as_os_str().as_encoded_bytes().starts_with(b"file:");
        (!in_memory).then_some(path)
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
        std::fs::metadata(path).map(drop).map_err(|error| StoreError::File(error.kind()))
    }

    /// Makes folder and file, for the service's own eyes: SQLite gives its other files the same rights.
    fn create_file(&self) -> Result<(), StoreError> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let Some(path) = self.file() else { return Ok(()) };
        let made = || {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path)
        };
        made().map(drop).map_err(|error| StoreError::of_file(&error))
    }
}

/// An open database.
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    pub(super) fn dialect(&self) -> &'static Dialect {
        match self {
            Self::Sqlite(_) => Kind::Sqlite.dialect(),
            Self::Postgres(_) => Kind::Postgres.dialect(),
        }
    }

    /// Gives `input` to a statement and collects its rows.
    pub(super) async fn rows(&mut self, sql: &'static str, input: &str) -> Result<Vec<String>, StoreError> {
        let rows = match self {
            Self::Sqlite(connection) => sqlx::query_scalar(sql).bind(input).fetch_all(connection).await,
            Self::Postgres(connection) => sqlx::query_scalar(sql).bind(input).fetch_all(connection).await,
        };
        Ok(rows?)
    }

    /// Merges notes into the journal, one row for each call.
    pub(super) async fn note(&mut self, notes: &[NoteRow<'_>]) -> Result<(), StoreError> {
        match self {
            _ if notes.is_empty() => {}
            Self::Sqlite(connection) => sqlite::note(connection, notes).await?,
            Self::Postgres(connection) => {
                sqlx::query(postgres::NOTE).bind(json(&notes)?).execute(connection).await.map(drop)?;
            }
        }
        Ok(())
    }

    /// Merges notes into the journal, one row for each call, and gives the calls.
    pub(super) async fn learn(&mut self, notes: &[NoteRow<'_>]) -> Result<Vec<String>, StoreError> {
        match self {
            _ if notes.is_empty() => Ok(Vec::new()),
            Self::Sqlite(connection) => sqlite::learn(connection, notes).await,
            Self::Postgres(_) => self.rows(postgres::LEARN, &json(&notes)?).await,
        }
    }

    /// Keeps events that are not kept yet.
    pub(super) async fn keep(&mut self, events: &[EventRow<'_>]) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::keep(connection, events).await,
            Self::Postgres(connection) => {
                sqlx::query(postgres::KEEP).bind(json(&events)?).execute(connection).await.map(drop)?;
                Ok(())
            }
        }
    }

    /// Runs a statement that takes and gives nothing.
    pub(super) async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlx::query(sql).execute(connection).await.map(drop)?,
            Self::Postgres(connection) => sqlx::query(sql).execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    /// Empties the write-ahead log of SQLite; gives whether it could.
    pub(super) async fn checkpoint(&mut self) -> Result<bool, StoreError> {
        let Self::Sqlite(connection) = self else { return Ok(true) };
        let blocked: i64 =
            sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
        Ok(blocked == 0)
    }

    pub(super) async fn close(self) {
        let closed = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(error = %StoreError::from(error), "the database did not say goodbye");
        }
    }

    /// Replicas that start together take turns: by an advisory lock on PostgreSQL, by the write lock on SQLite.
    async fn migrate(&mut self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut turn = connection.begin_with("BEGIN IMMEDIATE").await?;
                migrations(&[
                    (1, "journal and outbox", include_str!("migrations/sqlite/0001_journal_and_outbox.sql")),
                    (2, "tasks and events", include_str!("migrations/sqlite/0002_tasks_and_events.sql")),
                    (3, "details", include_str!("migrations/sqlite/0003_details.sql")),
                    (4, "due sooner", include_str!("migrations/sqlite/0004_due_sooner.sql")),
                    (5, "answered by", include_str!("migrations/sqlite/0005_answered_by.sql")),
                    (6, "create unknown", include_str!("migrations/sqlite/0006_create_unknown.sql")),
                ])
                .run_direct(None, &mut *turn, false)
                .await?;
                turn.commit().await?;
            }
            Self::Postgres(connection) => {
                migrations(&[
                    (
                        1,
                        "journal and outbox",
                        include_str!("migrations/postgres/0001_journal_and_outbox.sql"),
                    ),
                    (2, "tasks and events", include_str!("migrations/postgres/0002_tasks_and_events.sql")),
                    (3, "details", include_str!("migrations/postgres/0003_details.sql")),
                    (5, "answered by", include_str!("migrations/postgres/0005_answered_by.sql")),
                    (6, "create unknown", include_str!("migrations/postgres/0006_create_unknown.sql")),
                ])
                .run_direct(None, connection, false)
                .await?;
            }
        }
        Ok(())
    }
}

/// Number, name and statements of each.
fn migrations(all: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(all.iter().map(migration).collect())
}
