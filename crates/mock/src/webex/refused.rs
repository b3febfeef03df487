//! The shapes in which Webex refuses.

use serde_json::json;

use super::super::answer::Answer;
use super::operation::Operation;

/// Why the tenant refuses. Reasons name fields and repeat neither tokens nor phone numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    /// The API's error key, or OAuth's `error`.
    pub(super) key: &'static str,
    pub(super) reason: String,
    /// Seconds.
    pub(super) retry_after: Option<u64>,
}

impl Refused {
    pub(super) fn new(status: u16, key: &'static str, reason: impl Into<String>) -> Self {
        Self { status, key, reason: reason.into(), retry_after: None }
    }

    /// 400: something in a body or an address.
    pub(super) fn field(reason: impl Into<String>) -> Self {
        Self::new(400, "invalid_argument", reason)
    }

    /// The answer in the shape of that API.
    pub(super) fn answer(&self, operation: Operation, tracking_id: &str) -> Answer {
        let body = match operation {
            Operation::Token | Operation::Authorize => {
                json!({ "error": self.key, "error_description": self.reason })
            }
            _ => json!({
                "trackingId": tracking_id,
                "error": { "key": self.key, "message": [{ "description": self.reason }] },
            }),
        };
        Answer::json(self.status, &body).retry_after(self.retry_after)
    }
}
