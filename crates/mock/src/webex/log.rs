//! What the tenant remembers of its callers.

use serde::Serialize;
use serde_json::Value;

use super::operation::Operation;

/// A request as it arrived, without tokens.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedCall {
    /// What it asked for.
    pub operation: Operation,
    /// HTTP method.
    pub method: String,
    /// Path as it came.
    pub path: String,
    /// The header `TrackingId`.
    pub tracking_id: Option<String>,
    /// The body if it was JSON.
    pub body: Option<Value>,
    /// The grant of a token request.
    pub grant: Option<String>,
    /// The status of the answer; `None` where a bad day let the request without a whole answer.
    pub answered: Option<u16>,
}

/// A request that the tenant refused, as Webex would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedCall {
    /// What it asked for.
    pub operation: Operation,
    /// HTTP method.
    pub method: String,
    /// Status of the answer.
    pub status: u16,
    /// What was wrong.
    pub reason: String,
}
