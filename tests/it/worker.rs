//! The worker of the outbox: what one org does not take keeps no other org waiting.

use scv_bridge::domain::CallCenterName;
use std::time::Duration;

use scv_bridge::mock::{BadDay, Disposition, Operation};
use scv_bridge::store::EntryState;
use scv_bridge::store::{Entry, Filter};
use serde_json::{Value, json};
use sqlx::Executor as _;

use crate::stage::{CENTER, Plan, Stage, create, ended, reference, silence, with};

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

/// A hang-up that Salesforce did not take.
async fn put_off(stage: &Stage, key: &str) {
    stage.call(key).await;
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script(BadDay::Unavailable { retry_after: None }, operation);
    }
    assert_eq!(stage.post("phoneContactEnded", ended(key)).await.data()["status"], "pending");
}

#[actix_web::test]
async fn what_waits_is_sent_at_once_when_the_clock_is_set_back() {
    let stage = Stage::telephony().await;
    put_off(&stage, "wxcc_1").await;
    stage.handle.worker().step().await.unwrap();
    stage.clock.set_back(Duration::from_secs(7200));
    stage.deliver(1).await;
    assert_eq!(stage.org.voice_call("wxcc_1").unwrap().call_disposition, Disposition::Completed);
}

#[actix_web::test]
async fn what_a_dead_process_has_leased_is_sent_at_once_after_a_start_with_a_clock_that_was_set_back() {
    let stage = Stage::telephony().await;
    put_off(&stage, "wxcc_1").await;
    let dead = "UPDATE outbox SET lease_owner = 'dead', lease_until = next_at + 30000";
    stage.beside().await.execute(dead).await.unwrap();
    // The first step is that of a start.
    stage.clock.set_back(Duration::from_secs(7200));
    stage.deliver(0).await;
    assert_eq!(stage.org.voice_call("wxcc_1").unwrap().call_disposition, Disposition::Completed);
}

#[actix_web::test]
async fn nothing_is_buried_because_the_clock_jumped_forward() {
    let stage = Stage::telephony().await;
    put_off(&stage, "wxcc_1").await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::ClearRouting);
    stage.wait_seconds(80 * 3600);
    let entries = async || stage.entries().await;
    stage.work_until(async || entries().await[0].attempts == 2).await;
    assert!(entries().await.iter().all(|entry| entry.state == EntryState::Pending));
    stage.deliver(3600).await;
    assert_eq!(stage.org.voice_call("wxcc_1").unwrap().call_disposition, Disposition::Completed);
}

#[actix_web::test]
async fn what_the_set_up_keeps_from_being_asked_is_tried_as_often_and_not_given_up_when_the_clock_jumps() {
    let stage = Stage::telephony().await;
    let body = sandbox(create("wxcc_1"));
    let id = stage.post("createVoiceCall", body).await.data()["voiceCallId"].as_str().unwrap().to_owned();
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Update);
    stage
        .post("updateVoiceCall", sandbox(with(reference(&id), json!({ "isActiveCall": true }))))
        .await
        .data();
    let settled = async || entries(&stage, "Sandbox").await.iter().all(|entry| entry.lease_until.is_none());
    stage.work_until(settled).await;
    stage.change("Sandbox", "Sandbox2").await;
    let asked = stage.asked(Operation::Update).len();
    let mut due = entries(&stage, "Sandbox").await[0].next_at;
    for (attempts, seconds) in [(2, 2), (3, 30), (4, 80 * 3600)] {
        stage.wait_seconds(seconds);
        stage.work_until(async || entries(&stage, "Sandbox").await[0].next_at > due).await;
        let entry = entries(&stage, "Sandbox").await.remove(0);
        assert_eq!((entry.attempts, entry.state), (attempts, EntryState::Pending));
        let words = entry.last_words.unwrap();
        assert!(words.contains("no contact center Sandbox is configured any more"), "{words}");
        due = entry.next_at;
    }
    assert_eq!(stage.asked(Operation::Update).len(), asked);
}
