//! Bodies that nobody can serve: every problem is told, by field, in words for a flow designer.

use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};

use crate::stage::{Plan, Reply, Stage, Text, create, ended, omni_flow, reference, with};

/// What is wrong with a body.
async fn problems(stage: &Stage, route: &str, body: impl Into<Text>) -> Vec<String> {
    stage.post(route, body).await.errors(400).into_iter().map(str::to_owned).collect()
}

/// A create with these fields changed has this one problem.
async fn create_has(stage: &Stage, change: Value, problem: &str) {
    assert_eq!(problems(stage, "createVoiceCall", with(create("wxcc_1"), change)).await, [problem]);
}

#[actix_web::test]
async fn what_is_not_json_is_told_with_line_and_column() {
    let stage = Stage::telephony().await;
    let mut told = Vec::new();
    for body in [
        "",
        "[]",
        "{\"callCenterDevName\": \"x\"",
        "{\n  \"isActiveCall\": ,\n  \"a\": 1\n}",
        "{\"a\": {{NewPhoneContact.ANI}} }",
        "{\"callAttributes\": \"{\"a\": 1}\"}",
        "{\"a\": \"line\nbreak\"}",
        "createVoiceCall",
    ] {
        told.extend(problems(&stage, "createVoiceCall", body).await);
    }
    assert_snapshot!(told.join("\n"));
}

#[actix_web::test]
async fn bytes_that_are_no_text_are_refused() {
    let stage = Stage::telephony().await;
    for bytes in [&b"{\"from\": \"\xff\xfe\"}"[..], b"\x00\x01", b"{\"a\": \"\xed\xa0\x80\"}"] {
        let request = stage.connector("/voice/v1/createVoiceCall").body(bytes);
        assert!(Reply::of(request).await.error(400).starts_with("body: not JSON at line 1, column "));
    }
}

#[actix_web::test]
async fn stray_characters_after_the_object_do_no_harm() {
    let stage = Stage::telephony().await;
    for stray in ["\"", "}", " }\n", "\n\n", ",", "\u{0}"] {
        stage.post("createVoiceCall", format!("{}{stray}", create("wxcc_1"))).await.data();
    }
    stage.post("createVoiceCall", format!("\u{feff}{}", create("wxcc_1"))).await.data();
}

#[actix_web::test]
async fn deep_nesting_is_refused_and_overflows_nothing() {
    let stage = Stage::telephony().await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{{\"a\":{}1{}}}", open.repeat(9_000), close.repeat(9_000));
        assert!(problems(&stage, "createVoiceCall", deep).await[0].contains("recursion limit"));
        let half_open = format!("{{\"a\":{}", open.repeat(9_000));
        assert!(problems(&stage, "createVoiceCall", half_open).await[0].contains("recursion limit"));
    }
}

#[actix_web::test]
async fn everything_that_is_wrong_is_told_at_once() {
    let stage = Stage::telephony().await;
    let create = json!({
        "callCenterDevName": "Nowhere",
        "certDevName": "Unknown",
        "vendorCallKey": 17,
        "to": ["+18005550100"],
        "from": "",
        "initiationMethod": "Outbound",
        "startTime": "yesterday",
        "participants": [{ "participantKey": null }, "someone"],
        "callAttributes": "{broken",
        "callOrigin": false,
    });
    assert_json_snapshot!("a_create", problems(&stage, "createVoiceCall", create).await);
    let update = json!({
        "callCenterDevName": "WxCCContactCenterSCV",
        "startTime": true,
        "endTime": "2026-02-30T10:00:00Z",
        "enqueueTime": 12,
        "fromNumber": {},
        "disconnectReason": { "value": "" },
        "callAttributes": [1],
        "isActiveCall": "perhaps",
        "numberOfHolds": "-1",
        "totalHoldDuration": 1.5,
        "totalRecordingDuration": 3,
    });
    assert_json_snapshot!("an_update", problems(&stage, "updateVoiceCall", update).await);
    let omni_flow =
        json!({ "dialedNumber": "1".repeat(65), "flowInputParameters": "some", "flowDevName": 1 });
    assert_json_snapshot!("an_omni_flow", problems(&stage, "executeOmniFlow", omni_flow).await);
    let ended = json!({ "endTime": "2026-11-21", "from": 4_693_150_217_u64, "disconnectReason": "hung up" });
    assert_json_snapshot!("a_hang_up", problems(&stage, "phoneContactEnded", ended).await);
}

#[actix_web::test]
async fn an_empty_text_and_null_count_as_left_out() {
    let stage = Stage::telephony().await;
    for nothing in [json!(""), json!("  "), Value::Null] {
        for name in ["vendorCallKey", "to", "from", "initiationMethod", "startTime"] {
            let mut body = create("wxcc_1");
            body[name] = nothing.clone();
            assert_eq!(
                problems(&stage, "createVoiceCall", body).await,
                [format!("{name}: missing or empty")]
            );
        }
    }
    let empty = json!({ "certDevName": "", "callAttributes": "", "callOrigin": "", "parentVoiceCallId": "" });
    stage.post("createVoiceCall", with(create("wxcc_1"), empty)).await.data();
    let id = stage.call("wxcc_2").await;
    let empty = json!({ "startTime": "", "endTime": "", "fromNumber": "", "isActiveCall": "", "numberOfHolds": "", "agent": "" });
    stage.post("updateVoiceCall", with(reference(&id), empty)).await.data();
    stage
        .post(
            "executeOmniFlow",
            with(omni_flow(&id), json!({ "flowDevName": "", "flowInputParameters": "" })),
        )
        .await
        .data();
}

