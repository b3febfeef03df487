//! The client of Webex's APIs: token, tracking id, pace, bounds; and what an answer means.

pub(super) mod exchange;
mod rate_limit;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::exchange::{ExchangeAnswer, ExchangeFault, ExchangeLimits, error_text, exchange, headers};
use self::rate_limit::RateLimit;
use super::search::MissingFields;
use super::token::{TokenError, WebexTokens};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::BaseUrl;

/// A page of 250 tasks with their activities has less than half of this.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Search answers slowly over long times.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long to wait where Webex limits and does not say.
const UNSAID_PAUSE: Duration = Duration::from_secs(10);

/// Why there is no answer to work with.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WebexError {
    /// 300 requests a minute are used up, or Webex asked for a pause.
    #[error("Webex limits our requests; again in {} s", .after.as_secs().max(1))]
    Limited {
        /// When it may be asked again.
        after: Duration,
    },
    /// No answer, or Webex has a problem of its own: another time.
    #[error("Webex does not answer: {words}")]
    Unavailable {
        /// What happened.
        words: String,
    },
    /// Webex refuses; the same request will not help.
    #[error("Webex refuses: {words}; {}", look(*.status))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What it says.
        words: String,
    },
    /// A success that cannot be read.
    #[error("Webex answers something unexpected: {0}")]
    Unreadable(String),
    /// There is no token to ask with.
    #[error(transparent)]
    Token(#[from] TokenError),
}

fn look(status: u16) -> &'static str {
    match status {
        401 => "run `scv-bridge webex login` again",
        403 => {
            "the integration needs the scopes cjp:config_read and cjp:config_write, and whoever logged in the role of an administrator"
        }
        404 => "look at webex.api_url: it must be that of your region",
        _ => "try again; if it lasts, ask Webex what its words mean",
    }
}

/// Asks one Webex tenant.
pub struct ApiClient {
    http: reqwest::Client,
    api: BaseUrl,
    tokens: Arc<WebexTokens>,
    rate_limit: RateLimit,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    missing_fields: MissingFields,
}

/// A request before it has a token.
#[derive(Debug)]
pub(super) struct ApiRequest<'a> {
    pub(super) method: Method,
    /// With a slash before it.
    pub(super) path: &'a str,
    pub(super) body: Option<Value>,
}

impl ApiClient {
    /// A client of the tenant behind `api`.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        api: BaseUrl,
        tokens: Arc<WebexTokens>,
        clock: Arc<dyn Clock>,
        ids: Arc<Ids>,
    ) -> Self {
        Self {
            http,
            api,
            tokens,
            rate_limit: RateLimit::default(),
            clock,
            ids,
            missing_fields: MissingFields::default(),
        }
    }

    /// The tokens it asks with.
    #[must_use]
    pub fn tokens(&self) -> &WebexTokens {
        &self.tokens
    }

    /// What Search has refused so far.
    pub(super) fn missing_fields(&self) -> &MissingFields {
        &self.missing_fields
    }

    /// Asks, and reads the answer; a token that has just died is renewed once.
    pub(super) async fn ask<T: DeserializeOwned>(&self, ask: &ApiRequest<'_>) -> Result<T, WebexError> {
        let answer = self.send(ask).await?;
        // DELETE answers with nothing.
        let body: &[u8] = if answer.body.is_empty() { b"null" } else { &answer.body };
        serde_json::from_slice(body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            WebexError::Unreadable(format!("{} {}: line {line} column {column}", ask.method, path(ask)))
        })
    }

    async fn send(&self, ask: &ApiRequest<'_>) -> Result<ExchangeAnswer, WebexError> {
        for last in [false, true] {
            self.rate_limit.take(self.clock.now()).map_err(|after| WebexError::Limited { after })?;
            let bearer = self.tokens.bearer().await?;
            let request = self.request(ask, &bearer.header());
            let bounds = ExchangeLimits { within: ANSWER_WITHIN, bytes: ANSWER_BYTES };
            let answer = exchange(&self.http, request, bounds).await.map_err(|fault| unavailable(&fault))?;
            match answer.status {
                200..300 => return Ok(answer),
                401 if !last => self.tokens.forget(&bearer).await,
                429 => {
                    let after = answer.retry_after.unwrap_or(UNSAID_PAUSE);
                    self.rate_limit.pause(self.clock.now(), after);
                    return Err(WebexError::Limited { after });
                }
                408 | 500.. => return Err(WebexError::Unavailable { words: error_text(&answer) }),
                status => return Err(WebexError::Refused { status, words: error_text(&answer) }),
            }
        }
        Err(WebexError::Unavailable { words: "no valid token".to_owned() })
    }

    fn request(&self, ask: &ApiRequest<'_>, authorization: &HeaderValue) -> Request {
        let mut request = Request::new(ask.method.clone(), self.api.join(ask.path));
        *request.headers_mut() = headers(authorization, &format!("scv-bridge_{}", self.ids.unique()));
        if let Some(body) = &ask.body {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        request
    }
}

/// The path without an id.
fn path<'a>(ask: &ApiRequest<'a>) -> &'a str {
    if ask.path.starts_with("/v2/subscriptions") { "/v2/subscriptions" } else { ask.path }
}

fn unavailable(fault: &ExchangeFault) -> WebexError {
    WebexError::Unavailable { words: fault.to_string() }
}
