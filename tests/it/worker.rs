//! The worker of the outbox: what one org does not take keeps no other org waiting.

use scv_bridge::domain::CallCenterName;
use scv_bridge::mock::{BadDay, Operation};
use scv_bridge::store::EntryState;
use scv_bridge::store::{Entry, Filter};
use serde_json::{Value, json};
use sqlx::Executor as _;

use crate::stage::{CENTER, Plan, Stage, create, reference, silence, with};

/// The same request for the contact center whose Salesforce is well.
fn sandbox(body: Value) -> Value {
    with(body, json!({ "callCenterDevName": "Sandbox" }))
}

async fn entries(stage: &Stage, call_center: &str) -> Vec<Entry> {
    let call_center = Some(CallCenterName::parse(call_center).unwrap());
    let filter = Filter { call_center, ..Filter::default() };
    stage.handle.outbox().store().list(&filter).await.unwrap()
}

#[actix_web::test]
async fn an_org_that_never_answers_holds_up_its_own_entries_only() {
    let (_listener, url) = silence().await;
    let plan = Plan::telephony().salesforce_at(url).deadline("300ms");
    // The contact centers of this stage are of one org, and so share a breaker.
    let sections = "[outbox]\nconcurrency = 2\n[breaker]\nfailures = 1000\nslow_calls = 1000";
    let stage = plan.sections(sections).start().await;
    let id = stage.post("createVoiceCall", sandbox(create("wxcc_1"))).await;
    let id = id.data()["voiceCallId"].as_str().unwrap().to_owned();
    for n in 0..5 {
        let update = with(reference(&format!("wxcc_hangs-{n}")), json!({ "isActiveCall": true }));
        assert_eq!(stage.post("updateVoiceCall", update).await.data()["status"], "pending");
    }
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Update);
    stage.post("updateVoiceCall", sandbox(reference(&id))).await.data();
    stage.wait_seconds(2);
    let hanging = async || entries(&stage, CENTER).await.iter().filter(|e| e.lease_until.is_some()).count();
    stage.work_until(async || hanging().await == 2).await;
    stage.work_until(async || entries(&stage, "Sandbox").await.is_empty()).await;
    assert_eq!(stage.org.voice_call(&id).unwrap().updates, 1);
    let left = entries(&stage, CENTER).await;
    assert!(left.iter().all(|entry| entry.attempts == 1), "the first of them is still being tried");
    assert_eq!(hanging().await, 2, "as many at once as there are places");
}

#[actix_web::test]
async fn an_entry_whose_body_is_no_request_is_buried_and_the_others_are_sent() {
    let stage = Stage::telephony().await;
    let mut calls = Vec::new();
    for key in ["wxcc_1", "wxcc_2"] {
        calls.push(stage.call(key).await);
    }
    for id in &calls {
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::ClearRouting);
        stage.post("clearRouting", reference(id)).await.data();
    }
    stage.beside().await.execute("UPDATE outbox SET body = '{' WHERE id = 1").await.unwrap();
    stage.deliver(2).await;
    let left = stage.entries().await;
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!((left[0].state, left[0].reason.as_deref()), (EntryState::Buried, Some("it cannot be read")));
    assert_eq!(stage.asked(Operation::ClearRouting).len(), 3);
}
