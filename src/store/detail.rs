//! Details of calls: what is kept to fill fields of their VoiceCalls with, and what became of them. Only contact centers
//! that are configured so have any.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{Millis, read_some};
use super::sql::Query;
use super::{Store, StoreError};
use crate::domain::{CallCenterName, CallName, StoredJson, VendorCallKey};

/// What a detail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DetailKind {
    /// Values that a request of a flow has told. Private.
    Request,
    /// Values that a webhook has told. Private.
    Webhook,
    /// What the create has sent. Private.
    Sent,
    /// The names of what a request held.
    Arrived,
    /// The names of what a webhook carried.
    Carried,
    /// What became of each field at the create.
    AtCreate,
    /// What became of each field at the final update.
    AtEnd,
}

impl DetailKind {
    /// Whether it may hold phone numbers: then it goes long before its call does.
    #[must_use]
    pub fn is_private(self) -> bool {
        matches!(self, Self::Request | Self::Webhook | Self::Sent)
    }
}

/// Whose detail it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// A call's.
    Call(CallName),
    /// Of all calls of a key, in whichever contact center: a webhook does not say.
    Key(VendorCallKey),
}

/// A detail to be kept. Of the same owner, kind and source there is one, that of the latest time.
#[derive(Debug, Clone)]
pub struct NewDetail {
    /// What it is.
    pub kind: DetailKind,
    /// What tells those of one kind apart.
    pub source: String,
    /// When it happened, or was told.
    pub at: Timestamp,
    /// JSON.
    pub body: StoredJson,
}

/// A detail that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// The call that its call continues; empty for none, and for the details of a key.
    pub parent: String,
    /// What it is.
    pub kind: DetailKind,
    /// What tells those of one kind apart.
    pub source: String,
    /// When it happened, or was told.
    pub at: Timestamp,
    /// When it was kept last: that is what its removal goes by.
    pub kept_at: Timestamp,
    /// JSON.
    pub body: StoredJson,
}

impl Detail {
    /// Whether it is one of this call. Webhooks tell of all calls of a key.
    #[must_use]
    pub fn is_of(&self, call: &CallName) -> bool {
        matches!(self.kind, DetailKind::Webhook | DetailKind::Carried) || self.parent == call.parent()
    }
}

/// Keeps details.
#[derive(Serialize)]
#[serde(transparent)]
struct KeepAll<'a>(Vec<NewRow<'a>>);

impl Query for KeepAll<'_> {
    type Row = ();
    const SQL: &'static str = "INSERT INTO details (vendor_call_key, call_center, parent, kind, source, at, body, is_private,
            updated_at)
        SELECT vendor_call_key, call_center, parent, kind, source, at, body, is_private, updated_at
        FROM {rows vendor_call_key, call_center, parent, kind, source, at int, body, is_private int, updated_at int} AS j
        WHERE true
        ON CONFLICT (vendor_call_key, call_center, parent, kind, source) DO UPDATE
            SET body = CASE WHEN excluded.at >= details.at THEN excluded.body ELSE details.body END,
            at = {latest details.at, excluded.at}, updated_at = {latest details.updated_at, excluded.updated_at}";
}

/// The details of the calls of a key.
#[derive(Serialize)]
struct OfKey<'a> {
    call_center: &'a CallCenterName,
    vendor_call_key: &'a VendorCallKey,
}

impl Query for OfKey<'_> {
    type Row = Row;
    const SQL: &'static str =
        "SELECT {text {object 'parent', parent, 'kind', kind, 'source', source, 'at', at,
            'updated_at', updated_at, 'body', body}}
        FROM details WHERE vendor_call_key = {vendor_call_key} AND call_center IN ('', {call_center})
        ORDER BY parent, kind, at, source";
}

#[derive(Serialize)]
struct NewRow<'a> {
    vendor_call_key: &'a str,
    call_center: &'a str,
    parent: &'a str,
    kind: DetailKind,
    source: &'a str,
    at: Millis,
    body: &'a str,
    is_private: i64,
    updated_at: Millis,
}

impl<'a> NewRow<'a> {
    fn of(
        detail: &'a NewDetail,
        (vendor_call_key, call_center, parent): (&'a str, &'a str, &'a str),
        now: Timestamp,
    ) -> Self {
        Self {
            vendor_call_key,
            call_center,
            parent,
            kind: detail.kind,
            source: &detail.source,
            at: detail.at.into(),
            body: detail.body.expose(),
            is_private: i64::from(detail.kind.is_private()),
            updated_at: now.into(),
        }
    }
}

#[derive(Deserialize)]
struct Row {
    parent: String,
    kind: DetailKind,
    source: String,
    at: Millis,
    updated_at: Millis,
    body: String,
}

impl Store {
    /// Keeps details of a call; they are durable when this returns.
    ///
    /// # Errors
    /// When they could not be written.
    pub async fn keep_details(
        &self,
        owner: &Owner,
        details: &[NewDetail],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if details.is_empty() {
            return Ok(());
        }
        let (key, call_center, parent) = match owner {
            Owner::Call(call) => (call.vendor_call_key(), call.call_center().as_ref(), call.parent()),
            Owner::Key(key) => (key, "", ""),
        };
        let row = |detail| NewRow::of(detail, (key.as_ref(), call_center, parent), now);
        let mut rows: Vec<NewRow<'_>> = details.iter().map(row).collect();
        // The same order everywhere: replicas that lock the same rows then never wait for each other.
        rows.sort_by(|one, other| (one.kind, one.source).cmp(&(other.kind, other.source)));
        self.write(&KeepAll(rows)).await.map(drop)
    }

    /// All details of the calls of a key in a contact center, by parent, kind and time.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn details(
        &self,
        call_center: &CallCenterName,
        key: &VendorCallKey,
    ) -> Result<Vec<Detail>, StoreError> {
        let rows = self.read_raw(&OfKey { call_center, vendor_call_key: key }).await?;
        let detail = |row: Row| Detail {
            parent: row.parent,
            kind: row.kind,
            source: row.source,
            at: row.at.into(),
            kept_at: row.updated_at.into(),
            body: StoredJson::new(row.body),
        };
        // A kind that only a newer version knows fills no field of this one.
        Ok(read_some::<Row>(&rows).map(detail).collect())
    }
}
