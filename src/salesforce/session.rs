//! The OAuth session for the Apex wrapper and for queries: JWT bearer, kept for a while, fetched by one request for all.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Client, Method};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::timeout_at;
use url::form_urlencoded;

use super::http::{HttpAnswer, HttpRequest, exchange};
use super::outcome::AnswerText;
use super::{AnswerOutcome, Budget, CenterMetrics, Failure, Gate, Operation, SalesforceApi};
use crate::certificate::SigningCertificate;
use crate::clock::Clock;
use crate::settings::{self, BaseUrl, CallCenter, NextCertificate};

/// Salesforce accepts an assertion that expires in at most three minutes; clocks may differ by one of them.
const ASSERTION_SECONDS: i64 = 120;

/// An access token and the instance for it.
#[derive(Clone)]
pub struct OAuthSession {
    /// The header with the token.
    pub authorization: HeaderValue,
    /// `https://<MyDomain>.my.salesforce.com`, without a slash at the end.
    pub instance: Arc<BaseUrl>,
    fetched: Timestamp,
}

#[derive(Serialize)]
struct JwtBearerClaims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
}

/// The session of one contact center.
pub struct OAuthSessions {
    gate: Arc<Gate>,
    measured: CenterMetrics,
    login: BaseUrl,
    consumer_key: SecretString,
    username: String,
    audience: String,
    certificate: SigningCertificate,
    next_certificate: Option<NextCertificate>,
    keep: jiff::SignedDuration,
    clock: Arc<dyn Clock>,
    /// The result of the last fetch.
    latest: Mutex<Option<Result<OAuthSession, Failure>>>,
    /// How many fetches have ended.
    fetches: AtomicU64,
}

