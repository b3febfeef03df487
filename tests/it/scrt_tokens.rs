//! Tokens of the telephony API: one for many calls, renewed in time, right by an independent judge.

use std::collections::HashSet;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::x509::X509;
use scv_bridge::mock::Operation;
use serde_json::{Value, json};

use crate::stage::{
    CENTER, CERTIFICATE, OTHER_CERTIFICATE, Plan, Stage, at_once, create, issued, reference, with,
};

/// All tokens the org saw, the first use first.
fn tokens(stage: &Stage) -> Vec<String> {
    stage.org.requests().into_iter().map(|request| request.token.unwrap()).collect()
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[actix_web::test]
async fn one_token_serves_many_calls_at_once() {
    let stage = Plan::telephony().workers(2).start().await;
    let requests = (0..40).map(|n| stage.flow("createVoiceCall", create(&format!("wxcc_{n}"))));
    for reply in at_once(requests).await {
        reply.data();
    }
    let tokens = tokens(&stage);
    assert_eq!(tokens.len(), 40);
    assert_eq!(tokens.into_iter().collect::<HashSet<_>>().len(), 1);
}

#[actix_web::test]
async fn a_token_says_who_for_whom_and_for_how_long() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_1").await;
    let token = tokens(&stage).remove(0);
    assert_eq!(part(&token, 0), json!({ "typ": "JWT", "alg": "RS256" }));
    let issued_at = 1_795_255_200;
    assert_eq!(
        part(&token, 1),
        json!({ "iss": "00D000000000001EAA", "sub": CENTER, "iat": issued_at, "exp": issued_at + 180 })
    );
}

#[actix_web::test]
async fn a_token_is_renewed_after_two_thirds_of_its_life() {
    let stage = Stage::telephony().await;
    for (n, seconds) in [0, 119, 1, 119, 1].into_iter().enumerate() {
        stage.wait_seconds(seconds);
        stage.call(&format!("wxcc_{n}")).await;
    }
    let tokens = tokens(&stage);
    assert_eq!(tokens[0], tokens[1]);
    assert_ne!(tokens[1], tokens[2], "120 of 180 seconds have passed");
    assert_eq!(tokens[2], tokens[3]);
    assert_ne!(tokens[3], tokens[4]);
}

#[actix_web::test]
async fn a_token_that_nobody_used_for_hours_is_renewed() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_1").await;
    stage.wait_seconds(6 * 60 * 60);
    stage.call("wxcc_2").await;
    assert_eq!(tokens(&stage).into_iter().collect::<HashSet<_>>().len(), 2);
}

#[actix_web::test]
async fn another_life_is_a_setting() {
    let stage = Plan::telephony().sections("[token]\nlife = \"30s\"").start().await;
    stage.call("wxcc_1").await;
    let claims = part(&tokens(&stage)[0], 1);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 30);
}

#[actix_web::test]
async fn with_jti_every_request_has_a_token_of_its_own() {
    let stage = Plan::telephony().workers(2).sections("[token]\njti = true").start().await;
    let requests = (0..20).map(|n| stage.flow("createVoiceCall", create(&format!("wxcc_{n}"))));
    for reply in at_once(requests).await {
        reply.data();
    }
    let spent: HashSet<_> = tokens(&stage).iter().map(|token| part(token, 1)["jti"].to_string()).collect();
    assert_eq!(spent.len(), 20, "the org refuses a jti that it has seen");
}

#[actix_web::test]
async fn an_audience_is_sent_where_it_is_configured() {
    let audience = "https://scrt.salesforce.com";
    let stage = Plan::telephony()
        .sections(&format!("[call_centers.{CENTER}.token]\naudience = \"{audience}\""))
        .org(|org| org.audience = Some(audience.into()))
        .start()
        .await;
    stage.call("wxcc_1").await;
    assert_eq!(part(&tokens(&stage)[0], 1)["aud"], audience);
}

#[actix_web::test]
async fn the_certificate_that_a_request_names_signs_its_token() {
    let stage = Plan::telephony()
        .org(|org| org.certificate_pem = issued(OTHER_CERTIFICATE).certificate_pem.clone())
        .start()
        .await;
    stage
        .post("createVoiceCall", with(create("wxcc_1"), json!({ "certDevName": OTHER_CERTIFICATE })))
        .await
        .data();
    let reply =
        stage.post("createVoiceCall", with(create("wxcc_2"), json!({ "certDevName": CERTIFICATE }))).await;
    assert!(reply.error(424).contains("does not fit"), "{}", reply.text);
    assert_eq!(stage.refusals().len(), 2, "signed anew once, refused again");
    // The token of one certificate is not dropped because another was refused.
    stage
        .post("updateVoiceCall", with(reference("wxcc_1"), json!({ "certDevName": OTHER_CERTIFICATE })))
        .await
        .data();
    assert_eq!(stage.asked_once(Operation::Update).token, stage.asked(Operation::Create)[0].token);
}

#[actix_web::test]
async fn the_openssl_program_finds_the_signature_right() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_1").await;
    let token = tokens(&stage).remove(0);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let certificate = X509::from_pem(&issued(CERTIFICATE).certificate_pem).unwrap();
    let key = file("key.pem", &certificate.public_key().unwrap().public_key_to_pem().unwrap());
    let signature = file("signature", &URL_SAFE_NO_PAD.decode(signature).unwrap());
    let verdict = |input: &str| {
        let input = file("input", input.as_bytes());
        let program = Command::new("openssl")
            .args(["dgst", "-sha256", "-verify"])
            .arg(&key)
            .arg("-signature")
            .arg(&signature)
            .arg(input)
            .output();
        program.unwrap().status.success()
    };
    assert!(verdict(signed));
    assert!(!verdict(&format!("{signed} ")));
}
