//! Failed logins are limited, and no client that knows its secret notices.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::stage::{CENTER, CONNECTOR, Plan, Reply, Stage, create};

/// Three failures a minute from an address, five a minute of a client.
const FEW: &str = "[limits]\nfailed_logins_per_address = 3\nfailed_logins_per_client = 5\n\
                   failed_logins_window = \"1m\"";
const PROXY: &str = "trusted_proxy = true";
/// As `scv-bridge secret new` prints one.
const GENERATED: &str = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJC";

fn login(stage: &Stage, id: &str, secret: &str) -> RequestBuilder {
    stage
        .request(Method::POST, "/voice/v1/agentAnswered")
        .basic_auth(id, Some(secret))
        .body(json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1" }).to_string())
}

/// The same through a proxy that says from where.
async fn status_from(stage: &Stage, from: &str, id: &str, secret: &str) -> u16 {
    Reply::of(login(stage, id, secret).header("x-forwarded-for", from)).await.status
}

#[actix_web::test]
async fn after_three_wrong_secrets_the_address_waits() {
    let stage = Plan::telephony().sections(FEW).start().await;
    let (id, secret) = CONNECTOR;
    for _ in 0..3 {
        Reply::of(login(&stage, id, "guess")).await.errors(401);
    }
    for secret in ["guess", secret] {
        let reply = Reply::of(login(&stage, id, secret)).await;
        assert!(reply.error(429).starts_with("credentials: too many wrong ones"));
        assert_eq!(reply.header("retry-after"), "20");
    }
    stage.wait_seconds(20);
    Reply::of(login(&stage, id, secret)).await.data();
    let metrics = stage.ask("/metrics").await.text;
    let line = "scv_bridge_requests_total{call_center=\"\",route=\"agentAnswered\",status=\"429\"} 2";
    assert!(metrics.lines().any(|given| given == line), "{metrics}");
}

#[actix_web::test]
async fn no_body_is_read_for_who_is_refused() {
    let stage = Plan::telephony().sections(FEW).start().await;
    for _ in 0..3 {
        Reply::of(login(&stage, "nobody", "guess")).await.errors(401);
    }
    let request = stage
        .request(Method::POST, "/voice/v1/createVoiceCall")
        .basic_auth("nobody", Some("guess"))
        .body("{");
    Reply::of(request).await.error(429);
}

#[actix_web::test]
async fn a_client_that_has_succeeded_is_not_locked_out_by_who_shares_its_address() {
    let stage = Plan::telephony().sections(FEW).start().await;
    let (id, secret) = CONNECTOR;
    Reply::of(login(&stage, id, secret)).await.data();
    for _ in 0..30 {
        Reply::of(login(&stage, id, "guess")).await;
        Reply::of(login(&stage, "nobody", "guess")).await;
    }
    Reply::of(login(&stage, id, "guess")).await.error(429);
    stage.post("createVoiceCall", create("wxcc_2")).await.data();
}

#[actix_web::test]
async fn a_generated_secret_is_taken_from_anywhere_at_any_time() {
    let digest: String =
        openssl::sha::sha256(GENERATED.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let client = format!("[[clients]]\nid = \"made\"\nsecret_sha256 = \"{digest}\"\ncall_centers = [\"*\"]");
    let stage = Plan::telephony().sections(FEW).sections(&client).start().await;
    for _ in 0..30 {
        Reply::of(login(&stage, "made", "guess")).await;
    }
    Reply::of(login(&stage, "made", "guess")).await.error(429);
    Reply::of(login(&stage, "made", &GENERATED.replace('q', "r"))).await.error(429);
    Reply::of(login(&stage, "made", GENERATED)).await.data();
}

#[actix_web::test]
async fn behind_a_trusted_proxy_each_address_has_its_own_limit() {
    let stage = Plan::telephony().server(PROXY).sections(FEW).start().await;
    let (id, secret) = CONNECTOR;
    for _ in 0..3 {
        assert_eq!(status_from(&stage, "198.51.100.1, 203.0.113.1", "x", "guess").await, 401);
    }
    assert_eq!(
        status_from(&stage, "198.51.100.2, 203.0.113.1", "x", "guess").await,
        429,
        "the same last hop"
    );
    assert_eq!(status_from(&stage, "203.0.113.1, 203.0.113.2", id, secret).await, 200, "another last hop");
}

#[actix_web::test]
async fn without_a_trusted_proxy_nobody_can_say_to_be_somebody_else() {
    let stage = Plan::telephony().sections(FEW).start().await;
    for from in ["203.0.113.1", "203.0.113.2", "203.0.113.3"] {
        assert_eq!(status_from(&stage, from, "x", "guess").await, 401);
    }
    assert_eq!(status_from(&stage, "203.0.113.4", "x", "guess").await, 429);
}

#[actix_web::test]
async fn an_id_that_many_addresses_guess_at_still_gets_in_from_a_new_one() {
    let stage = Plan::telephony().server(PROXY).sections(FEW).start().await;
    let (id, secret) = CONNECTOR;
    for from in 0..20 {
        for _ in 0..3 {
            status_from(&stage, &format!("203.0.113.{from}"), id, "guess").await;
        }
    }
    assert_eq!(status_from(&stage, "203.0.113.77", id, "guess").await, 401, "the first try is compared");
    assert_eq!(status_from(&stage, "203.0.113.77", id, "guess").await, 429, "the second is not");
    assert_eq!(status_from(&stage, "198.51.100.5", id, secret).await, 200);
}

#[actix_web::test]
async fn requests_without_credentials_are_no_guesses() {
    let stage = Plan::telephony().sections(FEW).start().await;
    for _ in 0..10 {
        let request = stage.request(Method::POST, "/voice/v1/clearRouting").body("{}");
        Reply::of(request).await.errors(401);
    }
    stage.post("createVoiceCall", create("wxcc_2")).await.data();
}
