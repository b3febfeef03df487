//! What a change of the configuration leaves as it is, and what the ends of certificates are told of.

use std::collections::HashSet;

use scv_bridge::clock::Clock as _;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{CERTIFICATE, OTHER_CERTIFICATE, Plan, Reply, Stage, create};

/// A change that has nothing to do with Salesforce.
const CHANGE: (&str, &str) = ("call_centers = [\"Sandbox\"]", "call_centers = [\"*\"]");

#[actix_web::test]
async fn tokens_and_sessions_serve_on() {
    for stage in Stage::both().await {
        stage.call("wxcc_1").await;
        stage.change(CHANGE.0, CHANGE.1).await;
        stage.call("wxcc_2").await;
        let tokens: HashSet<_> =
            stage.asked(Operation::Create).into_iter().map(|request| request.token).collect();
        assert_eq!(tokens.len(), 1, "nothing is signed and nobody logs in because of it");
        assert!(stage.asked(Operation::Token).len() <= 1);
    }
}

#[actix_web::test]
async fn a_token_of_another_shape_is_signed_anew() {
    let stage = Plan::telephony().sections("[token]\nlife = \"2m\"").start().await;
    stage.call("wxcc_1").await;
    stage.change("life = \"2m\"", "life = \"1m\"").await;
    stage.call("wxcc_2").await;
    let asked = stage.asked(Operation::Create);
    assert_ne!(asked[0].token, asked[1].token);
}

#[actix_web::test]
async fn an_org_that_is_left_alone_stays_so() {
    let breaker = "[breaker]\nfailures = 1\npause = \"5m\"\nlongest_pause = \"5m\"";
    let stage = Plan::telephony().sections(breaker).start().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    stage.change(CHANGE.0, CHANGE.1).await;
    let reply = stage.post("createVoiceCall", create("wxcc_2")).await;
    assert!(reply.error(503).contains("left alone"));
    assert_eq!(stage.asked(Operation::Create).len(), 1);
}

#[actix_web::test]
async fn a_pause_of_creates_that_salesforce_asked_for_is_kept() {
    let stage = Plan::telephony().sections("[limits]\ncreates_per_second = 2").start().await;
    stage.script(BadDay::TooMany { retry_after: Some(300) }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    stage.change("creates_per_second = 2", "creates_per_second = 3").await;
    let reply = stage.post("createVoiceCall", create("wxcc_2")).await;
    assert!(reply.error(503).contains("no more creates"));
    assert_eq!(stage.asked(Operation::Create).len(), 1);
}

#[actix_web::test]
async fn a_repeated_create_joins_the_one_from_before() {
    let stage = Plan::telephony().workers(2).start().await;
    stage.script(BadDay::Slow { milliseconds: 2000 }, Operation::Create);
    let first = tokio::spawn(Reply::of(stage.flow("createVoiceCall", create("wxcc_1"))));
    while stage.asked(Operation::Create).is_empty() {
        tokio::task::yield_now().await;
    }
    stage.change(CHANGE.0, CHANGE.1).await;
    let again = stage.call("wxcc_1").await;
    assert_eq!(first.await.unwrap().data()["voiceCallId"], json!(again));
    assert_eq!(stage.asked(Operation::Create).len(), 1);
}

#[actix_web::test]
async fn the_end_of_every_certificate_is_told_and_warned_of_by_the_clock() {
    let stage = Stage::telephony().await;
    let metric =
        |name: &str| format!("scv_bridge_certificate_expiration_timestamp_seconds{{certificate=\"{name}\"}}");
    let end = stage.metric(&metric(OTHER_CERTIFICATE)).await;
    let seconds: i64 = end.as_deref().unwrap().parse().unwrap();
    assert_eq!((seconds - stage.clock.now().as_second()).div_euclid(86_400), 30);
    assert!(stage.handle.look_at_certificates().is_empty(), "a start has told it already");
    stage.wait_seconds(2 * 86_400);
    let told = stage.handle.look_at_certificates();
    assert_eq!(told.len(), 2);
    assert!(told.iter().any(|line| line.starts_with("certificates.OtherSCV: 28 days left; ")), "{told:?}");
    assert!(stage.handle.look_at_certificates().is_empty(), "once a day");
    assert_eq!(stage.metric(&metric(OTHER_CERTIFICATE)).await, end);
    // Of a certificate that is gone nothing is said any more, least of all that it has ended.
    let text = stage.configuration();
    let (before, rest) = text.split_once("[certificates.OtherSCV]").unwrap();
    let (_, after) = rest.split_once("[call_centers.Sandbox]").unwrap();
    assert!(stage.configure(&format!("{before}[call_centers.Sandbox]{after}")).await.problems.is_empty());
    assert_eq!(stage.metric(&metric(OTHER_CERTIFICATE)).await, None);
    assert!(stage.metric(&metric(CERTIFICATE)).await.is_some());
}
