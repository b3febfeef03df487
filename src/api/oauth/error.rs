//! What the token endpoint answers when it gives no token (RFC 6749, 5.2).

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::json;

use super::super::ApiError;
use super::super::caller::CredentialsRefused;
use super::super::error::whole_seconds;
use super::super::throttle::Throttled;
use super::never_stored;

/// Why there is no token.
#[derive(Debug, PartialEq, Eq)]
pub struct OAuthError {
    kind: OAuthErrorKind,
    /// ASCII without quotes and backslashes (RFC 6749, 5.2), and nothing of what was sent.
    description: Cow<'static, str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OAuthErrorKind {
    InvalidRequest,
    InvalidClient { by_header: bool },
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    TemporarilyUnavailable,
    TooMany { after: Duration },
    TooLarge,
    TooSlow,
}

impl OAuthError {
    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: OAuthErrorKind::InvalidRequest, description: description.into() }
    }

    pub(super) fn invalid_grant(description: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: OAuthErrorKind::InvalidGrant, description: description.into() }
    }

    pub(super) fn unauthorized_client(description: &'static str) -> Self {
        Self { kind: OAuthErrorKind::UnauthorizedClient, description: description.into() }
    }

    pub(super) fn unsupported_grant_type(description: &'static str) -> Self {
        Self { kind: OAuthErrorKind::UnsupportedGrantType, description: description.into() }
    }

    pub(super) fn unable() -> Self {
        let description = "the bridge can give no token now".into();
        Self { kind: OAuthErrorKind::TemporarilyUnavailable, description }
    }

    /// RFC 6749 has no word for it; the status and Retry-After say it.
    fn throttled(Throttled { after }: Throttled) -> Self {
        let description = "credentials: too many wrong ones came from this address or for this client; wait, then send the right ones";
        Self { kind: OAuthErrorKind::TooMany { after }, description: description.into() }
    }

    /// A client that was not let in. `by_header`: it tried by the header Authorization.
    pub(super) fn client(denied: CredentialsRefused, by_header: bool) -> Self {
        let description = match denied {
            CredentialsRefused::Nothing => {
                "credentials: missing; expected client_id and client_secret in the body or as HTTP Basic, or client_assertion"
            }
            CredentialsRefused::Wrong | CredentialsRefused::Token => {
                "credentials: wrong; expected the id and secret of a configured client"
            }
            CredentialsRefused::Assertion(problem) => {
                return Self {
                    kind: OAuthErrorKind::InvalidClient { by_header },
                    description: format!("client_assertion: {problem}").into(),
                };
            }
            CredentialsRefused::Throttled(throttled) => return Self::throttled(throttled),
            CredentialsRefused::Unable => return Self::unable(),
        };
        Self { kind: OAuthErrorKind::InvalidClient { by_header }, description: description.into() }
    }

    /// A grant that is not taken. `name`: the parameter it stands in.
    pub(super) fn grant(denied: CredentialsRefused, name: &str) -> Self {
        match denied {
            CredentialsRefused::Assertion(problem) => Self::invalid_grant(format!("{name}: {problem}")),
            CredentialsRefused::Throttled(throttled) => Self::throttled(throttled),
            CredentialsRefused::Unable => Self::unable(),
            CredentialsRefused::Nothing | CredentialsRefused::Wrong | CredentialsRefused::Token => {
                Self::invalid_grant(format!("{name}: wrong"))
            }
        }
    }

    /// The word for it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self.kind {
            OAuthErrorKind::InvalidRequest | OAuthErrorKind::TooLarge | OAuthErrorKind::TooSlow => {
                "invalid_request"
            }
            OAuthErrorKind::InvalidClient { .. } => "invalid_client",
            OAuthErrorKind::InvalidGrant => "invalid_grant",
            OAuthErrorKind::UnauthorizedClient => "unauthorized_client",
            OAuthErrorKind::UnsupportedGrantType => "unsupported_grant_type",
            OAuthErrorKind::TemporarilyUnavailable | OAuthErrorKind::TooMany { .. } => {
                "temporarily_unavailable"
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The answer.
    #[must_use]
    pub fn response(&self) -> HttpResponse {
        let status = match self.kind {
            OAuthErrorKind::InvalidClient { .. } => StatusCode::UNAUTHORIZED,
            OAuthErrorKind::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
            OAuthErrorKind::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            OAuthErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            OAuthErrorKind::TooSlow => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": self.code(), "error_description": self.description });
        let mut response = never_stored(HttpResponse::build(status)).json(body);
        let header = match self.kind {
            // "MUST ... include the WWW-Authenticate response header field matching the authentication scheme".
            OAuthErrorKind::InvalidClient { by_header: true } => Some((
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"scv-bridge\", charset=\"UTF-8\""),
            )),
            OAuthErrorKind::TemporarilyUnavailable => Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            OAuthErrorKind::TooMany { after } => Some((RETRY_AFTER, HeaderValue::from(whole_seconds(after)))),
            _ => None,
        };
        if let Some((name, value)) = header {
            response.headers_mut().insert(name, value);
        }
        response
    }
}

/// A body that could not be read.
impl From<ApiError> for OAuthError {
    fn from(error: ApiError) -> Self {
        let kind = match error {
            ApiError::TooLarge => OAuthErrorKind::TooLarge,
            ApiError::SlowBody => OAuthErrorKind::TooSlow,
            _ => OAuthErrorKind::InvalidRequest,
        };
        Self { kind, description: error.messages().join("; ").into() }
    }
}
