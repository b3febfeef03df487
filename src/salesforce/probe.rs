//! Single requests for who looks at a set-up from outside: sent once, past the breaker, with what came back as it is. They
//! change nothing: what is asked is a clear routing of a call that does not exist, a login, and a query.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::header::{DATE, HeaderMap, LOCATION};
use reqwest::{Client, Method};
use serde_json::Value;
use tokio::time::Instant;
use url::Url;

use super::http::{HttpAnswer, HttpFault, HttpRequest, exchange_with_headers, text};
use super::org::OrgApi;
use super::outcome::AnswerText;
use super::session::OAuthSession;
use super::{AnswerOutcome, Budget, Failure, Operation, Org, SalesforceApi, SalesforceRequest, judge};
use crate::domain::{CallReference, Origin, VendorCallKey, quote};
use crate::settings::BaseUrl;

/// What a probe was answered.
#[derive(Debug)]
pub struct ProbeAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The error text, fit to be shown.
    pub words: String,
    /// Whether the body is JSON.
    pub is_json: bool,
    /// Whether the body is a page for people.
    pub is_page: bool,
    /// The host of a redirect.
    pub location: Option<String>,
    /// The header `Date`.
    pub date: Option<Timestamp>,
    /// How long it took.
    pub elapsed: Duration,
    answer: HttpAnswer,
}

/// Why a probe has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeFault {
    /// No whole answer came.
    #[error(transparent)]
    Http(#[from] HttpFault),
    /// The key cannot sign.
    #[error("the token could not be signed with the configured key")]
    Unsigned,
    /// The contact center has no such session, or no login was answered before.
    #[error("there is no OAuth session")]
    NoSession,
}

impl ProbeAnswer {
    fn new(answer: HttpAnswer, headers: &HeaderMap, elapsed: Duration) -> Self {
        let read = AnswerText::read(&answer);
        let location = text(headers.get(LOCATION)).and_then(|text| Url::parse(text).ok());
        let date = text(headers.get(DATE)).and_then(|text| rfc2822::parse(text).ok());
        Self {
            status: answer.status,
            words: read.words(answer.status),
            is_json: read.json.is_some(),
            is_page: read.page,
            location: location.and_then(|url| Some(quote(url.host_str()?))),
            date: date.map(|date| date.timestamp()),
            elapsed,
            answer,
        }
    }

    /// What the answer means to the service.
    #[must_use]
    pub fn outcome(&self, api: SalesforceApi, operation: Operation) -> AnswerOutcome {
        judge(api, operation, &self.answer)
    }

    /// Whether the body can be that of an API: nothing, or JSON that holds fields or a list. Nobody has published what a
    /// clear routing is answered.
    #[must_use]
    pub fn is_of_an_api(&self) -> bool {
        let body = self.answer.body.trim_ascii();
        body.is_empty()
            || matches!(
                serde_json::from_slice::<Value>(body),
                Ok(Value::Null | Value::Object(_) | Value::Array(_))
            )
    }

    /// The id of the org in the answer of a login: `id` is an address that ends with the ids of org and user.
    #[must_use]
    pub fn org_id(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.answer.body).ok()?;
        let id = body.get("id").and_then(Value::as_str)?;
        id.split('/').find(|part| part.starts_with("00D") && part.len() >= 15).map(str::to_owned)
    }

    /// The host of `instance_url` in the answer of a login.
    #[must_use]
    pub fn instance(&self) -> Option<String> {
        let body: Value = serde_json::from_slice(&self.answer.body).ok()?;
        let url = Url::parse(body.get("instance_url")?.as_str()?).ok()?;
        url.host_str().map(quote)
    }
}

/// Sends a request once.
async fn send(client: &Client, request: HttpRequest, budget: &Budget) -> Result<ProbeAnswer, HttpFault> {
    let started = Instant::now();
    let (answer, headers) = exchange_with_headers(client, request, budget).await?;
    Ok(ProbeAnswer::new(answer, &headers, started.elapsed()))
}

/// Asks a host for its root, which any server answers somehow: for its clock.
///
/// # Errors
/// When no answer came.
pub async fn greet(client: &Client, base: &BaseUrl, budget: &Budget) -> Result<ProbeAnswer, HttpFault> {
    let mut url = base.join("");
    url.set_path("/");
    let request = HttpRequest { method: Method::HEAD, url, headers: HeaderMap::new(), body: Bytes::new() };
    send(client, request, budget).await
}

impl Org {
    /// Clears the routing of a call that does not exist. The Apex wrapper is asked under the session of the last login.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn probe(
        &self,
        client: &Client,
        origin: &Origin,
        key: VendorCallKey,
        budget: &Budget,
    ) -> Result<ProbeAnswer, ProbeFault> {
        let call = CallReference::Key(key);
        let ask = SalesforceRequest::ClearRouting(&call, origin);
        let request = match &self.api {
            OrgApi::Telephony(api) => api.signed(ask).ok_or(ProbeFault::Unsigned)?,
            OrgApi::Apex(api) => {
                let session = api.sessions.held().await.ok_or(ProbeFault::NoSession)?;
                api.under(&session, ask)
            }
        };
        Ok(send(client, request, budget).await?)
    }

    /// Asks for an OAuth session, and keeps it for the probes after this one.
    ///
    /// # Errors
    /// When there is no answer. `Ok(Err(..))`: the answer has no session that could be used.
    pub async fn probe_login(
        &self,
        client: &Client,
        budget: &Budget,
    ) -> Result<(ProbeAnswer, Result<(), Failure>), ProbeFault> {
        let sessions = self.sessions().ok_or(ProbeFault::NoSession)?;
        let (request, now) = sessions.login().map_err(|_| ProbeFault::Unsigned)?;
        let answer = send(client, request, budget).await?;
        let kept = match answer.status {
            200 => sessions.keep(&answer.answer, now).await,
            _ => Ok(()),
        };
        Ok((answer, kept))
    }

    /// Asks for a VoiceCall that does not exist, under the session of the last login.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn probe_query(
        &self,
        client: &Client,
        key: &VendorCallKey,
        budget: &Budget,
    ) -> Result<ProbeAnswer, ProbeFault> {
        let held: Option<OAuthSession> = match self.sessions() {
            Some(sessions) => sessions.held().await,
            None => None,
        };
        let session = held.ok_or(ProbeFault::NoSession)?;
        Ok(send(client, super::voice_call_query::probe(&session, key), budget).await?)
    }

    fn sessions(&self) -> Option<&Arc<super::session::OAuthSessions>> {
        match &self.api {
            OrgApi::Apex(api) => Some(&api.sessions),
            OrgApi::Telephony(_) => self.query.as_ref().map(|query| &query.sessions),
        }
    }
}