#[actix_web::test]
async fn impossible_times_are_refused() {
    let stage = Stage::telephony().await;
    for time in [
        json!("2026-02-30T10:00:00Z"),
        json!("2026-11-21T10:00:00"),
        json!("2026-11-21"),
        json!("10:00"),
        json!("{{now()}}"),
        json!(-1),
        json!(1e300),
        json!("99999999999999999999"),
    ] {
        let body = with(create("wxcc_1"), json!({ "startTime": time }));
        let told = problems(&stage, "createVoiceCall", body).await;
        assert!(told.len() == 1 && told[0].starts_with("startTime: is no "), "{time}: {told:?}");
    }
}

#[actix_web::test]
async fn a_transfer_without_the_call_it_continues_is_refused() {
    let stage = Stage::telephony().await;
    let problem = "parentVoiceCallId: missing or wrong; a Transfer names the call it continues, by id or vendorCallKey, \
                   or has the vendorCallKey of an earlier call that the bridge has created";
    create_has(&stage, json!({ "initiationMethod": "Transfer" }), problem).await;
    create_has(&stage, json!({ "initiationMethod": "Transfer", "parentVoiceCallId": "" }), problem).await;
}

#[actix_web::test]
async fn names_that_are_not_configured_are_refused() {
    let stage = Stage::telephony().await;
    let problem = "callCenterDevName: no contact center Nowhere is configured";
    create_has(&stage, json!({ "callCenterDevName": "Nowhere" }), problem).await;
    let problem = "certDevName: no certificate Unknown is configured";
    create_has(&stage, json!({ "certDevName": "Unknown" }), problem).await;
    // Names are exact, as they are in Salesforce. What is near is told.
    let problem = "callCenterDevName: no contact center wxcccontactcenterscv is configured; did you mean WxCCContactCenterSCV?";
    create_has(&stage, json!({ "callCenterDevName": "wxcccontactcenterscv" }), problem).await;
    let problem = "certDevName: no certificate WebexCCSVC is configured; did you mean WebexCCSCV?";
    create_has(&stage, json!({ "certDevName": "WebexCCSVC" }), problem).await;
}

#[actix_web::test]
async fn half_a_disconnect_reason_is_refused() {
    let stage = Stage::telephony().await;
    for (route, body) in [("updateVoiceCall", reference("wxcc_1")), ("phoneContactEnded", ended("wxcc_1"))] {
        for (reason, problem) in [
            (json!({ "value": "Hung up" }), "disconnectReason.isError: missing or empty"),
            (json!({ "isError": true }), "disconnectReason.value: missing or empty"),
        ] {
            let body = with(body.clone(), json!({ "disconnectReason": reason }));
            assert_eq!(problems(&stage, route, body).await, [problem], "{route}");
        }
    }
}

#[actix_web::test]
async fn attributes_that_no_record_can_hold_are_refused() {
    let stage = Stage::telephony().await;
    let long = json!({ "a": "x".repeat(16 * 1024) });
    let deep = (0..8).fold(json!(1), |inner, _| json!([inner]));
    for (attributes, problem) in [
        (long.clone(), "callAttributes: longer than 16 KiB"),
        (json!(long.to_string()), "callAttributes: longer than 16 KiB"),
        (json!({ "a": deep }), "callAttributes: nested deeper than 8 levels"),
        (json!("[1]"), "callAttributes: the text is no JSON object (column 0)"),
        (json!("{\"a\": \"b\"c\"}"), "callAttributes: the text is no JSON object (column 10)"),
        (json!(12), "callAttributes: expected an object or a text that holds one, got a number"),
    ] {
        create_has(&stage, json!({ "callAttributes": attributes }), problem).await;
    }
}

#[actix_web::test]
async fn numbers_longer_than_64_characters_are_refused_by_field() {
    let stage = Plan::telephony().start().await;
    let long = "1".repeat(65);
    for (route, body, field) in [
        ("createVoiceCall", with(create("wxcc_1"), json!({ "from": long })), "from: "),
        ("createVoiceCall", with(create("wxcc_1"), json!({ "to": long })), "to: "),
        ("executeOmniFlow", with(omni_flow("wxcc_1"), json!({ "dialedNumber": long })), "dialedNumber: "),
        ("updateVoiceCall", with(reference("wxcc_1"), json!({ "fromNumber": long })), "fromNumber: "),
    ] {
        let told = problems(&stage, route, body).await;
        assert!(told.len() == 1 && told[0].starts_with(field) && told[0].contains("64"), "{told:?}");
    }
    let people = json!({ "participants": [{ "participantKey": long, "type": "END_USER" }] });
    let told = problems(&stage, "createVoiceCall", with(create("wxcc_1"), people)).await;
    assert!(told.len() == 1 && told[0].starts_with("participants[0].participantKey: "), "{told:?}");
}

#[actix_web::test]
async fn a_key_that_no_path_can_carry_is_refused() {
    let stage = Stage::telephony().await;
    for key in [".", "..", "a\nb", &"k".repeat(256)] {
        let told = problems(&stage, "clearRouting", reference(key)).await;
        assert!(told.len() == 1 && told[0].starts_with("voiceCallId: "), "{told:?}");
    }
    assert_eq!(stage.org.requests().len(), 0);
}

#[actix_web::test]
async fn an_interaction_id_stands_in_for_the_key() {
    let stage = Stage::telephony().await;
    let by_interaction = json!({ "vendorCallKey": null, "voiceCallId": null, "interactionId": "7b3c" });
    for (route, body) in [
        ("createVoiceCall", create("")),
        ("executeOmniFlow", omni_flow("")),
        ("clearRouting", reference("")),
        ("updateVoiceCall", reference("")),
    ] {
        stage.post(route, with(body, by_interaction.clone())).await.data();
    }
    assert_eq!(stage.org.voice_call("wxcc_7b3c").unwrap().updates, 1);
}
