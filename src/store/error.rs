//! What can go wrong with a store, in words for an operator. No error carries what the database said: its words
//! can quote what was to be written.

use std::io;

/// Why the store cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// `store.url` names no database that we know.
    #[error("store.url is not the URL of a database: use sqlite:PATH or postgres://user@host/database")]
    Url,
    /// The folder or the file cannot be made or opened.
    #[error("the database file cannot be opened ({}): {}", plain(*.0), file_hint(*.0))]
    File(io::ErrorKind),
    /// The disk, or the quota, is full.
    #[error("the disk of the database is full: make room, the service recovers by itself")]
    Full,
    /// The disk fails, or has no room for what SQLite keeps beside the file.
    #[error("the database file cannot be read or written (code {0}): look whether its disk is full or fails")]
    Disk(String),
    /// Somebody else holds the lock.
    #[error("the database is locked by another program: end it, the service recovers by itself")]
    Locked,
    /// SQLite's file serves one service at a time, and another has it.
    #[error(
        "the database is in use by another service, {0}: end that one, or give this one a database of its own; \
        several services can share a PostgreSQL"
    )]
    Taken(String),
    /// Not a database, or a damaged one.
    #[error("the database is damaged or no database: restore it from a backup or move it away")]
    Corrupt,
    /// A database of another program.
    #[error(
        "the database is another program's: it has tables, and not those of this service; name a file of the service's \
        own, which it makes itself"
    )]
    Foreign,
    /// Something else than a file, of which nothing could be read, or not without an end.
    #[error(
        "what is named as the database is {0}, and no regular file: name the file of the database, or one to be made"
    )]
    NoFile(&'static str),
    /// It can be read only.
    #[error(
        "the database can only be read: check the rights of its file and folder, or ask for the primary server"
    )]
    ReadOnly,
    /// A newer version of the service has changed it.
    #[error("the database was made by a newer version of the service, or its migrations were changed")]
    Newer,
    /// An earlier version of the service has made it, or nobody yet; only a service migrates.
    #[error(
        "the database is of an earlier version of the service, or empty: `scv-bridge serve` migrates it when it starts"
    )]
    Earlier,
    /// The server refuses us.
    #[error("the database refuses the login (SQLSTATE {0}): check user, password and database of store.url")]
    Login(String),
    /// The server cannot be reached, or has gone.
    #[error("the database cannot be reached ({0}): the service goes on by itself when it is back")]
    Gone(String),
    /// It took longer than anybody can wait.
    #[error("the database does not answer in time: the service goes on by itself when it does")]
    Slow,
    /// It refuses one command.
    #[error("the database refuses the command (code {0})")]
    Refused(String),
    /// The store has been closed.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// What the system says of a file.
    pub(super) fn of_file(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full,
            kind => Self::File(kind),
        }
    }

    /// The same for a program that cannot begin without the database, and ends: nothing goes on by itself.
    #[must_use]
    pub fn at_start(&self) -> String {
        match self {
            Self::Url => {
                "it is not the URL of a database: use sqlite:PATH or postgres://user@host/database".to_owned()
            }
            Self::Full => "the disk of the database is full: make room".to_owned(),
            Self::Locked => "the database is locked by another program: end it".to_owned(),
            Self::Gone(why) => format!(
                "the database cannot be reached ({why}): is it running there, and are host and port right?"
            ),
            Self::Slow => {
                "the database does not answer in time: is it busy, or another program migrating it?"
                    .to_owned()
            }
            Self::File(_)
            | Self::Disk(_)
            | Self::Taken(_)
            | Self::Corrupt
            | Self::Foreign
            | Self::NoFile(_)
            | Self::ReadOnly
            | Self::Newer
            | Self::Earlier
            | Self::Login(_)
            | Self::Refused(_)
            | Self::Closed => self.to_string(),
        }
    }

    /// Whether nothing was seen of the database: it may be in order, and only out of reach from here.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        matches!(self, Self::Gone(_) | Self::Slow)
    }

    /// Whether the database as a whole is at fault; otherwise only the command is.
    pub(super) fn is_outage(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => of_sqlstate(error.code().as_deref().unwrap_or("unknown")),
            sqlx::Error::Io(error) => Self::Gone(words(&error)),
            sqlx::Error::Tls(_) => Self::Gone("TLS failed".to_owned()),
            sqlx::Error::Configuration(_) => Self::Url,
            sqlx::Error::Migrate(error) => (*error).into(),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Refused("unreadable".to_owned())
            }
            _ => Self::Gone("connection lost".to_owned()),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(error, _) => of_sqlite(error.extended_code),
            // A row of another type than ours, or a text that is none.
            _ => Self::Refused("unreadable".to_owned()),
        }
    }
}

