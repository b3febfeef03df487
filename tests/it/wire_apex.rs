//! What the Apex wrapper and the token endpoint get to see.

use insta::assert_json_snapshot;
use scv_bridge::mock::Operation;
use serde_json::json;

use crate::stage::{Plan, Stage, create, omni_flow, reference, with};
use crate::wire_telephony::quoted_update;

#[actix_web::test]
async fn a_login_is_a_form_with_grant_type_and_assertion() {
    let stage = Stage::apex().await;
    stage.call("wxcc_1").await;
    let login = stage.asked_once(Operation::Token);
    assert_eq!((login.method.as_str(), login.path.as_str()), ("POST", "/services/oauth2/token"));
    assert_eq!(login.headers["content-type"], "application/x-www-form-urlencoded");
    let form = login.body.unwrap();
    let names: Vec<_> = form.as_object().unwrap().keys().collect();
    assert_eq!(names, ["grant_type", "assertion"]);
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
}

#[actix_web::test]
async fn a_create_names_contact_center_and_certificate_in_its_body() {
    let stage = Stage::apex().await;
    let more = json!({
        "startTime": 1_795_255_200_123_u64,
        "callAttributes": { "Service__c": "New Lead" },
        "aFieldOfTomorrow": { "kept": true },
    });
    stage.post("createVoiceCall", with(create("wxcc_1"), more)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::Create));
}

#[actix_web::test]
async fn a_parent_named_by_its_key_is_sent_by_the_id_that_is_known() {
    let stage = Stage::apex().await;
    stage.call("wxcc_parent").await;
    stage.org.forget_requests();
    let transfer = json!({ "initiationMethod": "Transfer", "parentVoiceCallId": "wxcc_parent" });
    stage.post("createVoiceCall", with(create("wxcc_2"), transfer)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::Create));
}

#[actix_web::test]
async fn an_update_carries_quoted_values_as_what_they_are() {
    let stage = Stage::apex().await;
    let id = stage.call("wxcc_1").await;
    stage.post("updateVoiceCall", quoted_update(&id)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::Update));
}

#[actix_web::test]
async fn an_omni_flow_names_its_call_in_its_body() {
    let stage = Stage::apex().await;
    let id = stage.call("wxcc_1").await;
    let more = json!({ "flowDevName": "WxCC_Routing_Flow", "flowInputParameters": { "language": "EN" } });
    stage.post("executeOmniFlow", with(omni_flow(&id), more)).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::OmniFlow));
}

#[actix_web::test]
async fn a_clear_routing_names_its_call_in_its_body() {
    let stage = Stage::apex().await;
    stage.call("wxcc_1").await;
    stage.post("clearRouting", reference("wxcc_1")).await.data();
    assert_json_snapshot!(stage.asked_once(Operation::ClearRouting));
}

#[actix_web::test]
async fn the_certificate_that_a_request_names_is_one_of_the_org() {
    let in_org = "Stored_In_Salesforce";
    let stage = Plan::apex().org(|org| org.known_certificates.push(in_org.into())).start().await;
    stage.post("createVoiceCall", with(create("wxcc_1"), json!({ "certDevName": in_org }))).await.data();
    assert_eq!(stage.sent(Operation::Create)[0]["certDevName"], in_org);
}

#[actix_web::test]
async fn the_certificate_of_a_request_that_names_none_is_configured() {
    let in_org = "Stored_In_Salesforce";
    let stage = Plan::apex()
        .center(&format!("certificate_in_org = \"{in_org}\""))
        .org(|org| org.known_certificates = vec![in_org.into()])
        .start()
        .await;
    stage.call("wxcc_1").await;
    assert_eq!(stage.sent(Operation::Create)[0]["certDevName"], in_org);
}

#[actix_web::test]
async fn another_package_has_another_prefix() {
    let prefix = "/services/apexrest/cnxscv/voice/v1";
    let stage = Plan::apex()
        .center(&format!("path_prefix = \"{prefix}\""))
        .org(|org| org.apex_prefix = prefix.into())
        .start()
        .await;
    stage.call("wxcc_1").await;
    assert_eq!(stage.asked_once(Operation::Create).path, format!("{prefix}/createVoiceCall"));
}
