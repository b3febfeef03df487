//! What the org answers, and the shapes in which each of its APIs refuses.

use serde_json::{Value, json};

use super::locate::Side;

/// An answer, before a bad day spoils it.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) retry_after: Option<u64>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            content_type: "application/json;charset=UTF-8",
            retry_after: None,
            body: body.to_string().into_bytes(),
        }
    }

    /// 204: clear routing promises a success and no body.
    pub(super) fn empty() -> Self {
        Self { body: Vec::new(), ..Self::json(204, &Value::Null) }
    }

    pub(super) fn html(status: u16, body: &str) -> Self {
        Self {
            content_type: "text/html; charset=utf-8",
            body: body.as_bytes().to_vec(),
            ..Self::json(status, &Value::Null)
        }
    }

    pub(super) fn retry_after(mut self, seconds: Option<u64>) -> Self {
        self.retry_after = seconds;
        self
    }
}

/// Why the org refuses. Reasons name fields and never repeat a phone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: u16,
    /// Salesforce's error code, or OAuth's `error`.
    pub(super) code: &'static str,
    pub(super) reasons: Vec<String>,
}

impl Refused {
    pub(super) fn new(status: u16, code: &'static str, reason: impl Into<String>) -> Self {
        Self { status, code, reasons: vec![reason.into()] }
    }

    /// 400 with everything that is wrong with a body.
    pub(super) fn fields(reasons: Vec<String>) -> Self {
        Self { status: 400, code: "INVALID_FIELD", reasons }
    }

    /// 401 for a token of the telephony API.
    pub(super) fn token(reason: impl Into<String>) -> Self {
        Self::new(401, "INVALID_AUTH_TOKEN", reason)
    }

    /// The answer in the shape of that API.
    pub(super) fn answer(&self, side: Side) -> Answer {
        let message = self.reasons.join("; ");
        let list = json!([{ "message": message, "errorCode": self.code }]);
        let body = match (side, self.status) {
            (Side::Login, _) => json!({ "error": self.code, "error_description": message }),
            (Side::Apex, 400) => json!({ "data": null, "errors": self.reasons, "success": false }),
            (Side::Telephony, 400 | 404) => json!({ "message": message, "errors": self.reasons }),
            _ => list,
        };
        let seconds = (self.status == 429).then_some(1);
        Answer::json(self.status, &body).retry_after(seconds)
    }
}
