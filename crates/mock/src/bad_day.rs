//! Bad days: what can go wrong between an org and its callers, on order.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::answer::{Answer, Refused};
use super::locate::{Operation, Target};

/// What goes wrong. *With the work done* means: the org did what was asked, and only its answer suffers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BadDay {
    /// 401, as if the token or session were not valid.
    Unauthorized,
    /// 403 with this body.
    Forbidden {
        /// The answer's JSON.
        body: Value,
    },
    /// 429.
    TooMany {
        /// Seconds of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// 503.
    Unavailable {
        /// Seconds of `Retry-After`.
        retry_after: Option<u64>,
    },
    /// The answer comes late, with the work done.
    Slow {
        /// How late.
        milliseconds: u64,
    },
    /// The work is done only after that time, whether anybody still waits for the answer or not.
    WorksLate {
        /// How late.
        milliseconds: u64,
    },
    /// The connection stays open and silent; no work done.
    NeverAnswers,
    /// The connection is closed without a byte of an answer.
    DropConnection {
        /// `false`: before the body was read. `true`: with the work done.
        after_work: bool,
    },
    /// A page of an edge in between, no work done.
    Html {
        /// Its status.
        status: u16,
    },
    /// The connection is closed in the middle of the answer's body, with the work done.
    HalfBody,
    /// 200 with something that is not JSON, with the work done.
    Garbage,
    /// Any status with any body, no work done.
    Status {
        /// The status.
        status: u16,
        /// The answer's JSON.
        body: Value,
    },
    /// 200 with any body, no work done: such as an omniFlow that answers `{"errors":[..]}`.
    Body {
        /// The answer's JSON.
        body: Value,
    },
    /// The usual answer with these `errors`, with the work done: such as a create that a trigger complained about.
    Complaint {
        /// An array, or one string.
        errors: Value,
    },
    /// 200 with a JSON body of that size, no work done.
    HugeBody {
        /// About how long it is.
        bytes: usize,
    },
}

/// A bad day in the org's diary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// What goes wrong.
    #[serde(flatten)]
    pub day: BadDay,
    /// For how many requests.
    #[serde(default = "once")]
    pub times: u32,
    /// Only for this operation; otherwise for any but the pages.
    #[serde(default)]
    pub on: Option<Operation>,
}

fn once() -> u32 {
    1
}

impl BadDay {
    /// For `times` requests.
    #[must_use]
    pub fn times(self, times: u32) -> Script {
        Script { times, ..Script::from(self) }
    }

    /// For one request of this operation.
    #[must_use]
    pub fn on(self, operation: Operation) -> Script {
        Script::from(self).on(operation)
    }

    /// The answer that replaces all work, for those days that have one.
    pub(super) fn instead(&self, target: &Target) -> Option<Answer> {
        let error = |status, code, message| Refused::new(status, code, message).answer(target.side);
        Some(match self {
            Self::Unauthorized if target.operation == Operation::Token => {
                error(400, "invalid_grant", "invalid assertion")
            }
            Self::Unauthorized => error(401, "INVALID_SESSION_ID", "Session expired or invalid"),
            Self::Forbidden { body } => Answer::json(403, body),
            Self::TooMany { retry_after } => {
                error(429, "REQUEST_LIMIT_EXCEEDED", "Too many requests").retry_after(*retry_after)
            }
            Self::Unavailable { retry_after } => {
                error(503, "SERVER_UNAVAILABLE", "Service is temporarily unavailable")
                    .retry_after(*retry_after)
            }
            Self::Html { status } => Answer::html(
                *status,
                "<html><head><title>Error</title></head><body><h1>An error occurred</h1></body></html>",
            ),
            Self::Status { status, body } => Answer::json(*status, body),
            Self::Body { body } => Answer::json(200, body),
            Self::HugeBody { bytes } => Answer::json(200, &json!({ "padding": "x".repeat(*bytes) })),
            Self::Slow { .. }
            | Self::WorksLate { .. }
            | Self::NeverAnswers
            | Self::DropConnection { .. }
            | Self::HalfBody
            | Self::Garbage
            | Self::Complaint { .. } => return None,
        })
    }

    /// What becomes of the usual answer, for those days that change its text.
    pub(super) fn spoil(&self, mut answer: Answer) -> Answer {
        match self {
            Self::Garbage => Answer { body: b"\x01\x02 not JSON {".to_vec(), status: 200, ..answer },
            Self::Complaint { errors } => {
                if let Ok(Value::Object(mut body)) = serde_json::from_slice(&answer.body) {
                    body.insert("errors".into(), errors.clone());
                    answer.body = Value::Object(body).to_string().into_bytes();
                }
                answer
            }
            _ => answer,
        }
    }
}

impl Script {
    /// Only for this operation.
    #[must_use]
    pub fn on(self, operation: Operation) -> Self {
        Self { on: Some(operation), ..self }
    }

    fn is_for(&self, operation: Operation) -> bool {
        self.on.map_or(operation != Operation::Page, |only| only == operation)
    }
}

impl From<BadDay> for Script {
    fn from(day: BadDay) -> Self {
        Self { day, times: 1, on: None }
    }
}

/// The first bad day in the diary that concerns this operation; it has one time less afterwards.
pub(super) fn take(diary: &mut Vec<Script>, operation: Operation) -> Option<BadDay> {
    diary.retain(|script| script.times > 0);
    let script = diary.iter_mut().find(|script| script.is_for(operation))?;
    script.times -= 1;
    Some(script.day.clone())
}
