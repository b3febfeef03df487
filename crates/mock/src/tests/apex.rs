use std::time::Duration;

use serde_json::{Value, json};

use super::{Answered, CENTER, Caller, answered, create_body, sign, with};
use crate::Operation;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

fn assertion(caller: &Caller) -> Value {
    json!({
        "iss": "3MVG9example.consumer.key",
        "sub": "scv.integration@example.com",
        "aud": "https://login.salesforce.com",
        "exp": caller.now() + 180,
    })
}

async fn token(caller: &Caller, grant: &str, assertion: &str) -> Answered {
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", grant)
        .append_pair("assertion", assertion)
        .finish();
    let request = caller
        .http
        .post(format!("{}/services/oauth2/token", caller.org.login_url()))
        .header("content-type", "application/x-www-form-urlencoded");
    answered(request.body(form)).await
}

pub(super) async fn session(caller: &Caller) -> String {
    let (status, body) = token(caller, GRANT, &sign(&assertion(caller))).await;
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

async fn call(caller: &Caller, session: &str, operation: &str, body: &Value) -> Answered {
    let path = format!("/services/apexrest/cisco_wxcc_scv/voice/v1/{operation}");
    let request = caller
        .http
        .post(format!("{}{path}", caller.org.url()))
        .header("authorization", format!("Bearer {session}"))
        .header("content-type", "application/json");
    answered(request.body(body.to_string())).await
}

fn named(body: Value) -> Value {
    with(with(body, "callCenterDevName", json!(CENTER)), "certDevName", json!("WebexCCSCV"))
}

fn create(key: &str) -> Value {
    named(with(create_body(key), "callCenterApiName", Value::Null))
}

#[actix_web::test]
async fn a_session_comes_without_expires_in_and_names_the_org() {
    let caller = Caller::new().await;
    let (status, body) = token(&caller, GRANT, &sign(&assertion(&caller))).await;
    assert_eq!((status, &body["instance_url"]), (200, &json!(caller.org.url())));
    assert_eq!((&body["token_type"], body.get("expires_in")), (&json!("Bearer"), None));
    let recorded = caller.org.requests().pop().unwrap();
    assert_eq!((recorded.operation, recorded.answered), (Operation::Token, Some(200)));
    assert_eq!(recorded.body.unwrap()["grant_type"], GRANT);
}

#[actix_web::test]
async fn faults_of_the_assertion_have_salesforces_words() {
    let caller = Caller::new().await;
    let now = caller.now();
    for (claim, value, error, description) in [
        ("iss", json!("other"), "invalid_client_id", "client identifier invalid"),
        ("sub", json!("other@example.com"), "invalid_grant", "user hasn't approved this consumer"),
        ("aud", json!("https://scrt.salesforce.com"), "invalid_grant", "audience is invalid"),
        ("aud", Value::Null, "invalid_grant", "audience is invalid"),
        ("exp", json!(now), "invalid_grant", "expired authorization code"),
        ("exp", json!(now + 211), "invalid_grant", "expired authorization code"),
        ("exp", json!((now + 180) * 1000), "invalid_grant", "expired authorization code"),
    ] {
        let answer = token(&caller, GRANT, &sign(&with(assertion(&caller), claim, value))).await;
        assert_eq!(answer, (400, json!({ "error": error, "error_description": description })));
    }
    let broken = sign(&assertion(&caller)).replacen("ey", "eY", 1);
    let (status, body) = token(&caller, GRANT, &broken).await;
    assert_eq!((status, &body["error_description"]), (400, &json!("invalid assertion")));
    let (_, body) = token(&caller, "client_credentials", &sign(&assertion(&caller))).await;
    assert_eq!(body["error"], "unsupported_grant_type");
}

#[actix_web::test]
async fn my_domain_is_an_audience_too() {
    let caller = Caller::new().await;
    let claims = with(assertion(&caller), "aud", json!(caller.org.url()));
    assert_eq!(token(&caller, GRANT, &sign(&claims)).await.0, 200);
}

#[actix_web::test]
async fn the_token_endpoint_takes_forms_only() {
    let caller = Caller::new().await;
    let request = caller
        .http
        .post(format!("{}/services/oauth2/token", caller.org.login_url()))
        .header("content-type", "application/json");
    let body = json!({ "grant_type": GRANT, "assertion": sign(&assertion(&caller)) });
    assert_eq!(answered(request.body(body.to_string())).await.0, 400);
}

#[actix_web::test]
async fn a_transfer_by_the_wrapper_needs_a_parent_that_exists() {
    let caller = Caller::new().await;
    let session = session(&caller).await;
    let transfer = with(create("wxcc_2"), "initiationMethod", json!("Transfer"));
    let transfer = with(transfer, "parentVoiceCallId", json!("wxcc_1"));
    assert_eq!(call(&caller, &session, "createVoiceCall", &transfer).await.0, 400);
    let (_, parent) = call(&caller, &session, "createVoiceCall", &create("wxcc_1")).await;
    assert_eq!(call(&caller, &session, "createVoiceCall", &transfer).await.0, 200);
    let previous = caller.org.voice_call("wxcc_2").unwrap().previous_call_id;
    assert_eq!(previous.as_deref(), parent["data"]["voiceCallId"].as_str());
}

#[actix_web::test]
async fn a_call_lives_through_the_wrapper() {
    let caller = Caller::new().await;
    let session = session(&caller).await;
    let (status, created) = call(&caller, &session, "createVoiceCall", &create("wxcc_1")).await;
    assert_eq!((status, &created["success"], &created["errors"]), (200, &json!(true), &Value::Null));
    let id = created["data"]["voiceCallId"].clone();
    let flow = named(json!({ "voiceCallId": id, "dialedNumber": "+1", "fallbackQueue": "Sales" }));
    let (_, routed) = call(&caller, &session, "executeOmniFlow", &flow).await;
    assert_eq!(routed["data"], json!({ "queue": "Sales", "agent": null }));
    let (_, cleared) = call(&caller, &session, "clearRouting", &named(json!({ "voiceCallId": id }))).await;
    assert_eq!(cleared["data"], json!({ "status": "Success" }));
    let (_, updated) = call(&caller, &session, "updateVoiceCall", &named(json!({ "voiceCallId": id }))).await;
    assert_eq!(updated["data"], json!({ "status": "pending" }));
    assert_eq!(caller.org.refusals(), []);
}

#[actix_web::test]
async fn names_the_org_does_not_know_are_refused_in_the_envelope() {
    let caller = Caller::new().await;
    let session = session(&caller).await;
    let unknown = with(create("wxcc_1"), "callCenterDevName", json!("Other"));
    let (status, answer) =
        call(&caller, &session, "createVoiceCall", &with(unknown, "certDevName", Value::Null)).await;
    let errors = ["callCenterDevName: no contact center with this name", "certDevName: required"];
    assert_eq!((status, answer), (400, json!({ "data": null, "errors": errors, "success": false })));
    let empty = named(json!({ "voiceCallId": "" }));
    let (status, answer) = call(&caller, &session, "clearRouting", &empty).await;
    assert_eq!((status, &answer["errors"][0]), (400, &json!("voiceCallId: must not be empty")));
}

#[actix_web::test]
async fn a_revoked_an_old_and_an_unknown_session_are_refused() {
    let caller = Caller::of(|settings| settings.session_life = Some(Duration::from_secs(60))).await;
    let invalid = json!([{ "message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID" }]);
    let first = session(&caller).await;
    caller.org.revoke_sessions();
    for session in [first.as_str(), "00D!unknown"] {
        let answer = call(&caller, session, "createVoiceCall", &create("wxcc_1")).await;
        assert_eq!(answer, (401, invalid.clone()));
    }
    let second = session(&caller).await;
    assert_ne!(first, second);
    assert_eq!(call(&caller, &second, "createVoiceCall", &create("wxcc_1")).await.0, 200);
    caller.clock.advance(Duration::from_secs(60));
    assert_eq!(call(&caller, &second, "createVoiceCall", &create("wxcc_2")).await, (401, invalid));
}

#[actix_web::test]
async fn a_telephony_token_opens_no_session_and_a_wrong_prefix_is_not_found() {
    let caller = Caller::new().await;
    let session = sign(&caller.claims());
    assert_eq!(call(&caller, &session, "createVoiceCall", &create("wxcc_1")).await.0, 401);
    assert_eq!(call(&caller, &session, "deleteVoiceCall", &json!({})).await.0, 404);
}
