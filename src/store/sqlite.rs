//! SQLite, on a thread of its own: a batch goes there and back once.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};

use foldhash::fast::RandomState;
use rusqlite::types::ToSqlOutput;
use rusqlite::{CachedStatement, InterruptHandle, OpenFlags, Rows, TransactionBehavior};
use tokio::sync::oneshot;

use super::StoreError;
use super::engine::{Limits, PROBE};
use super::inspect::Schema;
use super::sql::{Connection, Engine, Insert};

/// The statements of each version of the schema. The file says in `user_version` how many it has seen.
const MIGRATIONS: [&str; 7] = [
    include_str!("migrations/sqlite/0001_schema.sql"),
    include_str!("migrations/sqlite/0002_exchanges.sql"),
    include_str!("migrations/sqlite/0003_exchanges_by_hash.sql"),
    include_str!("migrations/sqlite/0004_exchanges_of_a_second.sql"),
    include_str!("migrations/sqlite/0005_cleared.sql"),
    include_str!("migrations/sqlite/0006_route_result.sql"),
    include_str!("migrations/sqlite/0007_outbox_by_center.sql"),
];

/// Tables that every version of the schema has: what has none of them, and others, is of another program.
const TABLES: &str =
    "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('calls', 'outbox', 'meta')";
/// How many those are.
const TABLES_COUNT: i64 = 3;

/// How many prepared statements are kept.
const STATEMENTS: usize = 128;

/// Refuses what is there and no regular file: who opens a named pipe waits until somebody writes into it, and a device
/// may have no end. What is not there is for others to find, or to make.
///
/// # Errors
/// [`StoreError::NoFile`] with what it is.
pub(super) fn refuse_other_than_a_file(path: &Path) -> Result<(), StoreError> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    let kind = metadata.file_type();
    match () {
        () if kind.is_file() => Ok(()),
        () if kind.is_dir() => Err(StoreError::NoFile("a directory")),
        () if kind.is_fifo() => Err(StoreError::NoFile("a named pipe")),
        () if kind.is_socket() => Err(StoreError::NoFile("a socket")),
        () => Err(StoreError::NoFile("a device")),
    }
}

/// Something to be done on the thread.
type Work = Box<dyn FnOnce(&mut Sqlite) + Send>;

/// The thread of an open database. It ends when this is dropped, after what it is doing.
pub(super) struct SqliteThread {
    work: mpsc::Sender<Work>,
    interrupt: InterruptHandle,
    closed: oneshot::Receiver<Result<(), StoreError>>,
}

impl Drop for SqliteThread {
    /// Whatever is under way has lost whoever waited for it.
    fn drop(&mut self) {
        self.interrupt.interrupt();
    }
}

impl SqliteThread {
    /// Opens a file that is there, or a database in memory.
    pub(super) async fn open(file: Option<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        if let Some(file) = &file {
            refuse_other_than_a_file(file)?;
        }
        Self::run(move || Sqlite::open(file, limits)).await
    }

    /// Opens a file that is there, only to read it.
    pub(super) async fn open_to_read(file: PathBuf, limits: Limits) -> Result<Self, StoreError> {
        refuse_other_than_a_file(&file)?;
        Self::run(move || Sqlite::open_to_read(file, limits)).await
    }

    async fn run(
        open: impl FnOnce() -> Result<Sqlite, StoreError> + Send + 'static,
    ) -> Result<Self, StoreError> {
        let (work, queue) = mpsc::channel::<Work>();
        let (opened, is_open) = oneshot::channel();
        let (is_closed, closed) = oneshot::channel();
        let run = move || {
            let mut sqlite = match open() {
                Ok(sqlite) => sqlite,
                Err(error) => return drop(opened.send(Err(error))),
            };
            if opened.send(Ok(sqlite.connection.get_interrupt_handle())).is_err() {
                return;
            }
            while let Ok(work) = queue.recv() {
                work(&mut sqlite);
            }
            let _ = is_closed.send(sqlite.connection.close().map_err(|(_, error)| error.into()));
        };
        let thread = std::thread::Builder::new().name("sqlite".to_owned());
        thread.spawn(run).map_err(|error| StoreError::of_file(&error))?;
        let interrupt = is_open.await.map_err(|_| StoreError::Closed)??;
        Ok(Self { work, interrupt, closed })
    }

    /// Has something done, and gives what came of it.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Sqlite) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let work = move |sqlite: &mut Sqlite| drop(reply.send(work(sqlite)));
        self.work.send(Box::new(work)).map_err(|_| StoreError::Closed)?;
        // Without an answer the thread has panicked.
        answer.await.map_err(|_| StoreError::Closed)?
    }

    /// Ends the thread once everything is done.
    pub(super) async fn close(mut self) -> Result<(), StoreError> {
        self.work = mpsc::channel().0;
        (&mut self.closed).await.unwrap_or(Err(StoreError::Closed))
    }
}

