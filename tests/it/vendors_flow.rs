//! The vendor's published flow, request by request, as Webex fills it.

use scv_bridge::mock::Disposition;
use serde_json::{Value, json};
use webex_flow::model::{ActivityKind, read};
use webex_flow::pebble::{Environment, Template};

use crate::stage::{NOW, Reply, Stage};

const EXPORT: &str = include_str!("../fixtures/flows/ServiceCloudVoice_Template.json");
const KEY: &str = "wxcc_5b3f3c0e-8f2a-4d53-9a9a-0d6f3c1b7a10";

/// Path, content type and body of an HTTP Request of the vendor's flow, filled in.
pub fn filled(name: &str, variables: &Value) -> (String, String, String) {
    let flow = read(EXPORT).unwrap();
    let (_, activity) = flow.activity_by_name(name).unwrap();
    let ActivityKind::HttpRequest(request) = &activity.kind else {
        unreachable!("{name} is no HTTP Request")
    };
    let template = Template::parse(request.body.as_deref().unwrap()).unwrap();
    let body =
        template.render(variables.as_object().unwrap(), &Environment::at(NOW.parse().unwrap())).unwrap();
    (request.path.clone().unwrap(), request.content_type.clone().unwrap(), body)
}

/// Sends the body of an activity to the path of that activity.
async fn activity(stage: &Stage, name: &str, voice_call_id: &str) -> Reply {
    let variables = json!({
        "NewPhoneContact": { "ANI": "+14693150217", "DNIS": "+18005550100" },
        "SCV_VendorCallKey": KEY,
        "SCV_CallStartTime": "2026-11-21T09:58:00.123456Z[UTC]",
        "SCV_VoiceCallRecordId": voice_call_id,
    });
    let (path, content_type, body) = filled(name, &variables);
    let request = stage.connector(&path).header("content-type", content_type);
    Reply::of(request.body(body)).await
}

#[actix_web::test]
async fn the_four_requests_of_the_vendors_flow_are_answered_with_the_documented_data() {
    for stage in Stage::both().await {
        let created = activity(&stage, "CreateVoiceCall", "").await;
        let id = created.data()["voiceCallId"].as_str().unwrap().to_owned();
        assert!(id.starts_with("0LQ"));
        assert_eq!(created.data(), &json!({ "voiceCallId": id }));

        let routed = activity(&stage, "ExecuteOmniFlow", &id).await;
        assert_eq!(routed.data(), &json!({ "queue": "00GgL000007iwBd", "agent": null }));
        let waiting = stage.org.voice_call(KEY).unwrap().pending_routing.unwrap();
        assert_eq!(waiting.flow.as_deref(), Some("WxCC_Routing_Flow"));
        assert_eq!(
            Value::Object(waiting.flow_input_parameters),
            json!({ "param1": "EN", "param2": "Customer Support" })
        );

        let cleared = activity(&stage, "ClearRouting", &id).await;
        assert_eq!(cleared.data(), &json!({ "status": "Success" }));
        assert_eq!(stage.org.voice_call(KEY).unwrap().pending_routing, None);

        let updated = activity(&stage, "UpdateVoiceCall", &id).await;
        assert_eq!(updated.data(), &json!({ "status": "pending" }));
        let call = stage.org.voice_call(&id).unwrap();
        assert_eq!(call.call_disposition, Disposition::Completed);
        assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
        assert_eq!(call.disconnect_is_error, Some(false));
        assert_eq!(call.call_duration_in_seconds, Some(120));
    }
}

#[actix_web::test]
async fn the_attributes_of_the_vendors_flow_reach_the_record() {
    for stage in Stage::both().await {
        activity(&stage, "CreateVoiceCall", "").await.data();
        let call = stage.org.voice_call(KEY).unwrap();
        assert_eq!(call.attributes["Service__c"], "New Lead");
        assert_eq!(call.attributes["Customer_ID__c"], "12345");
    }
}

#[actix_web::test]
async fn after_a_failed_create_nothing_is_sent_for_a_call_that_nobody_can_name() {
    for stage in Stage::both().await {
        let reply = activity(&stage, "ExecuteOmniFlow", "").await;
        assert_eq!(reply.error(400), "voiceCallId: missing or empty");
        for name in ["ClearRouting", "UpdateVoiceCall"] {
            let reply = activity(&stage, name, "").await;
            assert!(
                reply.data()["warnings"][0].as_str().unwrap().starts_with("voiceCallId: empty"),
                "{name}"
            );
        }
        assert_eq!(stage.org.requests().len(), 0, "nothing was asked of Salesforce");
    }
}

#[actix_web::test]
async fn a_flow_whose_start_step_failed_is_told_what_is_missing() {
    let stage = Stage::telephony().await;
    let body = json!({
        "callCenterDevName": "WxCCContactCenterSCV",
        "vendorCallKey": "",
        "to": "+18005550100",
        "from": "+14693150217",
        "initiationMethod": "Inbound",
        "startTime": "",
        "participants": [{ "participantKey": "+14693150217", "type": "END_USER" }],
    });
    let reply = stage.post("createVoiceCall", body).await;
    assert_eq!(reply.errors(400), ["vendorCallKey: missing or empty", "startTime: missing or empty"]);
}
