//! Requests of HTTP activities and their answers.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::model::{ActivityKind, Flow, HttpRequest};

/// A request with its fields filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentRequest {
    /// The activity that sends it.
    pub activity: String,
    /// The method.
    pub method: String,
    /// The path behind the connector, or the whole address.
    pub target: String,
    /// Query parameters.
    pub query: Vec<(String, String)>,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The type of the body.
    pub content_type: Option<String>,
    /// The body.
    pub body: Option<String>,
    /// How long an answer is waited for.
    pub timeout: Duration,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpOutcome {
    /// How long it took.
    pub took: Duration,
    /// The answer.
    pub result: Result<HttpAnswer, HttpFailure>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Its status.
    pub status: u16,
    /// Its body.
    pub body: String,
    /// Its headers.
    pub headers: Map<String, Value>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpFailure {
    /// It did not come in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection could not be made, or broke.
    #[error("{0}")]
    Connection(String),
}

/// The last part of the path of a request, without its query: the bridge's routes are told apart by it.
pub(super) fn last_part(target: &str) -> &str {
    let path = target.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

/// Whether a path is below those of the bridge, even if it names none of its routes: the bridge then says so.
pub(crate) fn is_below_bridge(target: &str) -> bool {
    target.contains("/voice/v1/")
}

/// Where a request goes, as the flow has it.
pub(super) fn target(request: &HttpRequest) -> &str {
    let (path, url) = (request.path.as_deref(), request.url.as_deref());
    let chosen = if request.is_authenticated { path.or(url) } else { url.or(path) };
    chosen.unwrap_or_default()
}

/// Whether the flow creates a VoiceCall.
pub(super) fn creates(flow: &Flow, routes: &[&str]) -> bool {
    flow.main.activities().iter().any(|activity| match &activity.kind {
        ActivityKind::HttpRequest(request) => {
            let route = last_part(target(request));
            route == "createVoiceCall" && routes.contains(&route)
        }
        _ => false,
    })
}

impl HttpOutcome {
    /// Whether the answer did not come in time.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        self.result == Err(HttpFailure::Timeout)
    }
}

impl SentRequest {
    /// The last part of its path, by which the bridge's routes are told apart.
    #[must_use]
    pub fn route(&self) -> &str {
        last_part(&self.target)
    }
}
