//! POST /webhooks/wxcc: who may speak, and what is taken.

use reqwest::Method;
use serde_json::json;

use crate::stage::{Plan, Reply, SECRET, Stage, event, sign, webex, with};

async fn stage() -> Stage {
    Plan::telephony().sections(&webex("")).start().await
}

async fn counted(stage: &Stage, kind: &str, outcome: &str) -> u32 {
    let line = format!("scv_bridge_webhooks_total{{outcome=\"{outcome}\",type=\"{kind}\"}} ");
    let metrics = stage.ask("/metrics").await.text;
    metrics.lines().find_map(|text| text.strip_prefix(&line)).map_or(0, |count| count.parse().unwrap())
}

#[actix_web::test]
async fn a_signed_webhook_is_kept_and_answered_in_a_whole_envelope() {
    let stage = stage().await;
    let reply = Reply::of(stage.webhook(&event("task:new", "1", 0).to_string())).await;
    assert_eq!(reply.data(), &json!({ "status": "Success" }));
    assert_eq!(counted(&stage, "task:new", "ok").await, 1);
    let get = Reply::of(stage.request(Method::GET, "/webhooks/wxcc")).await;
    assert!(get.error(405).contains("POST"));
}

#[actix_web::test]
async fn a_wrong_signature_is_refused_or_taken_and_not_processed_as_the_setting_says() {
    for (keys, status) in [("", 401), ("bad_signature_status = 200", 200)] {
        let stage = Plan::telephony().sections(&webex(keys)).start().await;
        let body = event("task:ended", "1", 0).to_string();
        let signatures =
            [sign("another-secret-of-32-characters!", body.as_bytes()), sign(SECRET, b"{}"), String::new()];
        for signature in signatures {
            let request = stage.request(Method::POST, "/webhooks/wxcc").body(body.clone());
            let reply = Reply::of(request.header("X-WebexCC-Signature", signature)).await;
            match status {
                401 => assert!(reply.error(401).contains("X-WebexCC-Signature")),
                _ => assert_eq!(reply.data(), &json!({ "status": "ignored" })),
            }
        }
        assert_eq!(counted(&stage, "none", "bad_signature").await, 3);
        assert_eq!(stage.handle.outbox().store().next_task().await.unwrap(), None, "nothing was kept");
    }
}

#[actix_web::test]
async fn while_a_secret_is_replaced_both_are_good() {
    let both = format!("[webex]\nwebhook_secrets = [\"{SECRET}\", \"the-next-secret-of-32-characters!\"]");
    let stage = Plan::telephony().sections(&both).start().await;
    let body = event("task:new", "1", 0).to_string();
    for secret in [SECRET, "the-next-secret-of-32-characters!"] {
        let request = stage.request(Method::POST, "/webhooks/wxcc").body(body.clone());
        Reply::of(request.header("X-WebexCC-Signature", sign(secret, body.as_bytes()))).await.data();
    }
}

#[actix_web::test]
async fn the_second_version_must_be_of_this_moment_and_say_so_twice() {
    let stage = stage().await;
    // The stage's time is 10:00:00.250.
    for (sent, header, taken) in [
        (json!(1_795_255_200_000_i64), Some("1795255200000"), true),
        (json!("1795254901000"), Some("1795254901000"), true),
        (json!("1795254899000"), Some("1795254899000"), false),
        (json!(1_795_255_200_000_i64), Some("1795255200001"), false),
        (json!(1_795_255_200_000_i64), None, false),
    ] {
        let body = with(event("task:new", "1", 0), json!({ "comciscotimestamp": sent })).to_string();
        let mut request = stage.webhook(&body).header("X-WebexCC-Webhook-Version", "2");
        if let Some(header) = header {
            request = request.header("X-WebexCC-Timestamp", header);
        }
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, if taken { 200 } else { 401 }, "{sent} {header:?}");
    }
}

#[actix_web::test]
async fn what_is_unknown_is_kept_and_what_is_no_telephony_or_no_task_is_counted_and_left() {
    let stage =
        Plan::telephony().sections(&webex("org_id = \"f2b1d1f0-1111-4222-8333-444455556666\"")).start().await;
    let mut chat = event("task:new", "chat", 0);
    chat["data"]["channelType"] = json!("chat");
    let login = with(event("agent:login", "", 0), json!({ "data": { "agentId": "a" } }));
    let other = with(event("task:new", "other", 0), json!({ "comciscoorgid": "another" }));
    stage.tell([event("task:teleported", "1", 0), chat, login, other]).await;
    for (kind, outcome) in [
        ("other", "ok"),
        ("task:new", "other_channel"),
        ("agent:login", "no_task"),
        ("task:new", "other_org"),
    ] {
        assert_eq!(counted(&stage, kind, outcome).await, 1, "{kind} {outcome}");
    }
    let known = |task: &str| scv_bridge::domain::TaskId::parse(task).unwrap();
    let store = stage.handle.outbox().store();
    assert_eq!(store.find_task(&known("1")).await.unwrap().unwrap().timeline.len(), 1);
    for task in ["chat", "other"] {
        assert!(store.find_task(&known(task)).await.unwrap().is_none());
    }
}

#[actix_web::test]
async fn what_cannot_be_read_or_is_too_long_is_refused_in_our_shape() {
    let stage = stage().await;
    let post = |body: &str| Reply::of(stage.webhook(body));
    assert!(post("{\"id\":").await.error(400).contains("line 1"));
    assert!(post("{\"id\":\"1\"}").await.error(400).starts_with("type:"));
    assert!(post(&format!("{{\"id\":{}", "[".repeat(60_000))).await.error(400).contains("not a webhook"));
    assert!(post(&" ".repeat(70_000)).await.error(413).contains("64 KiB"));
}

#[actix_web::test]
async fn without_its_section_there_is_no_such_route_and_without_a_secret_nobody_gets_in() {
    let stage = Stage::telephony().await;
    let body = event("task:new", "1", 0).to_string();
    Reply::of(stage.webhook(&body)).await.error(404);
    let stage = Plan::telephony().sections("[webex]").start().await;
    Reply::of(stage.webhook(&body)).await.error(401);
}

#[actix_web::test]
async fn no_number_of_a_webhook_is_kept_unless_it_may_be_needed() {
    let stage = stage().await;
    stage.tell([event("task:new", "1", 0)]).await;
    assert!(!stage.database_holds("4693150217"));
    let stage = Plan::telephony().sections(&webex("log_unknown_calls = true")).start().await;
    stage.tell([event("task:new", "1", 0)]).await;
    assert!(stage.database_holds("4693150217"));
}
