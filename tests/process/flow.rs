//! What a flow sends, and what it gets.

use std::sync::{Arc, Mutex};

use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::site::SECRET;

/// Digits by which the test's own phone numbers are found, in whatever form they are written.
pub const ANI: &str = "+14695550101";
/// The number that was dialed.
pub const DNIS: &str = "+18005550199";

/// A flow with its connector. Clones share its connections, and what they hear.
#[derive(Clone)]
pub struct Flow {
    http: reqwest::Client,
    base: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Flow {
    /// Of a client and `http://host:port`.
    pub fn new(http: reqwest::Client, base: String) -> Self {
        Self { http, base, heard: Arc::default() }
    }

    /// A POST to a voice route: status and body.
    pub async fn post(&self, route: &str, body: &Value) -> (u16, Value) {
        self.text(&format!("/voice/v1/{route}"), body.to_string()).await
    }

    /// A POST of any text to any path.
    pub async fn text(&self, path: &str, body: String) -> (u16, Value) {
        self.with_credentials(path, body, "webex-flow", SECRET).await
    }

    /// The same, as somebody else.
    pub async fn with_credentials(&self, path: &str, body: String, id: &str, secret: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.base)).basic_auth(id, Some(secret));
        self.answer(request.header("content-type", "Application/JSON").body(body)).await
    }

    /// A POST of nothing, with a token.
    pub async fn with_bearer(&self, path: &str, token: &str) -> (u16, Value) {
        self.answer(self.http.post(format!("{}{path}", self.base)).bearer_auth(token)).await
    }

    /// A POST of any content, without credentials in its head.
    pub async fn send(&self, path: &str, kind: &str, body: String) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.base)).header("content-type", kind);
        self.answer(request.body(body)).await
    }

    /// A webhook, with a signature.
    pub async fn webhook(&self, body: &Value, signature: &str) -> (u16, Value) {
        let request = self.http.post(format!("{}/webhooks/wxcc", self.base));
        let request = request.header("content-type", "application/json");
        self.answer(request.header("x-webexcc-signature", signature).body(body.to_string())).await
    }

    /// All answers so far, heads and bodies.
    pub fn heard(&self) -> String {
        self.heard.lock().unwrap().join("\n")
    }

    /// How many answers there were.
    pub fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    async fn answer(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.unwrap();
        let (status, head) = (answer.status().as_u16(), format!("{:?}", answer.headers()));
        let body = answer.text().await.unwrap();
        let value = serde_json::from_str(&body).unwrap();
        self.heard.lock().unwrap().push(format!("{status} {head} {body}"));
        (status, value)
    }

    /// Whether not even an HTTP answer comes.
    pub async fn refused(&self) -> bool {
        self.http.get(&self.base).send().await.is_err()
    }

    /// A createVoiceCall at the telephony API.
    pub async fn create(&self, key: &str) -> (u16, Value) {
        self.post("createVoiceCall", &create("WxCCContactCenterSCV", key)).await
    }
}

/// The body of a createVoiceCall.
pub fn create(call_center: &str, key: &str) -> Value {
    json!({
        "callCenterDevName": call_center,
        "vendorCallKey": key,
        "to": DNIS,
        "from": ANI,
        "initiationMethod": "Inbound",
        "startTime": "2026-11-21T10:00:00.123Z[UTC]",
        "participants": [{ "participantKey": ANI, "type": "END_USER" }],
        "callAttributes": { "Caller__c": ANI },
    })
}