/// What the system says of a connection. The library has a kind of its own for most of it; for the rest it would
/// say "uncategorized error", where the system's own words tell more.
fn words(error: &io::Error) -> String {
    let kind = plain(error.kind());
    match error.raw_os_error() {
        _ if error.to_string().starts_with("failed to lookup address") => {
            "its host name is not known".to_owned()
        }
        Some(code) if kind.starts_with("uncategorized") => io::Error::from_raw_os_error(code).to_string(),
        None if kind.starts_with("uncategorized") || error.kind() == io::ErrorKind::Other => {
            "the connection failed".to_owned()
        }
        _ => kind,
    }
}

/// What to do about a file that cannot be opened.
fn file_hint(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::NotFound => {
            "look at the path; where it is right, start the service (restart it if store.url was changed) or run `scv-bridge webex login`, which make it"
        }
        _ => "check that its folder exists and belongs to the service",
    }
}

/// A kind of error in plain words: the library's for a file that is missing are "entity not found".
fn plain(kind: io::ErrorKind) -> String {
    match kind {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        kind => kind.to_string(),
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        use sqlx::migrate::MigrateError;
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            _ => Self::Newer,
        }
    }
}

/// A result code, whose lower byte is the primary one (<https://www.sqlite.org/rescode.html>).
fn of_sqlite(code: i32) -> StoreError {
    match code & 0xFF {
        5 | 6 => StoreError::Locked,
        8 => StoreError::ReadOnly,
        10 => StoreError::Disk(code.to_string()),
        11 | 26 => StoreError::Corrupt,
        13 => StoreError::Full,
        14 => StoreError::File(io::ErrorKind::PermissionDenied),
        7 | 9 | 17 | 21 => StoreError::Gone(format!("code {code}")),
        _ => StoreError::Refused(code.to_string()),
    }
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
fn of_sqlstate(code: &str) -> StoreError {
    match code {
        "53100" => StoreError::Full,
        "55P03" => StoreError::Locked,
        "25006" => StoreError::ReadOnly,
        "57014" | "25P03" => StoreError::Slow,
        "3D000" | "42501" => StoreError::Login(code.to_owned()),
        _ if code.starts_with("28") => StoreError::Login(code.to_owned()),
        // A deadlock or a conflict between replicas concerns one command and passes when it is tried alone.
        _ if code.starts_with("40") => StoreError::Refused(code.to_owned()),
        _ if ["08", "53", "57", "58", "XX", "42", "25"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Gone(format!("SQLSTATE {code}"))
        }
        _ => StoreError::Refused(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::net::ToSocketAddrs as _;

    use super::*;

    #[test]
    fn at_a_start_nothing_is_said_to_go_on_by_itself() {
        let name = "postgres.invalid:5432".to_socket_addrs().unwrap_err();
        let unknown = StoreError::from(sqlx::Error::Io(name));
        assert_eq!(unknown, StoreError::Gone("its host name is not known".to_owned()));
        for error in [
            StoreError::Url,
            StoreError::File(io::ErrorKind::NotFound),
            StoreError::Full,
            StoreError::Disk("4874".to_owned()),
            StoreError::Locked,
            StoreError::Taken("process 1".to_owned()),
            StoreError::Corrupt,
            StoreError::Foreign,
            StoreError::NoFile("a directory"),
            StoreError::ReadOnly,
            StoreError::Newer,
            StoreError::Earlier,
            StoreError::Login("28P01".to_owned()),
            unknown,
            StoreError::Slow,
            StoreError::Refused("1".to_owned()),
            StoreError::Closed,
        ] {
            let told = error.at_start();
            assert!(!told.contains("by itself") && !told.contains("uncategorized"), "{told}");
            assert!(!told.contains("store.url is"), "it stands before: {told}");
        }
    }

    #[test]
    fn a_fault_of_the_database_is_told_from_a_fault_of_the_command() {
        for (code, outage) in [
            ("23505", false),
            ("22P05", false),
            ("40P01", false),
            ("57P01", true),
            ("08006", true),
            ("28P01", true),
        ] {
            assert_eq!(of_sqlstate(code).is_outage(), outage, "{code}: {}", of_sqlstate(code));
        }
        for (code, outage) in [(13, true), (5, true), (261, true), (26, true), (2067, false), (1299, false)] {
            assert_eq!(of_sqlite(code).is_outage(), outage, "{code}: {}", of_sqlite(code));
        }
        assert_eq!(of_sqlite(778), StoreError::Disk("778".to_owned()));
        assert_eq!(of_sqlstate("53100"), StoreError::Full);
    }
}
