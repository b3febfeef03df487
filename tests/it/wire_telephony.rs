//! What the telephony API gets to see, to the byte: method, path, headers and body as the org recorded them.

use insta::assert_json_snapshot;
use scv_bridge::mock::Operation;
use serde_json::{Value, json};

use crate::stage::{Plan, Stage, create, omni_flow, reference, with};

#[actix_web::test]
async fn a_create_has_translated_numbers_utc_times_and_attributes_as_text() {
    let stage = Stage::telephony().await;
    let body = with(
        create("wxcc_1"),
        json!({
            "certDevName": "WebexCCSCV",
            "startTime": "2026-11-21T11:00:00.123456789+01:00[Europe/Berlin]",
            "participants": [
                { "participantKey": "tel:+1-469-315-0217;ext=1", "type": "END_USER", "label": "caller" },
            ],
            "callAttributes": { "Service__c": "New Lead", "Vip__c": true },
            "callSubtype": "PSTN",
            "callOrigin": "Preview",
            "aFieldOfTomorrow": { "kept": ["as", 1, null] },
        }),
    );
    stage.post("createVoiceCall", body).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::Create));
}

#[actix_web::test]
async fn a_transfer_names_its_parent_and_its_queue() {
    let stage = Stage::telephony().await;
    let parent = stage.call("wxcc_parent").await;
    stage.org.forget_requests();
    let transfer = json!({ "initiationMethod": "transfer", "parentVoiceCallId": parent, "queue": "Sales" });
    stage.post("createVoiceCall", with(create("wxcc_2"), transfer)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::Create));
}

#[actix_web::test]
async fn an_inbound_call_carries_neither_parent_nor_queue() {
    let stage = Stage::telephony().await;
    let more = json!({ "parentVoiceCallId": "wxcc_0", "queue": "Sales" });
    stage.post("createVoiceCall", with(create("wxcc_1"), more)).await.data();
    let body = &stage.sent(Operation::Create)[0];
    assert_eq!((body.get("parentVoiceCallId"), body.get("queue")), (None, None));
}

/// Every optional field of an update, as a flow that quotes everything sends it.
pub fn quoted_update(call: &str) -> Value {
    with(
        reference(call),
        json!({
            "certDevName": "WebexCCSCV",
            "startTime": "1795255200",
            "endTime": "1795255260123",
            "enqueueTime": 1_795_255_205,
            "acceptTime": 1_795_255_210_500_u64,
            "fromNumber": "+1 (469) 315-0217",
            "callOrigin": "Voicemail",
            "callAttributes": "{\"Language__c\": \"English\"}",
            "queue": "Sales",
            "agent": "agent@example.com",
            "numberOfHolds": "2",
            "agentInteractionDuration": "50",
            "longestHoldDuration": "7.0",
            "totalHoldDuration": 9,
            "totalRecordingDuration": " 40 ",
            "recordingLocation": "https://recordings.example.com/1",
            "disconnectReason": { "value": "Agent hung up", "isError": "FALSE" },
            "isActiveCall": "true",
            "aFieldOfTomorrow": "kept",
        }),
    )
}

#[actix_web::test]
async fn an_update_carries_quoted_values_as_what_they_are() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    stage.post("updateVoiceCall", quoted_update(&id)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::Update));
}

#[actix_web::test]
async fn an_omni_flow_carries_its_parameters_and_a_translated_number() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    let more = json!({
        "certDevName": "WebexCCSCV",
        "flowDevName": "WxCC_Routing_Flow",
        "fallbackQueue": "Sales",
        "flowInputParameters": { "language": "EN", "depth": { "kept": 1 } },
    });
    stage.post("executeOmniFlow", with(omni_flow(&id), more)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::OmniFlow));
}

#[actix_web::test]
async fn a_clear_routing_has_no_body_and_yet_a_content_type() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    stage.post("clearRouting", reference(&id)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::ClearRouting));
}

#[actix_web::test]
async fn a_key_with_any_characters_is_one_segment_of_the_path() {
    let stage = Stage::telephony().await;
    let key = "wxcc_a/b c?#ü%2F";
    stage.call(key).await;
    stage.post("executeOmniFlow", omni_flow(key)).await.data();
    stage.post("clearRouting", reference(key)).await.data();
    stage.post("updateVoiceCall", reference(key)).await.data();
    let paths: Vec<_> = stage.org.requests().into_iter().skip(1).map(|request| request.path).collect();
    let base = "/telephony/v1/voiceCalls/wxcc_a%2Fb%20c%3F%23%C3%BC%252F";
    assert_eq!(paths, [format!("{base}/omniFlow"), format!("{base}/clearRouting"), base.to_owned()]);
    assert_eq!(stage.org.voice_call(key).unwrap().updates, 1);
}

#[actix_web::test]
async fn names_of_the_wrapper_never_reach_a_telephony_body() {
    let stage = Stage::telephony().await;
    let names = json!({ "certDevName": "WebexCCSCV" });
    let id = stage.call("wxcc_1").await;
    for (route, body) in [
        ("createVoiceCall", create("wxcc_2")),
        ("executeOmniFlow", omni_flow(&id)),
        ("clearRouting", reference(&id)),
        ("updateVoiceCall", reference(&id)),
    ] {
        stage.post(route, with(body, names.clone())).await.data();
    }
    for request in stage.org.requests() {
        let body = request.body.unwrap_or_default();
        for name in ["callCenterDevName", "certDevName", "voiceCallId"] {
            assert_eq!(body.get(name), None, "{} {}", request.method, request.path);
        }
    }
}

#[actix_web::test]
async fn only_end_users_among_the_participants_are_translated() {
    // The org takes END_USER only, so it is a server that says yes to everything.
    let answer = "HTTP/1.1 201 Created\r\ncontent-length: 29\r\n\r\n{\"voiceCallId\":\"0LQ000000001\"}";
    let (address, seen) = crate::stage::answer_once(answer.to_owned()).await;
    let stage = Plan::telephony().salesforce_at(format!("http://{address}/telephony/v1")).start().await;
    let people = json!({ "participants": [
        { "participantKey": "+14693150217", "type": "END_USER" },
        { "participantKey": "+14693150217", "type": "AGENT" },
        { "participantKey": "anonymous", "type": "END_USER" },
    ] });
    stage.post("createVoiceCall", with(create("wxcc_1"), people)).await;
    let request = seen.await.unwrap();
    let body: Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let keys: Vec<_> =
        body["participants"].as_array().unwrap().iter().map(|one| &one["participantKey"]).collect();
    assert_eq!(keys, ["(469) 315-0217", "+14693150217", "anonymous"]);
}

#[actix_web::test]
async fn what_the_bridge_says_itself_cannot_be_said_by_the_flow() {
    let stage = Stage::telephony().await;
    stage
        .post("createVoiceCall", with(create("wxcc_1"), json!({ "callCenterApiName": "Sandbox" })))
        .await
        .data();
    assert_eq!(stage.sent(Operation::Create)[0]["callCenterApiName"], "WxCCContactCenterSCV");
}