impl OAuthSessions {
    /// For the user and app of a contact center.
    pub fn new(
        (gate, measured): (Arc<Gate>, CenterMetrics),
        oauth: &settings::OAuth,
        center: &CallCenter,
        keep: settings::Session,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            gate,
            measured,
            login: oauth.login_url.clone(),
            consumer_key: oauth.consumer_key.clone(),
            username: oauth.username.clone(),
            audience: oauth.audience.clone(),
            certificate: center.certificate.clone(),
            next_certificate: center.next_certificate.clone(),
            keep: signed(keep),
            clock,
            latest: Mutex::default(),
            fetches: AtomicU64::new(0),
        }
    }

    /// Whether the session is that of this configuration.
    pub fn fits(&self, oauth: &settings::OAuth, center: &CallCenter, keep: settings::Session) -> bool {
        let next = |next: &NextCertificate| (next.from, next.certificate.fingerprint());
        self.login == oauth.login_url
            && self.consumer_key.expose_secret() == oauth.consumer_key.expose_secret()
            && self.username == oauth.username
            && self.audience == oauth.audience
            && self.certificate.fingerprint() == center.certificate.fingerprint()
            && self.next_certificate.as_ref().map(next) == center.next_certificate.as_ref().map(next)
            && self.keep == signed(keep)
    }

    /// The certificate that signs at this moment. A session stays valid when that changes.
    fn certificate(&self, now: Timestamp) -> &SigningCertificate {
        match &self.next_certificate {
            Some(next) if now >= next.from => &next.certificate,
            _ => &self.certificate,
        }
    }

    /// The session. Requests that arrive while one of them fetches a session wait for it and share its result, a failure
    /// too.
    ///
    /// # Errors
    /// When Salesforce gives no session, or none in time.
    pub async fn get(&self, client: &Client, budget: &Budget) -> Result<OAuthSession, Failure> {
        let came = self.fetches.load(Ordering::Acquire);
        let mut latest =
            timeout_at(budget.deadline(), self.latest.lock()).await.map_err(|_| Failure::Late)?;
        let fetched_meanwhile = came != self.fetches.load(Ordering::Acquire);
        match latest.as_ref() {
            Some(Ok(session)) if self.clock.now().duration_since(session.fetched) < self.keep => {
                return Ok(session.clone());
            }
            // The deadline of another request does not concern this one.
            Some(Err(failure))
                if fetched_meanwhile && !matches!(failure, Failure::Late | Failure::NoTime) =>
            {
                return Err(failure.clone());
            }
            _ => {}
        }
        let result = self.gate.guard(self.fetch(client, budget), (budget, &self.measured)).await;
        *latest = Some(result.clone());
        self.fetches.fetch_add(1, Ordering::Release);
        result
    }

    /// Drops a session that Salesforce has just refused, unless another one has replaced it already.
    ///
    /// # Errors
    /// When the deadline passes while another request fetches a session.
    pub async fn forget(&self, refused: &OAuthSession, budget: &Budget) -> Result<(), Failure> {
        let mut latest =
            timeout_at(budget.deadline(), self.latest.lock()).await.map_err(|_| Failure::Late)?;
        if matches!(latest.as_ref(), Some(Ok(held)) if held.authorization == refused.authorization) {
            *latest = None;
        }
        Ok(())
    }

    /// Sends the request that `request` makes for a session; when the session is refused, gets a new one once and repeats
    /// once.
    ///
    /// # Errors
    /// When there is no session, a new one was refused too, or no whole answer arrived in time.
    pub(super) async fn exchange(
        &self,
        what: (SalesforceApi, Operation),
        client: &Client,
        budget: &Budget,
        request: impl Fn(&OAuthSession) -> HttpRequest,
    ) -> Result<AnswerOutcome, Failure> {
        let mut words = String::new();
        for _ in 0..2 {
            let session = self.get(client, budget).await?;
            match self.gate.exchange(what, client, request(&session), (budget, &self.measured)).await? {
                AnswerOutcome::Reauthenticate { words: refusal } => words = refusal,
                other => return Ok(other),
            }
            self.forget(&session, budget).await?;
        }
        let look = "may the user use the API, and is login_url that of the right org?";
        Err(Failure::Misconfigured { words: format!("a new session was refused too ({words}); {look}") })
    }

    /// The session of the last fetch, if it gave one.
    pub(super) async fn held(&self) -> Option<OAuthSession> {
        self.latest.lock().await.as_ref()?.as_ref().ok().cloned()
    }

    /// Keeps the session of an answer.
    ///
    /// # Errors
    /// When the answer has none that could be used.
    pub(super) async fn keep(&self, answer: &HttpAnswer, fetched: Timestamp) -> Result<(), Failure> {
        let session = self.read(answer, fetched)?;
        *self.latest.lock().await = Some(Ok(session));
        Ok(())
    }

    async fn fetch(&self, client: &Client, budget: &Budget) -> Result<OAuthSession, Failure> {
        let (request, now) = self.login()?;
        let answer = exchange(client, request, budget).await.map_err(|fault| match Failure::from(fault) {
            // Only the login went unanswered; the request that needs the session has not been sent yet.
            Failure::Unanswered { words } => Failure::Again { after: None, words },
            failure => failure,
        })?;
        match answer.status {
            200 => self.read(&answer, now),
            _ => Err(refusal(&answer, &self.measured)),
        }
    }

    /// The request for a session, and when its assertion was signed.
    ///
    /// # Errors
    /// When the key cannot sign.
    pub(super) fn login(&self) -> Result<(HttpRequest, Timestamp), Failure> {
        let now = self.clock.now();
        let claims = JwtBearerClaims {
            iss: self.consumer_key.expose_secret(),
            sub: &self.username,
            aud: &self.audience,
            exp: now.as_second() + ASSERTION_SECONDS,
        };
        let assertion = super::token::sign(&claims, self.certificate(now))
            .map_err(|_| misconfigured("the OAuth assertion could not be signed with the configured key"))?;
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
            .append_pair("assertion", &assertion)
            .finish();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        let url = self.login.join("/services/oauth2/token");
        Ok((HttpRequest { method: Method::POST, url, headers, body: body.into() }, now))
    }

    fn read(&self, answer: &HttpAnswer, fetched: Timestamp) -> Result<OAuthSession, Failure> {
        let garbage =
            || Failure::Again { after: None, words: "its login answered something that is no token".into() };
        let body: Value = serde_json::from_slice(&answer.body).map_err(|_| garbage())?;
        let text = |name: &str| body.get(name).and_then(Value::as_str);
        let token = text("access_token").ok_or_else(garbage)?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| garbage())?;
        authorization.set_sensitive(true);
        let instance = text("instance_url").ok_or_else(garbage)?;
        let instance = self.trusted(instance).ok_or_else(|| {
            misconfigured("the login named an instance_url that is no https://*.salesforce.com host; is login_url right?")
        })?;
        Ok(OAuthSession { authorization, instance, fetched })
    }

    /// Where a session may be sent: Salesforce's own hosts, or the host of the configured login.
    fn trusted(&self, instance: &str) -> Option<Arc<BaseUrl>> {
        let url = BaseUrl::parse(instance).ok()?;
        let known = url.origin() == self.login.origin()
            || (url.origin().starts_with("https://") && url.host().ends_with(".salesforce.com"));
        known.then(|| Arc::new(url))
    }
}

fn signed(keep: settings::Session) -> jiff::SignedDuration {
    jiff::SignedDuration::try_from(keep.keep).unwrap_or(jiff::SignedDuration::MAX)
}

fn misconfigured(words: &str) -> Failure {
    Failure::Misconfigured { words: words.into() }
}

/// OAuth's errors are faults of the configuration, and each has its setting.
fn refusal(answer: &HttpAnswer, measured: &CenterMetrics) -> Failure {
    let text = AnswerText::read(answer);
    let words = text.words(answer.status);
    if matches!(answer.status, 408 | 429 | 500..) {
        return Failure::Again { after: answer.retry_after, words };
    }
    let (error, look) = if text.mentions("approved") || text.mentions("invalid_app_access") {
        ("approval", "pre-authorise the user for the app")
    } else if text.mentions("audience") {
        ("audience", "look at login_url and oauth_audience")
    } else if text.mentions("invalid_client_id") {
        ("client_id", "look at consumer_key")
    } else if text.mentions("expired") {
        ("expired", "look at the clock of this machine")
    } else if text.mentions("assertion") {
        ("assertion", "look at the certificate of the app and at the configured one")
    } else {
        ("other", "look at login_url, consumer_key, username and certificate")
    };
    measured.login_refused(error);
    Failure::Misconfigured { words: format!("login: {words}; {look}") }
}
