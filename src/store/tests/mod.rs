//! The same tests on both engines.

mod ahead;
mod details;
mod exchange;
mod faults;
mod journal;
mod lock;
mod meta;
mod migrate;
mod operate;
mod order;
mod outbox;
mod privacy;
#[expect(dead_code, reason = "only other tests stop a server")]
#[path = "../../../tests/support/postgres.rs"]
pub(crate) mod server;
mod tasks;
mod together;
mod unreadable;

use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Executor as _};
use tempfile::TempDir;

use self::server::Postgres;
use super::engine::Limits;
use super::{
    Enqueue, Enqueued, EntryId, EntryKind, Lease, LeaseOf, NewEntry, Note, Store, StoreError, Subject,
};
use crate::domain::{Call, CallCenterName, CallName, CallReference, StoredJson, VendorCallKey, VoiceCallId};

/// A database of the test's own.
pub(super) enum Engine {
    Sqlite(TempDir),
    Postgres(String),
}

impl Engine {
    pub(super) fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().unwrap())
    }

    pub(super) fn postgres() -> Self {
        Self::Postgres(Postgres::shared().database())
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}/data/bridge.db", folder.path().display()),
            Self::Postgres(url) => url.clone(),
        }
    }

    /// Does what only somebody else would do to it: another version, or a hand.
    pub(super) async fn tamper(&self, sql: &'static str) {
        match self {
            Self::Sqlite(folder) => {
                let file = folder.path().join("data/bridge.db");
                let options = SqliteConnectOptions::new().filename(file);
                options.connect().await.unwrap().execute(sql).await.unwrap();
            }
            Self::Postgres(url) => {
                let database = url.split(['/', '?']).nth(3).unwrap();
                Postgres::shared().ask(database, sql);
            }
        }
    }

    /// Opens it, as another replica where it was opened before.
    pub(super) async fn open(&self) -> Store {
        Store::open_within(&self.url(), limits()).await.unwrap()
    }
}

pub(super) fn limits() -> Limits {
    Limits { retry: Duration::from_millis(1), busy: Duration::from_millis(200), ..Limits::default() }
}

/// Makes two tests of each function.
macro_rules! on_both_engines {
    ($($name:ident)*) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::store::tests::Engine::sqlite()).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::store::tests::Engine::postgres()).await;
            })*
        }
    };
}
pub(super) use on_both_engines;

impl Store {
    /// Notes, and gives what is known of the call then.
    pub(super) async fn learn(&self, note: Note) -> Result<Call, StoreError> {
        let call = note.call.clone();
        self.note(note).await?;
        let found =
            self.find(call.call_center(), &CallReference::Key(call.vendor_call_key().clone())).await?;
        Ok(found.unwrap())
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// A lease of everything that is due, for ten seconds.
pub(super) fn lease(second: i64, owner: &str) -> Lease {
    Lease {
        now: at(second),
        owner: owner.to_owned(),
        until: at(second + 10),
        limit: 100,
        of: LeaseOf::AllBut(Vec::new()),
    }
}

pub(super) fn center() -> CallCenterName {
    CallCenterName::parse("Sales").unwrap()
}

pub(super) fn call(key: &str) -> CallName {
    CallName::new(center(), VendorCallKey::parse(key).unwrap(), None)
}

pub(super) fn reference(text: &str) -> CallReference {
    CallReference::parse(text).unwrap()
}

pub(super) fn voice_call(text: &str) -> Option<VoiceCallId> {
    Some(VoiceCallId::parse(text).unwrap())
}

pub(super) fn entry(kind: EntryKind, is_final: bool) -> NewEntry {
    NewEntry { kind, is_final, body: StoredJson::new(format!("{{\"kind\":\"{kind:?}\"}}")), next_at: at(0) }
}

/// A hang-up's entries, noted and leased to `owner` for ten seconds from the first.
pub(super) fn hang_up(key: &str, owner: &str) -> Enqueue {
    let note = Note { ended_at: Some(at(0)), ..Note::of(call(key), at(0)) };
    Enqueue {
        subject: Subject::Known(note.into()),
        entries: vec![entry(EntryKind::Clear, false), entry(EntryKind::Update, true)],
        unless_answered: true,
        mark: None,
        owner: owner.to_owned(),
        lease_until: at(10),
        now: at(0),
    }
}

pub(super) fn ids(enqueued: &Enqueued) -> Vec<EntryId> {
    match enqueued {
        Enqueued::Accepted { ids, .. } => ids.clone(),
        other => panic!("not accepted: {other:?}"),
    }
}
