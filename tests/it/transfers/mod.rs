//! Calls that an agent gives to another flow: each flow run has a VoiceCall of its own, and its own end.

mod creates;
mod cut;
mod ends;
mod events;
mod failures;

use scv_bridge::mock::VoiceCall;
use serde_json::{Value, json};

use crate::stage::{CENTER, Plan, Stage, create, ended, with};

/// When the second flow run began; the first began at 10:00, and the agent accepted at 10:01.
const SECOND: &str = "2026-11-21T10:03:00.500Z";
const THIRD: &str = "2026-11-21T10:06:00Z";
const AGENT: &str = "7d6a";

/// The create of a later flow run.
fn later(key: &str, start: &str) -> Value {
    with(create(key), json!({ "startTime": start }))
}

/// What a flow tells when an agent accepts.
fn answered(key: &str, at: &str, agent: &str) -> Value {
    json!({ "callCenterDevName": CENTER, "vendorCallKey": key, "acceptTime": at, "agentId": agent })
}

/// Sends a create and tells the id.
async fn created(stage: &Stage, body: Value) -> String {
    stage.post("createVoiceCall", body).await.data()["voiceCallId"].as_str().unwrap().to_owned()
}

/// A call that an agent has taken; its id.
async fn taken(stage: &Stage, key: &str) -> String {
    let id = stage.call(key).await;
    assert!(stage.org.agent_accepts(&id, "agent@example.com"));
    stage.post("agentAnswered", answered(key, "2026-11-21T10:01:00Z", AGENT)).await.data();
    id
}

/// The hang-up, as the second flow run reports it.
fn hang_up(agent: &str) -> Value {
    let times = json!({ "startTime": SECOND, "endTime": "2026-11-21T10:04:00Z", "agentId": agent });
    with(ended("wxcc_1"), times)
}

/// A record of the org.
fn record(stage: &Stage, id: &str) -> VoiceCall {
    stage.org.voice_call(id).unwrap()
}

fn assert_continues(stage: &Stage, id: &str, parent: &str) {
    let call = record(stage, id);
    assert_eq!(call.call_type.as_deref(), Some("Transfer"));
    assert_eq!(call.previous_call_id.as_deref(), Some(parent));
}

/// Both ways to Salesforce.
async fn both(center: &str) -> [Stage; 2] {
    [Plan::telephony().center(center).start().await, Plan::apex().center(center).start().await]
}
