//! What the token endpoint refuses: each fault names the setting to look at.

use insta::assert_snapshot;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{OTHER_CERTIFICATE, Plan, Stage, create};

/// The part that differs from fault to fault.
fn told(error: &str) -> String {
    let common = "Salesforce refused the bridge, an administrator must act: login: ";
    error.strip_prefix(common).unwrap().to_owned()
}

/// What a flow is told when the login refuses.
async fn refused(plan: Plan) -> String {
    let stage = plan.start().await;
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert_eq!(stage.refusals().len(), 1, "a refused login is not repeated");
    told(reply.error(424))
}

#[actix_web::test]
async fn every_fault_of_the_set_up_names_what_to_look_at() {
    let faults = [
        refused(Plan::apex().org(|org| org.username = "someone.else@example.com".into())).await,
        refused(Plan::apex().center("oauth_audience = \"https://login.example.com\"")).await,
        refused(Plan::apex().org(|org| org.consumer_key = "another".into())).await,
        refused(Plan::apex().certificate(OTHER_CERTIFICATE)).await,
    ];
    assert_snapshot!(faults.join("\n"), @r"
    invalid_grant: user hasn't approved this consumer; pre-authorise the user for the app
    invalid_grant: audience is invalid; look at login_url and oauth_audience
    invalid_client_id: client identifier invalid; look at consumer_key
    invalid_grant: invalid assertion; look at the certificate of the app and at the configured one
    ");
}

#[actix_web::test]
async fn what_only_the_real_login_says_names_what_to_look_at_too() {
    let stage = Stage::apex().await;
    let mut faults = Vec::new();
    for (error, description) in [
        ("invalid_grant", "expired authorization code"),
        ("invalid_app_access", "user is not admin approved to access this app"),
        ("invalid_client_id", "client identifier invalid"),
        ("unsupported_grant_type", "grant type not supported"),
    ] {
        let body = json!({ "error": error, "error_description": description });
        stage.script_answer(400, body, Operation::Token);
        let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
        faults.push(told(reply.error(424)));
    }
    assert_snapshot!(faults.join("\n"), @r"
    invalid_grant: expired authorization code; look at the clock of this machine
    invalid_app_access: user is not admin approved to access this app; pre-authorise the user for the app
    invalid_client_id: client identifier invalid; look at consumer_key
    unsupported_grant_type: grant type not supported; look at login_url, consumer_key, username and certificate
    ");
    assert_eq!(stage.asked(Operation::Create).len(), 0);
}

#[actix_web::test]
async fn a_login_that_is_down_is_worth_another_try() {
    let stage = Stage::apex().await;
    for (day, after) in [
        (BadDay::Unavailable { retry_after: Some(9) }, "9"),
        (BadDay::TooMany { retry_after: None }, "1"),
        (BadDay::Html { status: 502 }, "1"),
        (BadDay::Html { status: 200 }, "1"),
        (BadDay::Garbage, "1"),
        (BadDay::HalfBody, "1"),
        (BadDay::DropConnection { after_work: false }, "1"),
    ] {
        stage.script(day.clone(), Operation::Token);
        let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
        reply.error(503);
        assert_eq!(reply.header("retry-after"), after, "{day:?}");
    }
    stage.call("wxcc_2").await;
}

#[actix_web::test]
async fn a_session_is_not_carried_to_a_host_that_is_not_salesforce() {
    for instance in
        ["https://example.com", "https://salesforce.com.example.com", "http://x.my.salesforce.com"]
    {
        let stage = Stage::apex().await;
        let body = json!({ "access_token": "00D!s3cret", "instance_url": instance });
        stage.script(BadDay::Body { body }, Operation::Token);
        let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
        assert!(reply.error(424).contains("instance_url"), "{}", reply.text);
    }
}
