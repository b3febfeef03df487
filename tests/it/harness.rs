//! The stage itself: a test that overlooks something must fail.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{Stage, create, with};

#[actix_web::test]
#[should_panic(expected = "these bad days never came")]
async fn a_bad_day_that_never_came_fails_the_test() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Garbage, Operation::Update);
}

#[actix_web::test]
#[should_panic(expected = "the org refused")]
async fn a_refusal_that_nobody_looked_at_fails_the_test() {
    let stage = Stage::telephony().await;
    stage.post("createVoiceCall", with(create("wxcc_1"), json!({ "callOrigin": "Moon" }))).await.error(422);
}
