//! Every error of a request, and the four answers that each one has: status, messages, `Retry-After`, and whether an
//! operator is warned.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, WWW_AUTHENTICATE};

use super::caller::CredentialsRefused;
use super::envelope;
use super::throttle::Throttled;
use crate::bridge::BridgeError;
use crate::domain::quote;
use crate::salesforce::Failure;

/// Why a request has no data in its answer.
#[derive(Debug, PartialEq, Eq)]
pub enum ApiError {
    /// The body cannot be parsed, or fields are missing or wrong; all of them.
    Invalid(Vec<String>),
    /// No credentials, or wrong ones.
    Unauthorized,
    /// Too many credentials were wrong; these were not compared, or are wrong too.
    Throttled {
        /// How long to wait.
        after: Duration,
    },
    /// The limit of requests is reached.
    Busy,
    /// The head of the request is too long.
    LongHead {
        /// What is too long, and the limit.
        problem: String,
    },
    /// An access token that is wrong or has expired.
    Token,
    /// A webhook whose signature or time is missing or wrong.
    Signature,
    /// The client may not use the contact center.
    Forbidden {
        /// The contact center that was asked for.
        call_center: String,
    },
    /// No such path.
    NotFound,
    /// A known path with another method.
    MethodNotAllowed {
        /// The method it takes.
        allowed: &'static str,
    },
    /// The body has more than 64 KiB.
    TooLarge,
    /// The content type is not JSON.
    NotJson,
    /// The body did not arrive before the deadline.
    SlowBody,
    /// The connection ended before the body did.
    BrokenBody,
    /// Salesforce did not do it.
    Salesforce(Failure),
    /// The database does not store it.
    Store,
    /// The database did not answer in time.
    StoreLate,
    /// Another request for the same call used all of the time.
    InFlight,
    /// A fault of the bridge itself.
    Internal,
}

impl From<BridgeError> for ApiError {
    fn from(error: BridgeError) -> Self {
        match error {
            BridgeError::Salesforce(failure) => Self::Salesforce(failure),
            BridgeError::Contradiction(problem) => Self::Invalid(vec![problem]),
            BridgeError::Store(_) => Self::Store,
            BridgeError::StoreLate => Self::StoreLate,
            BridgeError::InFlight => Self::InFlight,
        }
    }
}

impl From<CredentialsRefused> for ApiError {
    fn from(denied: CredentialsRefused) -> Self {
        match denied {
            CredentialsRefused::Nothing
            | CredentialsRefused::Wrong
            | CredentialsRefused::Assertion(_)
            | CredentialsRefused::Unable => Self::Unauthorized,
            CredentialsRefused::Token => Self::Token,
            CredentialsRefused::Throttled(Throttled { after }) => Self::Throttled { after },
        }
    }
}

