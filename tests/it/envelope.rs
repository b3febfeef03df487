//! What is true of every answer: a whole envelope, small, without numbers and secrets, under an id.

use reqwest::Method;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use crate::stage::{CANARIES, RESTRICTED, Reply, Stage, create, reference, with};

#[actix_web::test]
async fn numbers_and_tokens_in_salesforces_own_words_are_hidden() {
    let spoken = "Duplicate 4693150217, +1 (469) 315-0217 and +1 469 315 0217 for Bearer eyJhbGciOiJSUzI1NiJ9.e30.c2ln";
    for stage in Stage::both().await {
        for body in [
            json!([{ "message": spoken, "errorCode": "DUPLICATE" }]),
            json!({ "errors": [spoken, spoken] }),
            json!({ "message": spoken }),
            json!(spoken),
        ] {
            stage.script_answer(400, body, Operation::Create);
            let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
            let error = reply.error(422);
            assert!(error.contains("(number hidden)") && error.contains("(token hidden)"), "{error}");
        }
    }
}

#[actix_web::test]
async fn a_name_that_is_a_number_is_not_repeated_to_a_client_that_may_not_use_it() {
    let stage = Stage::telephony().await;
    let (id, secret) = RESTRICTED;
    let body = with(create("wxcc_1"), json!({ "callCenterDevName": "+14693150217" }));
    let request = stage.request(Method::POST, "/voice/v1/createVoiceCall").basic_auth(id, Some(secret));
    assert!(Reply::of(request.body(body.to_string())).await.error(403).contains("(number hidden)"));
}

#[actix_web::test]
async fn numbers_in_a_warning_are_hidden_too() {
    let stage = Stage::telephony().await;
    let errors = json!("trigger failed for +1 469 315 0217");
    stage.script(BadDay::Complaint { errors }, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert_eq!(reply.data()["warnings"], json!(["trigger failed for (number hidden)"]));
}

#[actix_web::test]
async fn a_novel_of_salesforce_is_cut_to_under_one_kilobyte() {
    let stage = Stage::telephony().await;
    for text in ["Ünable to do it. ".repeat(3000), "\"\\\n\u{1}".repeat(3000), "日本語".repeat(5000)] {
        stage.script_answer(400, json!({ "errors": [text.clone(), text] }), Operation::Create);
        stage.post("createVoiceCall", create("wxcc_1")).await.error(422);
    }
}

#[actix_web::test]
async fn a_body_full_of_problems_is_answered_with_under_one_kilobyte() {
    let stage = Stage::telephony().await;
    let participants: Vec<_> = (0..200).map(|_| json!({ "participantKey": 4_693_150_217_u64 })).collect();
    let body = with(create("wxcc_1"), json!({ "participants": participants }));
    let reply = stage.post("createVoiceCall", body).await;
    let errors = reply.errors(400);
    assert_eq!(errors[0], "participants[0].participantKey: expected text, got a number");
    assert!(errors.last().unwrap().starts_with("and "), "{errors:?}");
}

#[actix_web::test]
async fn what_the_caller_got_wrong_is_not_repeated_to_agents() {
    let stage = Stage::telephony().await;
    let number = "+14693150217";
    for wrong in [
        json!({ "initiationMethod": number }),
        json!({ "startTime": number }),
        json!({ "callAttributes": number }),
        json!({ "participants": number }),
        json!({ "certDevName": number }),
        json!({ "callCenterDevName": number }),
        json!({ "vendorCallKey": null, "interactionId": { "number": number } }),
    ] {
        let reply = stage.post("createVoiceCall", with(create("wxcc_1"), wrong.clone())).await;
        reply.errors(400);
    }
    let reply = stage.post("createVoiceCall", format!("{{\"from\": {number}}}")).await;
    reply.error(400);
}

#[actix_web::test]
async fn the_id_of_a_request_comes_back() {
    let stage = Stage::telephony().await;
    for id in ["7b3c", "a-b_c.d:e", &"x".repeat(64)] {
        let reply =
            Reply::of(stage.flow("createVoiceCall", create("wxcc_1")).header("x-request-id", id)).await;
        reply.data();
        assert_eq!(reply.header("x-request-id"), id);
    }
}

#[actix_web::test]
async fn a_request_without_a_sound_id_gets_one() {
    let stage = Stage::telephony().await;
    let mut seen = Vec::new();
    for id in ["", "with space", "<script>", &"x".repeat(65)] {
        let reply = Reply::of(stage.flow("createVoiceCall", "{").header("x-request-id", id)).await;
        reply.error(400);
        let given = reply.header("x-request-id").to_owned();
        assert!(given.len() == 16 && given.bytes().all(|byte| byte.is_ascii_hexdigit()), "{given}");
        assert!(!seen.contains(&given));
        seen.push(given);
    }
}

#[actix_web::test]
async fn every_answer_has_an_id_also_where_there_is_no_route() {
    let stage = Stage::telephony().await;
    for path in ["/nowhere", "/livez", "/voice/v1/createVoiceCall"] {
        let reply = Reply::of(stage.request(Method::GET, path)).await;
        assert_eq!(reply.header("x-request-id").len(), 16, "{path}");
    }
}

#[actix_web::test]
async fn no_answer_of_a_whole_call_tells_a_number() {
    let stage = Stage::telephony().await;
    let created = stage.post("createVoiceCall", create("wxcc_1")).await;
    let updated = stage
        .post("updateVoiceCall", with(reference("wxcc_1"), json!({ "fromNumber": "+14693150217" })))
        .await;
    for reply in [created, updated] {
        assert_ne!(reply.data(), &Value::Null);
        assert!(CANARIES.iter().all(|canary| !reply.text.contains(canary)), "{}", reply.text);
    }
}
