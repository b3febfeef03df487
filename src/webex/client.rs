//! The client of Webex's APIs: access token, tracking id, rate limit and time limit of a request, and what its answer means.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::http::{ExchangeAnswer, ExchangeLimits, error_text, exchange, headers};
use super::token::{TokenCipher, TokenError, WebexTokens};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::{BaseUrl, Webex};
use crate::sliding_window::SlidingWindow;
use crate::store::Store;

/// A page of 250 tasks with their activities has less than half of this.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;
/// Search answers slowly over long times.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// The pause where Webex limits requests and gives no `Retry-After`.
const UNSAID_PAUSE: Duration = Duration::from_secs(10);

/// Why a request to Webex gave no result.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WebexError {
    /// 300 requests a minute are used up, or Webex asked for a pause.
    #[error("Webex limits our requests; again in {} s", .after.as_secs().max(1))]
    Limited {
        /// How long to wait.
        after: Duration,
    },
    /// No answer, or a fault of Webex: a later request may succeed.
    #[error("Webex does not answer: {words}")]
    Unavailable {
        /// What happened.
        words: String,
    },
    /// Webex refuses the request; the same one will be refused again.
    #[error("Webex refuses: {words}; {}", look(*.status))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The error text of the answer.
        words: String,
    },
    /// A success that cannot be parsed.
    #[error("Webex answers something unexpected: {0}")]
    Unreadable(String),
    /// There is no access token.
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

/// The client of one Webex tenant.
pub struct ApiClient {
    http: reqwest::Client,
    api: BaseUrl,
    tokens: Arc<WebexTokens>,
    rate_limit: RateLimit,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
    missing_fields: MissingFields,
}

/// A request before it has an access token.
#[derive(Debug)]
pub(super) struct ApiRequest<'a> {
    pub(super) method: Method,
    /// With a leading slash.
    pub(super) path: &'a str,
    pub(super) body: Option<Value>,
}

/// Fields that the tenant's schema does not have.
#[derive(Default)]
pub(super) struct MissingFields(Mutex<BTreeSet<&'static str>>);

impl MissingFields {
    pub(super) fn all(&self) -> BTreeSet<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a field; returns whether it is new.
    pub(super) fn insert(&self, field: &'static str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(field)
    }
}

impl ApiClient {
    /// A client of the tenant behind `api`.
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

    /// The tokens of the client.
    pub fn tokens(&self) -> &WebexTokens {
        &self.tokens
    }

    /// The fields that Search has refused so far.
    pub(super) fn missing_fields(&self) -> &MissingFields {
        &self.missing_fields
    }

    /// Sends a request and parses the answer; an access token that Webex refuses is renewed once.
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
            let answer = exchange(&self.http, request, bounds)
                .await
                .map_err(|fault| WebexError::Unavailable { words: fault.to_string() })?;
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

/// Webex's limit of requests for a client id.
const REQUESTS_PER_WINDOW: usize = 300;
/// The time of that limit.
const WINDOW: Duration = Duration::from_secs(60);

/// The requests of the last minute.
#[derive(Debug)]
struct SentRequests {
    sent: SlidingWindow<Timestamp>,
    /// Until when Webex asked for no request.
    paused_until: Option<Timestamp>,
}

/// The rate limit in this process. Other processes with the same client id show up as Webex's 429.
#[derive(Debug)]
struct RateLimit(Mutex<SentRequests>);

impl Default for RateLimit {
    fn default() -> Self {
        let sent = SlidingWindow::new(REQUESTS_PER_WINDOW, WINDOW);
        Self(Mutex::new(SentRequests { sent, paused_until: None }))
    }
}

impl RateLimit {
    /// Counts one request at `now`, or returns how long to wait before it.
    pub(in crate::webex) fn take(&self, now: Timestamp) -> Result<(), Duration> {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let paused_until = requests.paused_until.filter(|until| *until > now);
        match requests.sent.full_until(now).max(paused_until) {
            Some(until) => Err(until.duration_since(now).unsigned_abs()),
            None => {
                requests.sent.take(now);
                Ok(())
            }
        }
    }

    /// No request is sent for the time of `pause`.
    pub(in crate::webex) fn pause(&self, now: Timestamp, pause: Duration) {
        let until = now.checked_add(pause).unwrap_or(Timestamp::MAX);
        let mut sent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sent.paused_until = sent.paused_until.max(Some(until));
    }
}

/// A setting of `[webex]` without which no request can be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is not set: {hint}")]
pub struct MissingSetting {
    /// The configuration key.
    pub key: &'static str,
    /// What to set it to.
    pub hint: &'static str,
}

/// The tokens of the configured integration. `owner` names this process in turns.
///
/// # Errors
/// When the configuration names no integration.
pub fn tokens(
    webex: &Webex,
    http: reqwest::Client,
    store: Store,
    clock: Arc<dyn Clock>,
    owner: String,
) -> Result<WebexTokens, MissingSetting> {
    let client = webex.oauth_client.as_ref().ok_or(MissingSetting {
        key: "webex.client_id",
        hint: "make an integration at developer.webex.com, and set its client id and client_secret_file",
    })?;
    let cipher = TokenCipher::new(webex.token_key.clone());
    Ok(WebexTokens::new(http, (&webex.token_url, client, cipher), store, clock, owner))
}

/// A client with these tokens.
///
/// # Errors
/// When `webex.api_url` is not set.
pub fn api_client(
    webex: &Webex,
    http: reqwest::Client,
    tokens: WebexTokens,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
) -> Result<ApiClient, MissingSetting> {
    let hint = "set it to the API of your region, such as https://api.wxcc-us1.cisco.com";
    let api = webex.api_url.clone().ok_or(MissingSetting { key: "webex.api_url", hint })?;
    Ok(ApiClient::new(http, api, Arc::new(tokens), clock, ids))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn any_minute_sees_at_most_300_requests() {
        let rate_limit = RateLimit::default();
        assert!((0..300).all(|number| rate_limit.take(at(number / 10)).is_ok()));
        assert_eq!(rate_limit.take(at(30)), Err(Duration::from_secs(30)));
        assert_eq!(rate_limit.take(at(59)), Err(Duration::from_secs(1)));
        assert!((0..10).all(|_| rate_limit.take(at(60)).is_ok()));
        assert_eq!(rate_limit.take(at(60)), Err(Duration::from_secs(1)));
    }

    #[test]
    fn a_pause_that_webex_asked_for_is_kept_and_the_longest_counts() {
        let rate_limit = RateLimit::default();
        rate_limit.pause(at(0), Duration::from_secs(20));
        rate_limit.pause(at(1), Duration::from_secs(5));
        assert_eq!(rate_limit.take(at(19)), Err(Duration::from_secs(1)));
        assert_eq!(rate_limit.take(at(20)), Ok(()));
    }
}
