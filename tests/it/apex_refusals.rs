//! What the Apex wrapper refuses, and what the flow is told.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use crate::stage::{Stage, create, omni_flow, reference, with};

fn said(code: &str, message: &str) -> Value {
    json!([{ "message": message, "errorCode": code }])
}

#[actix_web::test]
async fn an_uncaught_exception_is_tried_again_only_where_that_does_no_harm() {
    let stage = Stage::apex().await;
    let (id, other) = (stage.call("wxcc_1").await, stage.call("wxcc_3").await);
    for (operation, route, body, status) in [
        (Operation::Create, "createVoiceCall", create("wxcc_2"), 422),
        (Operation::OmniFlow, "executeOmniFlow", omni_flow(&id), 422),
        (Operation::ClearRouting, "clearRouting", reference(&id), 200),
        (Operation::Update, "updateVoiceCall", reference(&other), 200),
    ] {
        stage.script_answer(500, said("APEX_ERROR", "System.NullPointerException"), operation);
        let reply = stage.post(route, body).await;
        match status {
            200 => assert_eq!(reply.data()["status"], "pending", "{route}"),
            _ => assert!(
                reply.error(status).contains("System.NullPointerException"),
                "{route}: {}",
                reply.text
            ),
        }
    }
    stage.deliver(2).await;
    assert_eq!((stage.asked(Operation::Update).len(), stage.asked(Operation::ClearRouting).len()), (2, 2));
}

#[actix_web::test]
async fn a_missing_package_is_a_fault_of_the_set_up() {
    let stage = Stage::apex().await;
    stage.script_answer(404, said("NOT_FOUND", "Could not find a match for URL"), Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    let error = reply.error(424);
    assert!(error.contains("path_prefix") && error.contains("ServiceRouting"), "{error}");
}

#[actix_web::test]
async fn a_refusal_of_the_wrapper_is_told_in_its_own_words() {
    let stage = Stage::apex().await;
    let reply =
        stage.post("createVoiceCall", with(create("wxcc_1"), json!({ "certDevName": "Unknown" }))).await;
    assert!(reply.error(422).contains("certDevName: no certificate with this name"), "{}", reply.text);
    assert_eq!(stage.refusals().len(), 1);
}

#[actix_web::test]
async fn a_failure_in_an_envelope_with_200_is_a_failure() {
    let stage = Stage::apex().await;
    for (operation, route) in [
        (Operation::Create, "createVoiceCall"),
        (Operation::Update, "updateVoiceCall"),
        (Operation::OmniFlow, "executeOmniFlow"),
        (Operation::ClearRouting, "clearRouting"),
    ] {
        let body = json!({ "data": null, "errors": ["it did not work"], "success": false });
        stage.script(BadDay::Body { body }, operation);
        let asked = match operation {
            Operation::Create => create("wxcc_1"),
            _ => omni_flow("wxcc_1"),
        };
        let reply = stage.post(route, asked).await;
        assert_eq!(reply.error(422), "Salesforce refused: it did not work", "{route}");
    }
}

#[actix_web::test]
async fn a_locked_row_in_an_envelope_with_200_is_worth_another_try() {
    let stage = Stage::apex().await;
    let errors = ["Update failed. UNABLE_TO_LOCK_ROW, unable to obtain exclusive access"];
    let body = json!({ "data": null, "errors": errors, "success": false });
    stage.script(BadDay::Body { body }, Operation::Update);
    let reply = stage.post("updateVoiceCall", reference("wxcc_1")).await;
    assert_eq!(reply.data()["status"], "pending");
    stage.deliver(2).await;
    assert_eq!(stage.asked(Operation::Update).len(), 2);
}

#[actix_web::test]
async fn a_session_that_is_refused_once_is_replaced_at_once() {
    let stage = Stage::apex().await;
    stage.call("wxcc_1").await;
    stage.script(BadDay::Unauthorized, Operation::Update);
    stage.post("updateVoiceCall", reference("wxcc_1")).await.data();
    assert_eq!(stage.asked(Operation::Token).len(), 2);
    let updates = stage.asked(Operation::Update);
    assert_eq!(updates.len(), 2);
    assert_ne!(updates[0].token, updates[1].token);
}

#[actix_web::test]
async fn a_session_that_is_refused_twice_is_a_fault_of_the_set_up() {
    let stage = Stage::apex().await;
    stage.script_times(BadDay::Unauthorized, 2, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    let error = reply.error(424);
    assert!(error.contains("INVALID_SESSION_ID") && error.contains("login_url"), "{error}");
    assert_eq!(stage.asked(Operation::Create).len(), 2, "never more than two tries");
    assert_eq!(stage.asked(Operation::Token).len(), 2);
}

#[actix_web::test]
async fn a_user_without_rights_is_a_fault_of_the_set_up() {
    let stage = Stage::apex().await;
    let body = said("API_DISABLED_FOR_ORG", "API is not enabled for this user");
    stage.script_times(BadDay::Forbidden { body }, 2, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert!(reply.error(424).contains("may the user use the API"), "{}", reply.text);
}