/// An open database.
pub(super) struct Sqlite {
    connection: rusqlite::Connection,
    /// Statements as they are spelled here, by how they stand in the code and the number of rows that they have room for.
    spelled: HashMap<(&'static str, usize), Arc<str>, RandomState>,
}

impl Sqlite {
    fn open(file: Option<PathBuf>, limits: Limits) -> Result<Self, StoreError> {
        let connection = match file {
            Some(file) => rusqlite::Connection::open_with_flags(
                file,
                OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
            )?,
            None => rusqlite::Connection::open_in_memory()?,
        };
        connection.busy_timeout(limits.busy)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // What follows writes into the file, and that of another program stays as it is.
        schema(&connection)?;
        // An answer may go out after a commit: it must survive the loss of power. Deleted numbers are overwritten, and none
        // goes into temporary files. Keys are random, so each call changes another page of their index. Of those 4 MiB are
        // kept: with more, the commit of a split page looks through more of the cache than reading a page again from the
        // system costs (docs/performance.md). The log is written back 16 MiB at a time.
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
            PRAGMA synchronous = FULL;
            PRAGMA secure_delete = ON;
            PRAGMA temp_store = MEMORY;
            PRAGMA cache_size = -4096;
            PRAGMA wal_autocheckpoint = 4096;",
        )?;
        #[cfg(test)]
        if let Some(pages) = limits.pages {
            connection.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
        }
        Ok(Self { connection, spelled: HashMap::default() })
    }

    fn open_to_read(file: PathBuf, limits: Limits) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = rusqlite::Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(limits.busy)?;
        connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA query_only = ON;")?;
        Ok(Self { connection, spelled: HashMap::default() })
    }

    /// What stands in the file.
    ///
    /// # Errors
    /// When a newer version has made it, or another program.
    pub(super) fn schema(&mut self) -> Result<Schema, StoreError> {
        schema(&self.connection)
    }

    /// Shows that writing works: by a commit where there is a place for it, else by SQLite's lock for writing.
    pub(super) fn probe(&mut self, schema: Schema) -> Result<(), StoreError> {
        if schema == Schema::Current {
            return self.now(async |sqlite| sqlite.query(&PROBE).await.map(drop));
        }
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK")?)
    }

    /// Programs that start together take turns, by SQLite's lock.
    pub(super) fn migrate(&mut self) -> Result<(), StoreError> {
        let migration = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        schema(&migration)?;
        let version: i64 = migration.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let seen = usize::try_from(version).unwrap_or(usize::MAX);
        let missing = MIGRATIONS.get(seen..).ok_or(StoreError::Newer)?;
        for statements in missing {
            migration.execute_batch(statements)?;
        }
        if !missing.is_empty() {
            let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
            migration.pragma_update(None, "user_version", version)?;
        }
        Ok(migration.commit()?)
    }

    /// Empties the write-ahead log; gives whether it could.
    pub(super) fn checkpoint(&mut self) -> Result<bool, StoreError> {
        let blocked: i64 =
            self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(blocked == 0)
    }

    /// Does what is spelled once for both engines: here nothing of it is waited for.
    pub(super) fn now<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match pin!(work(self)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(StoreError::Closed),
        }
    }

    fn statement(
        &mut self,
        sql: &'static str,
        columns: &[(&str, bool)],
        room: usize,
    ) -> Result<CachedStatement<'_>, StoreError> {
        let spelled = self.spelled.entry((sql, room));
        let spell = || Engine::Sqlite.spell(sql, columns, room).into();
        let mut statement = self.connection.prepare_cached(spelled.or_insert_with(spell))?;
        statement.clear_bindings();
        Ok(statement)
    }
}

/// What stands in a file, by the tables in it and the number of the version that has made it last. Any program may count
/// its versions in the same place.
///
/// # Errors
/// When a newer version has made it, or another program.
fn schema(connection: &rusqlite::Connection) -> Result<Schema, StoreError> {
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let version = count("PRAGMA user_version")?;
    if version == 0 && count("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(Schema::Absent);
    }
    if version <= 0 || count(TABLES)? < TABLES_COUNT {
        return Err(StoreError::Foreign);
    }
    match usize::try_from(version).unwrap_or(usize::MAX).cmp(&MIGRATIONS.len()) {
        Ordering::Less => Ok(Schema::Earlier),
        Ordering::Equal => Ok(Schema::Current),
        Ordering::Greater => Err(StoreError::Newer),
    }
}

/// The first column of all rows. What writes is done once all of them are taken.
fn collect(mut rows: Rows<'_>) -> Result<Vec<String>, StoreError> {
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(row.get(0)?);
    }
    Ok(all)
}

impl Connection for Sqlite {
    fn is_shared(&self) -> bool {
        false
    }

    async fn rows(&mut self, sql: &'static str, input: String) -> Result<Vec<String>, StoreError> {
        let mut statement = self.statement(sql, &[], 0)?;
        statement.raw_bind_parameter(1, input)?;
        collect(statement.raw_query())
    }

    /// The statement has room for a power of two of rows, so that a few prepared statements are kept; a row to which nothing
    /// is bound is all NULL, and left out.
    async fn insert<I: Insert>(&mut self, sql: &'static str, rows: &[I]) -> Result<Vec<String>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let room = rows.len().next_power_of_two();
        let mut statement = self.statement(sql, I::COLUMNS, room)?;
        for (at, value) in rows.iter().flat_map(Insert::values).enumerate() {
            statement.raw_bind_parameter(at + 1, ToSqlOutput::Borrowed(value))?;
        }
        collect(statement.raw_query())
    }

    /// Takes SQLite's lock at once: one that is taken later can be refused in the middle.
    async fn begin(&mut self) -> Result<(), StoreError> {
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    async fn end(&mut self, keeps: bool) -> Result<(), StoreError> {
        match keeps {
            true => Ok(self.connection.execute_batch("COMMIT")?),
            // SQLite rolls back by itself in some cases, and then finds nothing to roll back.
            false if self.connection.is_autocommit() => Ok(()),
            false => Ok(self.connection.execute_batch("ROLLBACK")?),
        }
    }
}
