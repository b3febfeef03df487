//! The tenant over real sockets.

mod apis;
mod flows;
mod logins;
mod webhooks;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{MockWebex, MockWebexSettings};
use crate::tests::clock::ManualClock;

/// A tenant and someone who calls it.
struct Caller {
    webex: MockWebex,
    clock: Arc<ManualClock>,
    http: reqwest::Client,
    token: String,
}

impl Caller {
    async fn new() -> Self {
        Self::of(MockWebexSettings::default()).await
    }

    async fn of(settings: MockWebexSettings) -> Self {
        let clock = Arc::new(ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap()));
        let shared = clock.clone();
        let webex =
            MockWebex::start(settings, "127.0.0.1:0".parse().unwrap(), move || shared.now()).await.unwrap();
        let token = webex.log_in()["access_token"].as_str().unwrap().to_owned();
        Self { webex, clock, http: super::publish::client().unwrap(), token }
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.webex.url()));
        request.bearer_auth(&self.token).header("TrackingId", "bridge_1")
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> (u16, Value) {
        let request = self.request(method, path).header("content-type", "application/json");
        answered(request.body(body.to_string())).await
    }

    /// Sends a query of Search.
    async fn search(&self, query: &str) -> (u16, Value) {
        self.send(Method::POST, "/search", &json!({ "query": query })).await
    }
}

async fn answered(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

/// What an API's error says.
fn said(body: &Value) -> &str {
    body["error"]["message"][0]["description"].as_str().unwrap_or_default()
}
