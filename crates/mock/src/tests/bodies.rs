use serde_json::{Value, json};

use super::{CENTER, Caller, create_body, with};

/// Creates with `field` changed and tells the reasons of the refusal.
async fn create_problem(caller: &Caller, field: &str, value: Value) -> String {
    let (status, body) = caller.post("/voiceCalls", &with(create_body("wxcc_1"), field, value)).await;
    assert_eq!(status, 400, "{field}: {body}");
    body["message"].as_str().unwrap().to_owned()
}

async fn update_problem(caller: &Caller, body: Value) -> String {
    let (status, answer) = caller.patch("/voiceCalls/wxcc_1", &body).await;
    assert_eq!(status, 400, "{body}: {answer}");
    answer["message"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_create_needs_its_fields_in_their_types() {
    let caller = Caller::new().await;
    for (field, value, problem) in [
        ("callCenterApiName", Value::Null, "callCenterApiName: required"),
        ("callCenterApiName", json!("Sandbox"), "callCenterApiName: must be the contact center of the token"),
        ("vendorCallKey", json!(""), "vendorCallKey: must not be empty"),
        ("vendorCallKey", json!(12), "vendorCallKey: must be a string, not a number"),
        ("to", Value::Null, "to: required"),
        ("from", Value::Null, "from: required"),
        ("initiationMethod", Value::Null, "initiationMethod: required"),
        ("initiationMethod", json!("INBOUND"), "initiationMethod: must be one of Inbound, Transfer"),
        ("initiationMethod", json!("Transfer"), "parentVoiceCallId: required with initiationMethod Transfer"),
        ("parentVoiceCallId", json!("k"), "parentVoiceCallId: only with initiationMethod Transfer"),
        ("participants", Value::Null, "participants: required"),
        ("participants", json!([]), "participants: must be an array with at least one participant"),
        ("participants", json!(["x"]), "participants[0]: must be an object"),
        (
            "participants",
            json!([{ "participantKey": "", "type": "AGENT" }]),
            "participants[0].participantKey: must be a string that is not empty; participants[0].type: must be END_USER",
        ),
        ("callOrigin", json!("Web"), "callOrigin: must be one of Preview, Progressive, Voicemail"),
        ("callSubtype", json!("SIP"), "callSubtype: must be one of PSTN, WebRTC"),
        ("callAttributes", json!({}), "callAttributes: must be a string that holds JSON, not an object"),
        ("callAttributes", json!("{\"a\""), "callAttributes: is not JSON"),
        ("callAttributes", json!("[]"), "callAttributes: must hold a JSON object, not an array"),
        ("callCenterDevName", json!(CENTER), "callCenterDevName: no field of the telephony API"),
        ("certDevName", json!("WebexCCSCV"), "certDevName: no field of the telephony API"),
    ] {
        assert_eq!(create_problem(&caller, field, value).await, problem);
    }
    assert!(
        create_problem(&caller, "startTime", json!("2026-11-21T10:00:00.123Z[UTC]"))
            .await
            .starts_with("startTime")
    );
    assert_eq!(caller.org.voice_calls(), []);
}

#[actix_web::test]
async fn all_problems_of_a_body_are_refused_at_once_and_none_repeats_a_number() {
    let caller = Caller::new().await;
    let (_, answer) = caller.post("/voiceCalls", &json!({ "to": 14_693_150_217_u64, "from": "" })).await;
    assert_eq!(answer["errors"].as_array().unwrap().len(), 7, "{answer}");
    assert!(!answer.to_string().contains("14693150217"));
}

#[actix_web::test]
async fn unknown_fields_are_accepted() {
    let caller = Caller::new().await;
    let body = with(create_body("wxcc_1"), "somethingNew", json!({ "deep": [1] }));
    assert_eq!(caller.post("/voiceCalls", &body).await.0, 201);
}

#[actix_web::test]
async fn an_update_needs_the_right_types() {
    let caller = Caller::new().await;
    caller.create("wxcc_1").await;
    let reason = "disconnectReason.isError: must be true or false";
    for (body, problem) in [
        (json!({ "disconnectReason": "gone" }), "disconnectReason: must be an object with value and isError"),
        (json!({ "disconnectReason": { "value": "gone" } }), reason),
        (json!({ "disconnectReason": { "value": "gone", "isError": "true" } }), reason),
        (
            json!({ "disconnectReason": { "isError": true } }),
            "disconnectReason.value: must be a string that is not empty",
        ),
        (
            json!({ "totalHoldDuration": -1 }),
            "totalHoldDuration: must be a whole number, 0 or more, not a number",
        ),
        (json!({ "numberOfHolds": 1.5 }), "numberOfHolds: must be a whole number, 0 or more, not a fraction"),
        (
            json!({ "longestHoldDuration": "3" }),
            "longestHoldDuration: must be a whole number, 0 or more, not a string",
        ),
        (
            json!({ "totalRecordingDuration": 3 }),
            "recordingLocation: required with a recording or interaction duration",
        ),
        (
            json!({ "agentInteractionDuration": 3 }),
            "recordingLocation: required with a recording or interaction duration",
        ),
        (json!({ "isActiveCall": "true" }), "isActiveCall: must be true or false, not a string"),
        (
            json!({ "startTime": "2026-11-21T10:00:01Z", "endTime": "2026-11-21T10:00:00Z" }),
            "endTime: before startTime",
        ),
        (json!({ "voiceCallId": "wxcc_1" }), "voiceCallId: no field of the telephony API"),
        (json!({ "certDevName": null }), "certDevName: no field of the telephony API"),
        (json!([]), "body: must be an object, not an array"),
    ] {
        assert_eq!(update_problem(&caller, body).await, problem);
    }
    assert_eq!(caller.org.voice_call("wxcc_1").unwrap().updates, 0);
}

#[actix_web::test]
async fn an_omni_flow_needs_a_dialed_number_and_an_object_of_parameters() {
    let caller = Caller::new().await;
    caller.create("wxcc_1").await;
    let body = json!({ "flowInputParameters": "{}" });
    let (status, answer) = caller.patch("/voiceCalls/wxcc_1/omniFlow", &body).await;
    assert_eq!(status, 400);
    let problems = ["dialedNumber: required", "flowInputParameters: must be an object, not a string"];
    assert_eq!(answer["errors"], json!(problems));
}

#[actix_web::test]
async fn what_is_not_json_is_refused_with_its_place() {
    let caller = Caller::new().await;
    let request = caller.request(reqwest::Method::POST, "/voiceCalls").body("{\"to\": }");
    let (status, answer) = super::answered(request).await;
    assert_eq!((status, answer["message"].as_str().unwrap()), (400, "body: not JSON at line 1 column 8"));
}
