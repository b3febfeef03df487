//! Plays a flow against a bridge: sends what the play asks for, as Webex's HTTP activity does.

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use tokio::time::Instant;
use webex_flow::model::Flow;
use webex_flow::play::{Demand, HttpAnswer, HttpFailure, HttpOutcome, Play, Played, Script, SentRequest};

use crate::clock::Clock;

/// The most of an answer that is read. The bridge's are far shorter; another server may be at the address.
const LARGEST_ANSWER: usize = 1 << 20;

/// A bridge, as a connector of Webex reaches it.
#[derive(Clone)]
pub struct Connector {
    url: String,
    credentials: Option<(String, SecretString)>,
    client: reqwest::Client,
}

impl Connector {
    /// A connector to the bridge at `url`. `roots`: certificates in PEM that are trusted besides the system's.
    ///
    /// # Errors
    /// When the certificates are none.
    pub fn new(
        url: &str,
        credentials: Option<(String, SecretString)>,
        roots: Option<&[u8]>,
    ) -> anyhow::Result<Self> {
        let mut builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        if let Some(pem) = roots {
            let roots = reqwest::Certificate::from_pem_bundle(pem)
                .context("--ca-file holds no certificates in PEM")?;
            builder = builder.tls_certs_merge(roots);
        }
        Ok(Self { url: url.trim_end_matches('/').to_owned(), credentials, client: builder.build()? })
    }

    /// A connector to an address of this machine where nobody listens.
    ///
    /// # Errors
    /// When no port can be had.
    pub fn to_nobody() -> anyhow::Result<Self> {
        // The port is free again when the listener is dropped.
        let address = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?;
        Self::new(&format!("http://{address}"), None, None)
    }

    /// The bridge's address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request and waits as long as its activity does. An absolute address keeps its path: the host is that of the bridge.
    pub async fn send(&self, request: &SentRequest) -> HttpOutcome {
        let started = Instant::now();
        let sent = tokio::time::timeout(request.timeout, self.exchange(request)).await;
        let result = sent.unwrap_or(Err(HttpFailure::Timeout));
        HttpOutcome { took: started.elapsed().min(request.timeout), result }
    }

    async fn exchange(&self, request: &SentRequest) -> Result<HttpAnswer, HttpFailure> {
        let path = match request.target.split_once("://") {
            Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"),
            None => request.target.as_str(),
        };
        let separator = if path.starts_with('/') { "" } else { "/" };
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| HttpFailure::Connection(format!("{:?} is no method", request.method)))?;
        let mut builder = self.client.request(method, format!("{}{separator}{path}", self.url));
        if let Some((id, secret)) = &self.credentials {
            builder = builder.basic_auth(id, Some(secret.expose_secret()));
        }
        if let Some(content_type) = &request.content_type {
            builder = builder.header("content-type", content_type);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let url_query: Vec<_> =
            request.query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let mut built = builder.build().map_err(|error| HttpFailure::Connection(words(&error)))?;
        if !url_query.is_empty() {
            built.url_mut().query_pairs_mut().extend_pairs(url_query);
        }
        let mut response =
            self.client.execute(built).await.map_err(|error| HttpFailure::Connection(words(&error)))?;
        let status = response.status().as_u16();
        let headers: Map<String, Value> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                (name.to_string(), Value::from(String::from_utf8_lossy(value.as_bytes()).into_owned()))
            })
            .collect();
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|error| HttpFailure::Connection(words(&error)))?
        {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_ANSWER {
                return Err(HttpFailure::Connection("the answer is longer than 1 MiB".to_owned()));
            }
        }
        Ok(HttpAnswer { status, body: String::from_utf8_lossy(&body).into_owned(), headers })
    }
}

/// The innermost cause of an error: the outer ones say only that a request failed.
fn words(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Plays a flow. `accept` is told when an agent accepts the call in Salesforce.
pub async fn play(
    flow: &Flow,
    script: Script<'_>,
    connector: &Connector,
    clock: &dyn Clock,
    accept: &mut dyn FnMut(),
) -> Played {
    let mut play = Play::new(flow, script);
    let mut beside = Vec::new();
    loop {
        match play.next(clock.now()) {
            Demand::Send(request) => {
                let outcome = connector.send(&request).await;
                play.answered(outcome, clock.now());
            }
            Demand::SendBeside(request) => {
                let connector = connector.clone();
                beside.push(actix_web::rt::spawn(async move { connector.send(&request).await }));
                // The request is on its way before what follows.
                tokio::task::yield_now().await;
            }
            Demand::AgentAccepts => accept(),
            Demand::Done => break,
        }
    }
    for sent in beside {
        // What became of it is seen in the VoiceCalls.
        let _ = sent.await;
    }
    play.into_played()
}

/// How long plays against a stage may wait for what the bridge still owes Salesforce.
#[cfg(feature = "demo")]
pub const SETTLES_WITHIN: std::time::Duration = std::time::Duration::from_secs(15);
