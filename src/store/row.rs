//! Rows as JSON: how they are read, and what a row that cannot be read means.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::StoreError;
use crate::domain::{
    Call, CallCenterName, CallId, CallName, CallReference, Fingerprint, RouteResult, StoredJson,
    VendorCallKey, VoiceCallId,
};

/// A time as it stands in the database: milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Millis(i64);

impl From<Timestamp> for Millis {
    fn from(at: Timestamp) -> Self {
        Self(at.as_millisecond())
    }
}

impl From<Millis> for Timestamp {
    fn from(at: Millis) -> Self {
        Self::from_millisecond(at.0).unwrap_or(Self::MAX)
    }
}

/// Reads a time as it stands in the database.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    Millis::deserialize(deserializer).map(Timestamp::from)
}

/// The parameters of a statement.
pub(super) fn json(input: &(impl Serialize + ?Sized)) -> Result<String, StoreError> {
    serde_json::to_string(input).map_err(|_| StoreError::Refused("unwritable".to_owned()))
}

/// Rows of a statement.
pub(super) fn read<T: DeserializeOwned>(rows: &[String]) -> Result<Vec<T>, StoreError> {
    rows.iter().map(|row| serde_json::from_str(row).map_err(|_| unreadable())).collect()
}

/// Those rows of a statement that this version can read: for what concerns no decision of a single call.
pub(super) fn read_some<T: DeserializeOwned>(rows: &[String]) -> impl Iterator<Item = T> {
    rows.iter().filter_map(|row| serde_json::from_str(row).ok())
}

/// One row that cannot be read is no fault of the whole database.
pub(super) fn unreadable() -> StoreError {
    StoreError::Refused("unreadable row".to_owned())
}

/// A call on its way from the database.
#[derive(Debug, Deserialize)]
pub(super) struct CallRow {
    id: i64,
    call_center: String,
    vendor_call_key: String,
    parent: String,
    voice_call_id: Option<String>,
    fingerprint: Option<String>,
    start_time: Option<Millis>,
    created_at: Option<Millis>,
    create_unknown_at: Option<Millis>,
    deferred_at: Option<Millis>,
    routed_at: Option<Millis>,
    route_result: Option<i64>,
    route_at: Option<Millis>,
    cleared_at: Option<Millis>,
    nothing_to_clear_at: Option<Millis>,
    answered_at: Option<Millis>,
    answered_by: Option<String>,
    ended_at: Option<Millis>,
    closed_at: Option<Millis>,
    pub(super) lease_owner: Option<String>,
    lease_until: Option<Millis>,
    create_body: Option<String>,
    updated_at: Millis,
}

impl CallRow {
    pub(super) fn call(self) -> Result<Call, StoreError> {
        Ok(Call {
            id: CallId(self.id),
            name: name(self.call_center, self.vendor_call_key, self.parent).ok_or_else(unreadable)?,
            voice_call_id: self
                .voice_call_id
                .map(VoiceCallId::parse)
                .transpose()
                .map_err(|_| unreadable())?,
            fingerprint: self.fingerprint.as_deref().map(fingerprint).transpose()?,
            start_time: self.start_time.map(Timestamp::from),
            created_at: self.created_at.map(Timestamp::from),
            create_unknown_at: self.create_unknown_at.map(Timestamp::from),
            deferred_at: self.deferred_at.map(Timestamp::from),
            routed_at: self.routed_at.map(Timestamp::from),
            route_result: self.route_result.and_then(route_result),
            route_at: self.route_at.map(Timestamp::from),
            cleared_at: self.cleared_at.map(Timestamp::from),
            nothing_to_clear_at: self.nothing_to_clear_at.map(Timestamp::from),
            answered_at: self.answered_at.map(Timestamp::from),
            answered_by: self.answered_by.as_deref().map(fingerprint).transpose()?,
            ended_at: self.ended_at.map(Timestamp::from),
            closed_at: self.closed_at.map(Timestamp::from),
            create_lease_until: self.lease_until.map(Timestamp::from),
            create_body: self.create_body.map(StoredJson::new),
            updated_at: self.updated_at.into(),
        })
    }
}

/// What became of the requests to route a call, as it stands in a row: the greater of two counts.
pub(super) fn route_number(result: RouteResult) -> i64 {
    match result {
        RouteResult::NotRouted => 1,
        RouteResult::Unknown => 2,
        RouteResult::Routed => 3,
    }
}

/// What another version has written and this one does not know tells nothing.
fn route_result(number: i64) -> Option<RouteResult> {
    let all = [RouteResult::NotRouted, RouteResult::Unknown, RouteResult::Routed];
    all.into_iter().find(|&result| route_number(result) == number)
}

/// A fingerprint as it stands in a row.
pub(super) fn fingerprint_text(fingerprint: Fingerprint) -> Option<String> {
    let mut text = vec![0; 2 * fingerprint.0.len()];
    // The library's `encode` builds the text a character at a time.
    hex::encode_to_slice(fingerprint.0, &mut text).ok()?;
    String::from_utf8(text).ok()
}

fn fingerprint(text: &str) -> Result<Fingerprint, StoreError> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| unreadable())?;
    Ok(Fingerprint(bytes))
}

fn name(call_center: String, vendor_call_key: String, parent: String) -> Option<CallName> {
    let parent = if parent.is_empty() { None } else { Some(CallReference::parse(parent).ok()?) };
    Some(CallName::new(
        CallCenterName::parse(call_center).ok()?,
        VendorCallKey::parse(vendor_call_key).ok()?,
        parent.as_ref(),
    ))
}
