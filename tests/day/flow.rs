//! Flows, with their connector.

use scv_bridge::mock::webex::{Event, MockWebex};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::call::{Call, Flow};
use super::site::CONNECTOR;
use super::webex::{envelope_of, envelopes};
use scv_bridge::clock::{Clock as _, SystemClock};

/// What the vendor's flow says at the end of every call, and the bridge of one whose stage is unknown.
pub const DEFAULT_REASON: &str = "Abandoned in queue";

/// How a call looks to its flow.
#[derive(Default)]
pub struct Voice {
    /// Of its VoiceCall, once the create was answered.
    id: watch::Sender<Option<String>>,
    /// Whether executeOmniFlow was answered.
    is_routed: watch::Sender<bool>,
}

/// Whoever speaks to the bridge.
pub struct Speaker {
    http: reqwest::Client,
    webex: MockWebex,
    base: String,
}

impl Speaker {
    /// `base`: of the bridge.
    pub fn new(webex: &MockWebex, base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        Self { http, webex: webex.clone(), base: base.to_owned() }
    }

    /// Sends a webhook; whether it was taken.
    pub async fn publish(&self, event: &Event) -> bool {
        let webhook = envelope_of(&envelopes(), event).webhook(event, SystemClock.now());
        self.webex.deliver(&format!("{}/webhooks/wxcc", self.base), &webhook).await == 200
    }

    /// The call arrives.
    pub async fn create(&self, call: &Call, voice: &Voice) {
        let body = json!({
            "callCenterDevName": call.center,
            "vendorCallKey": call.key,
            "to": "+18005550100",
            "from": "+14693150217",
            "initiationMethod": "Inbound",
            "startTime": call.truth.start.to_string(),
            "participants": [{ "participantKey": "+14693150217", "type": "END_USER" }],
        });
        let data = self.post("createVoiceCall", &body).await;
        voice.id.send_replace(data["voiceCallId"].as_str().map(str::to_owned));
    }

    /// The call is queued.
    pub async fn route(&self, call: &Call, voice: &Voice) {
        let body = json!({
            "callCenterDevName": call.center, "voiceCallId": id(voice).await, "dialedNumber": "+18005550100",
        });
        self.post("executeOmniFlow", &body).await;
        voice.is_routed.send_replace(true);
    }

    /// The call is over: PhoneContactEnded. Nobody hangs up within the milliseconds in which the call is queued.
    pub async fn end(&self, call: &Call, voice: &Voice) {
        if call.truth.enqueued.is_some() {
            voice.is_routed.subscribe().wait_for(|is_routed| *is_routed).await.unwrap();
        }
        let (start, end) = (call.truth.start.to_string(), call.hung_up.to_string());
        match call.flow {
            Flow::Vendors => {
                let id = id(voice).await;
                let clear = json!({ "callCenterDevName": call.center, "voiceCallId": id });
                self.post("clearRouting", &clear).await;
                let update = json!({
                    "callCenterDevName": call.center, "voiceCallId": id, "startTime": start, "endTime": end,
                    "disconnectReason": { "value": DEFAULT_REASON, "isError": true },
                });
                self.post("updateVoiceCall", &update).await;
            }
            Flow::Ours => {
                // A name that the flow does not know renders empty: so late signs of an agent are the only ones.
                let agent = call.truth.agent.as_ref();
                let agent = agent.filter(|_| !call.hides_agent() && !call.is_hung_up_early());
                let body = json!({
                    "callCenterDevName": call.center, "vendorCallKey": call.key, "startTime": start, "endTime": end,
                    "agentId": agent,
                });
                self.post("phoneContactEnded", &body).await;
            }
            Flow::Silent | Flow::None => {}
        }
    }

    async fn post(&self, route: &str, body: &Value) -> Value {
        let (id, secret) = CONNECTOR;
        let request = self.http.post(format!("{}/voice/v1/{route}", self.base)).basic_auth(id, Some(secret));
        let request = request.header("content-type", "Application/JSON").body(body.to_string());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let mut answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(status, 200, "{route}: {answer}");
        answer["data"].take()
    }
}

/// The id of the VoiceCall, once it is known.
pub async fn id(voice: &Voice) -> String {
    voice.id.subscribe().wait_for(Option::is_some).await.unwrap().clone().unwrap()
}
