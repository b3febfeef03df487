//! What the service keeps beside calls and outbox: a few facts, and turns that one replica at a time may take.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::ahead::TOLERANCE;
use super::row::Millis;
use super::sql::Query;
use super::{Store, StoreError};

/// A fact that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Memo {
    /// The tokens of the Webex integration, sealed if there is a key for it.
    WebexLogin,
    /// Up to when Webex's calls were compared with ours, in epoch milliseconds.
    WaterMark,
}

/// Something that one process at a time may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Renewing the tokens of the Webex integration.
    WebexRefresh,
    /// Comparing Webex's calls with ours, and looking after subscriptions.
    Reconcile,
}

impl Memo {
    fn key(self) -> &'static str {
        match self {
            Self::WebexLogin => "webex_login",
            Self::WaterMark => "reconcile_water_mark",
        }
    }
}

impl Turn {
    fn name(self) -> &'static str {
        match self {
            Self::WebexRefresh => "webex_refresh",
            Self::Reconcile => "reconcile",
        }
    }
}

/// Reads a value.
#[derive(Serialize)]
pub(super) struct Get {
    pub(super) key: &'static str,
}

impl Query for Get {
    type Row = String;
    const SQL: &'static str = "SELECT {quoted value} FROM meta WHERE key = {key}";
}

/// Sets a value that is not set yet.
#[derive(Serialize)]
pub(super) struct SetOnce<'a> {
    pub(super) key: &'static str,
    pub(super) value: &'a str,
}

impl Query for SetOnce<'_> {
    type Row = ();
    const SQL: &'static str = "INSERT INTO meta (key, value) VALUES ({key}, {value}) ON CONFLICT DO NOTHING";
}

/// Sets a value, whatever it was.
#[derive(Serialize)]
pub(super) struct Set<'a> {
    pub(super) key: &'static str,
    pub(super) value: &'a str,
}

impl Query for Set<'_> {
    type Row = ();
    const SQL: &'static str = "INSERT INTO meta (key, value) VALUES ({key}, {value})
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
}

/// Sets a value if it is still what it was.
#[derive(Serialize)]
struct Swap<'a> {
    key: &'static str,
    old: Option<&'a str>,
    new: &'a str,
}

impl Query for Swap<'_> {
    type Row = String;
    const SQL: &'static str = "INSERT INTO meta (key, value) SELECT {key}, {new} WHERE {old} IS NULL
            OR EXISTS (SELECT 1 FROM meta WHERE key = {key} AND value = {old})
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.value = {old}
        RETURNING {quoted key}";
}

/// Takes or prolongs a turn, if nobody else has it. One that somebody else has for longer than `far` is over.
#[derive(Serialize)]
struct TakeTurn<'a> {
    turn: &'static str,
    owner: &'a str,
    until: Millis,
    now: Millis,
    far: Millis,
}

impl Query for TakeTurn<'_> {
    type Row = String;
    const SQL: &'static str = "INSERT INTO turns (turn, owner, until) VALUES ({turn}, {owner}, {until int})
        ON CONFLICT (turn) DO UPDATE SET owner = excluded.owner, until = excluded.until
            WHERE turns.owner = {owner} OR turns.until <= {now int} OR turns.until > {far int}
        RETURNING {quoted turn}";
}

/// Gives a turn back.
#[derive(Serialize)]
struct EndTurn<'a> {
    turn: &'static str,
    owner: &'a str,
}

impl Query for EndTurn<'_> {
    type Row = ();
    const SQL: &'static str = "DELETE FROM turns WHERE turn = {turn} AND owner = {owner}";
}

/// Gives all turns of a process back.
#[derive(Serialize)]
struct EndTurns<'a> {
    owner: &'a str,
}

impl Query for EndTurns<'_> {
    type Row = ();
    const SQL: &'static str = "DELETE FROM turns WHERE owner = {owner}";
}

impl Store {
    /// What is kept of it, if anything.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recall(&self, fact: Memo) -> Result<Option<String>, StoreError> {
        Ok(self.read(&Get { key: fact.key() }).await?.into_iter().next())
    }

    /// Keeps it, whatever was there; durable when this returns.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn keep(&self, fact: Memo, value: &str) -> Result<(), StoreError> {
        self.write(&Set { key: fact.key(), value }).await.map(drop)
    }

    /// Keeps it if it is still `old`; durable when this returns true.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn swap(&self, fact: Memo, old: Option<&str>, new: &str) -> Result<bool, StoreError> {
        Ok(!self.write(&Swap { key: fact.key(), old, new }).await?.is_empty())
    }

    /// Takes a turn, or prolongs it; false while somebody else has it. It ends by itself at `until`.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn take_turn(
        &self,
        turn: Turn,
        owner: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        // Nobody takes a turn for much longer than others do: its clock has been set back since.
        let long = Duration::try_from(until.duration_since(now)).unwrap_or_default();
        let far = until.checked_add(long.saturating_add(TOLERANCE)).unwrap_or(Timestamp::MAX);
        let (until, now, far) = (until.into(), now.into(), far.into());
        Ok(!self.write(&TakeTurn { turn: turn.name(), owner, until, now, far }).await?.is_empty())
    }

    /// Gives a turn back, if it is still ours.
    ///
    /// # Errors
    /// When the database does not answer; the turn then ends by itself.
    pub async fn end_turn(&self, turn: Turn, owner: &str) -> Result<(), StoreError> {
        self.write(&EndTurn { turn: turn.name(), owner }).await.map(drop)
    }

    /// Gives all turns back that are ours: the process ends.
    ///
    /// # Errors
    /// When the database does not answer; they then end by themselves.
    pub async fn end_turns(&self, owner: &str) -> Result<(), StoreError> {
        self.write(&EndTurns { owner }).await.map(drop)
    }
}