impl ApiError {
    /// The status by which a flow decides: 5xx means that the same request may succeed later, 4xx that it will not.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Invalid(_) | Self::BrokenBody => StatusCode::BAD_REQUEST,
            Self::Unauthorized | Self::Token | Self::Signature => StatusCode::UNAUTHORIZED,
            Self::Throttled { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::LongHead { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::SlowBody
            | Self::StoreLate
            | Self::InFlight
            | Self::Salesforce(Failure::Late | Failure::NoTime) => StatusCode::GATEWAY_TIMEOUT,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Busy
            | Self::Store
            | Self::Salesforce(
                Failure::Again { .. } | Failure::Unanswered { .. } | Failure::NotAsked { .. },
            ) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Salesforce(Failure::Refused { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Salesforce(Failure::Misconfigured { .. }) => StatusCode::FAILED_DEPENDENCY,
        }
    }

    /// The messages for the flow.
    pub fn messages(&self) -> Vec<String> {
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::Invalid(problems) => problems.clone(),
            Self::Unauthorized => one(
                "credentials: missing or wrong; the connector must send the id and secret of a configured client by HTTP Basic, or an access token",
            ),
            Self::Token => one(
                "credentials: the access token is over or none of this bridge's; ask for a new one at /services/oauth2/token",
            ),
            Self::Throttled { .. } => one(
                "credentials: too many wrong ones came from this address or for this client; wait, then send the right ones",
            ),
            Self::Busy => one("the bridge serves as many requests as it can; try again"),
            Self::LongHead { problem } => vec![problem.clone()],
            Self::Signature => one(
                "X-WebexCC-Signature: missing, wrong or too old; the subscription's secret must be one of webex.webhook_secrets",
            ),
            Self::Forbidden { call_center } => {
                vec![format!(
                    "callCenterDevName: this client may not use {}; see call_centers of the client in the configuration",
                    quote(call_center)
                )]
            }
            Self::NotFound => one(
                "path: there is nothing here; the voice routes are POST /voice/v1/createVoiceCall and so on",
            ),
            Self::MethodNotAllowed { allowed } => vec![format!("method: this path takes {allowed} only")],
            Self::TooLarge => one("body: longer than 64 KiB"),
            Self::NotJson => one("content type: expected application/json"),
            Self::SlowBody => one("body: did not arrive before the deadline of this route"),
            Self::BrokenBody => one("body: the connection ended before the body did"),
            Self::Salesforce(failure) => vec![failure.to_string()],
            Self::Store => one("the bridge cannot write to its own database now, so it promises nothing"),
            Self::StoreLate => vec![BridgeError::StoreLate.to_string()],
            Self::InFlight => vec![BridgeError::InFlight.to_string()],
            Self::Internal => one("the bridge itself failed at this request; its log tells more"),
        }
    }

    /// Seconds until a repetition may succeed.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::Salesforce(Failure::Again { after, .. }) => {
                Some(after.map_or(1, |after| after.as_secs().max(1)))
            }
            Self::Salesforce(Failure::NotAsked { after, .. }) => Some(whole_seconds(*after).max(1)),
            Self::Throttled { after } => Some(whole_seconds(*after)),
            Self::Busy
            | Self::Store
            | Self::StoreLate
            | Self::InFlight
            | Self::Salesforce(Failure::Late | Failure::Unanswered { .. } | Failure::NoTime) => Some(1),
            Self::Invalid(_)
            | Self::Unauthorized
            | Self::LongHead { .. }
            | Self::Token
            | Self::Signature
            | Self::Forbidden { .. }
            | Self::NotFound
            | Self::MethodNotAllowed { .. }
            | Self::TooLarge
            | Self::NotJson
            | Self::SlowBody
            | Self::BrokenBody
            | Self::Internal
            | Self::Salesforce(Failure::Refused { .. } | Failure::Misconfigured { .. }) => None,
        }
    }

    /// The error in one word, for the log and the metrics.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::Unauthorized | Self::Token => "unauthorized",
            Self::Throttled { .. } => "throttled",
            Self::Busy => "busy",
            Self::LongHead { .. } => "long_head",
            Self::Signature => "bad_signature",
            Self::Forbidden { .. } => "forbidden",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed { .. } => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::NotJson => "not_json",
            Self::SlowBody => "slow_body",
            Self::BrokenBody => "broken_body",
            Self::Store => "store",
            Self::StoreLate => "store_late",
            Self::InFlight => "in_flight",
            Self::Internal => "internal",
            Self::Salesforce(Failure::Late) => "late",
            Self::Salesforce(Failure::NoTime) => "no_time",
            Self::Salesforce(Failure::Again { .. } | Failure::Unanswered { .. }) => "again",
            Self::Salesforce(Failure::NotAsked { .. }) => "not_asked",
            Self::Salesforce(Failure::Refused { .. }) => "refused",
            Self::Salesforce(Failure::Misconfigured { .. }) => "misconfigured",
        }
    }

    /// The body of the answer.
    pub fn body(&self) -> serde_json::Value {
        envelope::failure_body(&self.messages())
    }

    /// The answer.
    pub fn response(&self) -> HttpResponse {
        let mut response = envelope::failure(self.status(), self.retry_after(), self.messages());
        let header = match self {
            Self::Unauthorized => Some((
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"scv-bridge\", charset=\"UTF-8\""),
            )),
            Self::MethodNotAllowed { allowed } => Some((ALLOW, HeaderValue::from_static(allowed))),
            // RFC 6750, 3.1.
            Self::Token => Some((
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"scv-bridge\", error=\"invalid_token\""),
            )),
            _ => None,
        };
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// Rounded up, so that a repetition then is not too early.
pub(super) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// The answer to a request that does not arrive in time, as it is sent: there is no parsed request that it could belong
/// to.
pub fn too_slow() -> Arc<[u8]> {
    let body = envelope::failure_text("request: did not arrive in time");
    let head = format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), &body].concat().into()
}
