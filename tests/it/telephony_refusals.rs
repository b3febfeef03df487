//! What the telephony API refuses, and what the flow is told.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{OTHER_CERTIFICATE, Plan, Stage, create, omni_flow, reference, with};

#[actix_web::test]
async fn a_create_that_salesforce_complained_about_is_done_with_a_warning() {
    for stage in Stage::both().await {
        for (key, errors, warnings) in [
            ("wxcc_1", json!("Status: bad value"), json!(["Status: bad value"])),
            (
                "wxcc_2",
                json!(["a trigger failed", "and another"]),
                json!(["a trigger failed", "and another"]),
            ),
        ] {
            stage.script(BadDay::Complaint { errors }, Operation::Create);
            let reply = stage.post("createVoiceCall", create(key)).await;
            let id = stage.org.voice_call(key).unwrap().id;
            assert_eq!(reply.data(), &json!({ "voiceCallId": id, "warnings": warnings }));
        }
    }
}

#[actix_web::test]
async fn a_create_that_calls_its_id_by_the_older_name_is_understood() {
    let stage = Stage::telephony().await;
    let body = json!({ "voiceCallRecordId": "0LQ000000000001AAA" });
    stage.script(BadDay::Body { body }, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert_eq!(reply.data(), &json!({ "voiceCallId": "0LQ000000000001AAA" }));
}

#[actix_web::test]
async fn an_omni_flow_that_fails_with_200_is_a_refusal() {
    let nowhere = |plan: Plan| plan.org(|org| org.default_queue = None).start();
    for stage in [nowhere(Plan::telephony()).await, nowhere(Plan::apex()).await] {
        let id = stage.call("wxcc_1").await;
        let reply = stage.post("executeOmniFlow", omni_flow(&id)).await;
        assert!(reply.error(422).contains("the flow routed nowhere"), "{}", reply.text);
    }
}

#[actix_web::test]
async fn what_the_org_refuses_is_told_in_its_own_words() {
    let stage = Stage::telephony().await;
    let reply = stage.post("createVoiceCall", with(create("wxcc_1"), json!({ "callOrigin": "Moon" }))).await;
    assert!(reply.error(422).contains("callOrigin: must be one of Preview, Progressive, Voicemail"));
    let reply = stage.post("executeOmniFlow", omni_flow("0LQ000000000001AAA")).await;
    assert!(reply.error(422).contains("no VoiceCall with this id or vendorCallKey"));
    assert_eq!(stage.refusals().len(), 2);
}

#[actix_web::test]
async fn a_limit_gives_503_and_passes_the_pause_on() {
    for (retry_after, told) in [(Some(7), "7"), (None, "1")] {
        for stage in Stage::both().await {
            stage.script(BadDay::TooMany { retry_after }, Operation::Create);
            let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
            reply.error(503);
            assert_eq!(reply.header("retry-after"), told);
            let next = stage.post("createVoiceCall", create("wxcc_2")).await;
            assert!(next.error(503).contains("no more creates"), "the pause is kept without asking again");
        }
    }
}

#[actix_web::test]
async fn the_51st_create_of_a_second_is_told_to_come_again() {
    let stage = Plan::telephony().org(|org| org.creates_per_second = Some(2)).start().await;
    stage.call("wxcc_1").await;
    stage.call("wxcc_2").await;
    let reply = stage.post("createVoiceCall", create("wxcc_3")).await;
    assert!(reply.error(503).contains("VoiceCalls created in a second"));
    assert_eq!(stage.refusals()[0].status, 429);
}

#[actix_web::test]
async fn a_token_that_is_refused_once_is_replaced_at_once() {
    for status in [401, 403] {
        let stage = Stage::telephony().await;
        stage.call("wxcc_1").await;
        stage.wait_seconds(60);
        let body = json!([{ "message": "expired", "errorCode": "INVALID_AUTH_TOKEN" }]);
        stage.script_answer(status, body, Operation::Update);
        stage.post("updateVoiceCall", reference("wxcc_1")).await.data();
        let tokens: Vec<_> = stage.org.requests().into_iter().map(|request| request.token.unwrap()).collect();
        assert_eq!(tokens.len(), 3);
        assert_eq!(tokens[0], tokens[1], "the refused token is the one that had served before");
        assert_ne!(tokens[1], tokens[2], "and another was signed for the second try");
    }
}

#[actix_web::test]
async fn a_token_that_is_refused_twice_is_a_fault_of_the_set_up() {
    let stage = Stage::telephony().await;
    stage.script_times(BadDay::Unauthorized, 2, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    let error = reply.error(424);
    assert!(
        error.contains("INVALID_SESSION_ID") && error.contains("Telephony Integration Certificate"),
        "{error}"
    );
    assert_eq!(reply.header("retry-after"), "");
    assert_eq!(stage.asked(Operation::Create).len(), 2, "never more than two tries");
}

#[actix_web::test]
async fn a_certificate_that_the_org_does_not_know_is_a_fault_of_the_set_up() {
    let stage = Plan::telephony().certificate(OTHER_CERTIFICATE).start().await;
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert!(
        reply.error(424).contains("does not fit the Telephony Integration Certificate"),
        "{}",
        reply.text
    );
    assert_eq!(stage.refusals().len(), 2);
}

#[actix_web::test]
async fn a_wrong_address_is_a_fault_of_the_set_up() {
    let stage = Stage::telephony().await;
    let body = json!([{ "message": "Could not find a match for URL", "errorCode": "NOT_FOUND" }]);
    stage.script_answer(404, body, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert!(reply.error(424).contains("is telephony_url right?"));
}

#[actix_web::test]
async fn a_locked_row_or_a_used_up_limit_is_worth_another_try() {
    let refusals = [
        (400, "UNABLE_TO_LOCK_ROW"),
        (422, "UNABLE_TO_LOCK_ROW"),
        (403, "REQUEST_LIMIT_EXCEEDED"),
        (500, "SERVER_UNAVAILABLE"),
    ];
    for stage in Stage::both().await {
        stage.call("wxcc_1").await;
        for (status, code) in refusals {
            for (in_code, in_message) in [(code, "later"), ("UNKNOWN_EXCEPTION", code)] {
                let body = json!([{ "message": in_message, "errorCode": in_code }]);
                stage.script_answer(status, body, Operation::OmniFlow);
                let reply = stage.post("executeOmniFlow", omni_flow("wxcc_1")).await;
                assert!(reply.error(503).contains(code), "{status} {code}: {}", reply.text);
                assert_eq!(reply.header("retry-after"), "1");
            }
        }
    }
}

#[actix_web::test]
async fn a_create_that_failed_is_not_repeated_by_the_bridge() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Unavailable { retry_after: Some(3) }, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    reply.error(503);
    assert_eq!(reply.header("retry-after"), "3");
    assert_eq!(stage.asked(Operation::Create).len(), 1);
}
