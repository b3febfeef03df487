//! Whatever a flow sends, the bridge answers in its envelope and stands.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use crate::stage::{Stage, create, ended, omni_flow, reference, with};

/// The names that mean something, so that not every body fails at the first.
const NAMES: [&str; 27] = [
    "acceptTime",
    "agent",
    "agentId",
    "aFieldOfTomorrow",
    "callAttributes",
    "callCenterApiName",
    "callOrigin",
    "dialedNumber",
    "disconnectReason",
    "endTime",
    "flowInputParameters",
    "from",
    "fromNumber",
    "initiationMethod",
    "interactionId",
    "isActiveCall",
    "numberOfHolds",
    "parentInteractionId",
    "parentVoiceCallId",
    "participantKey",
    "participants",
    "queue",
    "startTime",
    "to",
    "totalRecordingDuration",
    "vendorCallKey",
    "voiceCallId",
];

/// Texts that are right somewhere.
const WORDS: [&str; 11] = [
    "",
    "Inbound",
    "Transfer",
    "END_USER",
    "true",
    "12",
    "+14693150217",
    "2026-11-21T10:00:00Z",
    "wxcc_1",
    "{}",
    "{\"a\":1}",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(&WORDS[..]).prop_map(Value::from),
        "\\PC{0,40}".prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            fields(inner).prop_map(Value::Object),
        ]
    })
}

fn fields(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    let name = prop_oneof![4 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned), 1 => ".{0,12}"];
    proptest::collection::vec((name, values), 0..6).prop_map(Map::from_iter)
}

/// A body that was right, with some fields replaced; now and then something else altogether.
fn any_request() -> impl Strategy<Value = (&'static str, Value)> {
    let answered = json!({ "callCenterDevName": "WxCCContactCenterSCV", "vendorCallKey": "wxcc_1" });
    let right = [
        ("createVoiceCall", create("wxcc_1")),
        ("updateVoiceCall", reference("wxcc_1")),
        ("executeOmniFlow", omni_flow("wxcc_1")),
        ("clearRouting", reference("wxcc_1")),
        ("phoneContactEnded", ended("wxcc_1")),
        ("agentAnswered", answered),
    ];
    let changes = prop_oneof![6 => fields(any_value()).prop_map(Value::Object), 1 => any_value()];
    (proptest::sample::select(right.to_vec()), changes).prop_map(|((route, body), changes)| match changes {
        Value::Object(_) => (route, with(body, changes)),
        other => (route, other),
    })
}

#[test]
fn no_body_makes_the_bridge_fail() {
    let system = actix_web::rt::System::new();
    let stage = system.block_on(async {
        let stage = Stage::telephony().await;
        stage.call("wxcc_1").await;
        stage
    });
    let mut runner = TestRunner::new(Config { cases: 256, failure_persistence: None, ..Config::default() });
    let result = runner.run(&any_request(), |(route, body)| {
        let reply = system.block_on(stage.post(route, body));
        match reply.status {
            200 => drop(reply.data()),
            // 422: what only Salesforce can judge, such as the type of a participant.
            status @ (400 | 422) => drop(reply.errors(status)),
            status => prop_assert!(false, "{status}: {}", reply.text),
        }
        Ok(())
    });
    system.block_on(async {
        let _looked_at = stage.refusals();
        drop(stage);
    });
    result.unwrap();
}
