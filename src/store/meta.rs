//! What the service keeps beside calls and outbox: a few facts, and turns that one replica at a time may take.

use std::time::Duration;

use jiff::Timestamp;

use super::ahead::TOLERANCE;
use super::row::{json, read};
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
    const ALL: [Self; 2] = [Self::WebexRefresh, Self::Reconcile];

    fn key(self) -> &'static str {
        match self {
            Self::WebexRefresh => "turn_webex_refresh",
            Self::Reconcile => "turn_reconcile",
        }
    }
}

impl Store {
    /// What is kept of it, if anything.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn recall(&self, fact: Memo) -> Result<Option<String>, StoreError> {
        let input = json(&serde_json::json!({ "key": fact.key() }))?;
        Ok(read(&self.read(self.dialect().get, input).await?)?.into_iter().next())
    }

    /// Keeps it, whatever was there; durable when this returns.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn keep(&self, fact: Memo, value: &str) -> Result<(), StoreError> {
        let input = json(&serde_json::json!({ "key": fact.key(), "value": value }))?;
        self.write(self.dialect().put, input).await.map(drop)
    }

    /// Keeps it if it is still `old`; durable when this returns true.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn swap(&self, fact: Memo, old: Option<&str>, new: &str) -> Result<bool, StoreError> {
        let input = json(&serde_json::json!({ "key": fact.key(), "old": old, "new": new }))?;
        Ok(!self.write(self.dialect().swap, input).await?.is_empty())
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
        let input = json(&serde_json::json!({
            "key": turn.key(),
            "owner": owner,
            "until": until.as_millisecond(),
            "now": now.as_millisecond(),
            "far": far.as_millisecond(),
        }))?;
        Ok(!self.write(self.dialect().take_turn, input).await?.is_empty())
    }

    /// Gives a turn back, if it is still ours.
    ///
    /// # Errors
    /// When the database does not answer; the turn then ends by itself.
    pub async fn end_turn(&self, turn: Turn, owner: &str) -> Result<(), StoreError> {
        let input = json(&serde_json::json!({ "key": turn.key(), "owner": owner }))?;
        self.write(self.dialect().end_turn, input).await.map(drop)
    }

    /// Gives all turns back that are ours: the process ends.
    ///
    /// # Errors
    /// When the database does not answer; they then end by themselves.
    pub async fn end_turns(&self, owner: &str) -> Result<(), StoreError> {
        for turn in Turn::ALL {
            self.end_turn(turn, owner).await?;
        }
        Ok(())
    }
}
