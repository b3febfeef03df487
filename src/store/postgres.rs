//! The connection to PostgreSQL.

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqlSafeStr as _};

use super::StoreError;
use super::inspect::Schema;
use super::row::json;
use super::sql::{Connection, Engine, Insert};

/// Number, name and statements of each migration.
const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "schema", include_str!("migrations/postgres/0001_schema.sql")),
    (2, "exchanges", include_str!("migrations/postgres/0002_exchanges.sql")),
    (3, "exchanges by hash", include_str!("migrations/postgres/0003_exchanges_by_hash.sql")),
    (4, "exchanges of a second", include_str!("migrations/postgres/0004_exchanges_of_a_second.sql")),
    (5, "cleared", include_str!("migrations/postgres/0005_cleared.sql")),
    (6, "route result", include_str!("migrations/postgres/0006_route_result.sql")),
    (7, "outbox by center", include_str!("migrations/postgres/0007_outbox_by_center.sql")),
];

/// The migrations, with the checksums by which a changed one is told.
fn migrations() -> Vec<Migration> {
    let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    MIGRATIONS.iter().map(migration).collect()
}

/// An open connection.
pub(super) struct Postgres {
    connection: PgConnection,
    /// Statements as they are spelled here, by how they stand in the code.
    spelled: HashMap<&'static str, Arc<str>>,
}

impl Postgres {
    pub(super) async fn connect(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let mut connection = options.connect().await?;
        // Where the server is set to forget commits, we are not. Stronger settings are left alone.
        sqlx::query(
            "SELECT set_config('synchronous_commit', 'on', false)
            WHERE current_setting('synchronous_commit') = 'off'",
        )
        .execute(&mut connection)
        .await?;
        Ok(Self { connection, spelled: HashMap::new() })
    }

    /// Connects only to read.
    pub(super) async fn connect_to_read(options: &PgConnectOptions) -> Result<Self, StoreError> {
        let mut connection = options.connect().await?;
        sqlx::query("SET default_transaction_read_only = on").execute(&mut connection).await?;
        Ok(Self { connection, spelled: HashMap::new() })
    }

    /// What stands in the database.
    ///
    /// # Errors
    /// When a newer version has made it.
    pub(super) async fn schema(&mut self) -> Result<Schema, StoreError> {
        let made: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
            .fetch_one(&mut self.connection)
            .await?;
        if !made {
            return Ok(Schema::Absent);
        }
        let applied: Vec<(i64, Vec<u8>, bool)> =
            sqlx::query_as("SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version")
                .fetch_all(&mut self.connection)
                .await?;
        let known = migrations();
        let is_known = |(version, checksum, success): &(i64, Vec<u8>, bool)| {
            let same = |one: &&Migration| one.version == *version && one.checksum[..] == checksum[..];
            *success && known.iter().any(|one| same(&one))
        };
        // The same looks as those of the service before it migrates.
        match applied.iter().all(is_known) {
            false => Err(StoreError::Newer),
            true if applied.is_empty() => Ok(Schema::Absent),
            true if applied.len() < known.len() => Ok(Schema::Earlier),
            true => Ok(Schema::Current),
        }
    }

    /// Replicas that start together take turns, by an advisory lock.
    pub(super) async fn migrate(&mut self) -> Result<(), StoreError> {
        let migrations = Migrator::with_migrations(migrations());
        Ok(migrations.run_direct(None, &mut self.connection, false).await?)
    }

    pub(super) async fn close(self) -> Result<(), StoreError> {
        Ok(self.connection.close().await?)
    }

    async fn ask(
        &mut self,
        sql: &'static str,
        columns: &[(&str, bool)],
        input: String,
    ) -> Result<Vec<String>, StoreError> {
        let spell = || Engine::Postgres.spell(sql, columns, 0).into();
        let sql = AssertSqlSafe(Arc::clone(self.spelled.entry(sql).or_insert_with(spell)));
        Ok(sqlx::query_scalar(sql).bind(input).fetch_all(&mut self.connection).await?)
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), StoreError> {
        Ok(sqlx::query(sql).execute(&mut self.connection).await.map(drop)?)
    }
}

impl Connection for Postgres {
    fn is_shared(&self) -> bool {
        true
    }

    async fn rows(&mut self, sql: &'static str, input: String) -> Result<Vec<String>, StoreError> {
        self.ask(sql, &[], input).await
    }

    async fn insert<I: Insert>(&mut self, sql: &'static str, rows: &[I]) -> Result<Vec<String>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let input = json(rows)?;
        self.ask(sql, I::COLUMNS, input).await
    }

    async fn begin(&mut self) -> Result<(), StoreError> {
        self.execute("BEGIN").await
    }

    async fn end(&mut self, keeps: bool) -> Result<(), StoreError> {
        self.execute(if keeps { "COMMIT" } else { "ROLLBACK" }).await
    }
}
