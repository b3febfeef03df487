//! The connection to a database: opened, migrated, asked. The store has one; it is made again when it breaks.

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Row as _, SqlSafeStr};

use super::StoreError;
use super::lock::ServiceLock;
use super::meta::Set;
use super::row::{json, read};
use super::sql::{Engine, Insert, Query};

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

    pub(super) fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
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
            connection.query(&Set { key: "probe", value: "" }).await?;
            Ok(connection)
        });
        recovered.await.unwrap_or(Err(StoreError::Slow))
    }

    async fn connect(&self) -> Result<Connection, StoreError> {
        match self {
            Self::Sqlite(options) => Ok(Connection::over(Link::Sqlite(options.connect().await?))),
            Self::Postgres(options) => {
                let mut connection = options.connect().await?;
                // Where the server is set to forget commits, we are not. Stronger settings are left alone.
                sqlx::query(
                    "SELECT set_config('synchronous_commit', 'on', false)
                    WHERE current_setting('synchronous_commit') = 'off'",
                )
                .execute(&mut connection)
                .await?;
                Ok(Connection::over(Link::Postgres(connection)))
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
pub(super) struct Connection {
    link: Link,
    /// Statements as they are spelled here, by how they stand in the code and the number of rows that they have room for.
    spelled: HashMap<(&'static str, &'static str, usize), Arc<str>>,
}

enum Link {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Connection {
    fn over(link: Link) -> Self {
        Self { link, spelled: HashMap::new() }
    }

    fn engine(&self) -> Engine {
        match &self.link {
            Link::Sqlite(_) => Engine::Sqlite,
            Link::Postgres(_) => Engine::Postgres,
        }
    }

    /// Asks one query and reads its rows.
    pub(super) async fn query<Q: Query>(&mut self, query: &Q) -> Result<Vec<Q::Row>, StoreError> {
        read(&self.rows(Q::SQL, json(query)?).await?)
    }

    /// Gives parameters to a statement and collects its rows.
    pub(super) async fn rows(&mut self, sql: &'static str, input: String) -> Result<Vec<String>, StoreError> {
        let sql = AssertSqlSafe(self.spell(sql, "", &[], 0));
        let rows = match &mut self.link {
            Link::Sqlite(connection) => sqlx::query_scalar(sql).bind(input).fetch_all(connection).await,
            Link::Postgres(connection) => sqlx::query_scalar(sql).bind(input).fetch_all(connection).await,
        };
        Ok(rows?)
    }

    /// Puts rows into a table by one statement, and collects what `returning` asks of them. On SQLite a statement has room
    /// for a power of two of them, so that the connection keeps a few prepared statements; a row to which nothing is bound
    /// is all NULL, and left out.
    pub(super) async fn insert<I: Insert>(
        &mut self,
        rows: Vec<I>,
        returning: &'static str,
    ) -> Result<Vec<String>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let room = match self.engine() {
            Engine::Sqlite => rows.len().next_power_of_two(),
            Engine::Postgres => 0,
        };
        let sql = AssertSqlSafe(self.spell(I::SQL, returning, I::COLUMNS, room));
        let rows = match &mut self.link {
            Link::Sqlite(connection) => {
                let query = rows.into_iter().fold(sqlx::query(sql), |query, row| row.bind(query));
                let rows = query.fetch_all(connection).await?;
                return rows.iter().map(|row| row.try_get(0).map_err(StoreError::from)).collect();
            }
            Link::Postgres(connection) => {
                sqlx::query_scalar(sql).bind(json(&rows)?).fetch_all(connection).await
            }
        };
        Ok(rows?)
    }

    fn spell(
        &mut self,
        sql: &'static str,
        returning: &'static str,
        columns: &[(&str, bool)],
        rows: usize,
    ) -> Arc<str> {
        let engine = self.engine();
        let spelled = self.spelled.entry((sql, returning, rows));
        let spell = || engine.spell(&[sql, returning].concat(), columns, rows).into();
        Arc::clone(spelled.or_insert_with(spell))
    }

    /// Begins to write. SQLite takes its lock at once: one that is taken later can be refused in the middle.
    pub(super) async fn begin(&mut self) -> Result<(), StoreError> {
        self.run(match self.engine() {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        })
        .await
    }

    /// Runs a statement that takes and gives nothing.
    pub(super) async fn run(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match &mut self.link {
            Link::Sqlite(connection) => sqlx::query(sql).execute(connection).await.map(drop)?,
            Link::Postgres(connection) => sqlx::query(sql).execute(connection).await.map(drop)?,
        }
        Ok(())
    }

    /// Empties the write-ahead log of SQLite; gives whether it could.
    pub(super) async fn checkpoint(&mut self) -> Result<bool, StoreError> {
        let Link::Sqlite(connection) = &mut self.link else { return Ok(true) };
        let blocked: i64 =
            sqlx::query_scalar("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(connection).await?;
        Ok(blocked == 0)
    }

    pub(super) async fn close(self) {
        let closed = match self.link {
            Link::Sqlite(connection) => connection.close().await,
            Link::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(error = %StoreError::from(error), "the database did not say goodbye");
        }
    }

    /// Replicas that start together take turns: by an advisory lock on PostgreSQL, by the write lock on SQLite.
    async fn migrate(&mut self) -> Result<(), StoreError> {
        match &mut self.link {
            Link::Sqlite(connection) => {
                let mut turn = connection.begin_with("BEGIN IMMEDIATE").await?;
                migrations(&[(1, "schema", include_str!("migrations/sqlite/0001_schema.sql"))])
                    .run_direct(None, &mut *turn, false)
                    .await?;
                turn.commit().await?;
            }
            Link::Postgres(connection) => {
                migrations(&[(1, "schema", include_str!("migrations/postgres/0001_schema.sql"))])
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
