//! The OAuth session of the Apex way: fetched once for all, kept, renewed when it ends.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use crate::stage::{Plan, Stage, at_once, create};

fn logins(stage: &Stage) -> usize {
    stage.asked(Operation::Token).len()
}

#[actix_web::test]
async fn twenty_first_calls_at_once_log_in_once() {
    let stage = Plan::apex().workers(2).start().await;
    let requests = (0..20).map(|n| stage.flow("createVoiceCall", create(&format!("wxcc_{n}"))));
    for reply in at_once(requests).await {
        reply.data();
    }
    assert_eq!(logins(&stage), 1);
    let sessions: HashSet<_> =
        stage.asked(Operation::Create).into_iter().map(|request| request.token).collect();
    assert_eq!(sessions.len(), 1);
}

#[actix_web::test]
async fn an_assertion_says_which_app_which_user_and_where() {
    let stage = Stage::apex().await;
    stage.call("wxcc_1").await;
    let form = stage.asked_once(Operation::Token).body.unwrap();
    let claims = form["assertion"].as_str().unwrap().split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(
        claims,
        json!({
            "iss": "3MVG9example.consumer.key",
            "sub": "scv.integration@example.com",
            "aud": stage.org.login_url(),
            "exp": 1_795_255_200 + 120,
        })
    );
}

#[actix_web::test]
async fn a_session_is_kept_for_half_an_hour() {
    let stage = Stage::apex().await;
    stage.call("wxcc_1").await;
    stage.wait_seconds(30 * 60 - 1);
    stage.call("wxcc_2").await;
    assert_eq!(logins(&stage), 1);
    stage.wait_seconds(1);
    stage.call("wxcc_3").await;
    assert_eq!(logins(&stage), 2);
}

#[actix_web::test]
async fn how_long_a_session_is_kept_is_a_setting() {
    let stage = Plan::apex().sections("[session]\nkeep = \"1m\"").start().await;
    stage.call("wxcc_1").await;
    stage.wait_seconds(60);
    stage.call("wxcc_2").await;
    assert_eq!(logins(&stage), 2);
}

#[actix_web::test]
async fn a_session_that_was_ended_is_renewed_once_for_all() {
    let stage = Plan::apex().workers(2).start().await;
    stage.call("wxcc_0").await;
    stage.org.revoke_sessions();
    let requests = (1..20).map(|n| stage.flow("createVoiceCall", create(&format!("wxcc_{n}"))));
    for reply in at_once(requests).await {
        reply.data();
    }
    assert_eq!(logins(&stage), 2);
    assert!(stage.refusals().iter().all(|refusal| refusal.status == 401));
}

#[actix_web::test]
async fn a_login_that_fails_is_shared_by_those_who_wait_for_it() {
    let stage = Plan::apex().workers(2).deadline("1s").start().await;
    stage.script_times(BadDay::NeverAnswers, 10, Operation::Token);
    let requests = (0..10).map(|n| stage.flow("createVoiceCall", create(&format!("wxcc_{n}"))));
    for reply in at_once(requests).await {
        reply.error(504);
    }
    // Whoever came last may have some time left when the first gives up.
    assert!(logins(&stage) <= 3, "{} logins", logins(&stage));
    stage.org.forget_scripts();
}

#[actix_web::test]
async fn a_login_that_failed_is_not_held_against_the_next_call() {
    let stage = Stage::apex().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Token);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    stage.call("wxcc_2").await;
    assert_eq!(logins(&stage), 2);
}
