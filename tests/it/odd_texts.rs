//! Texts that one database keeps and another refuses: every answer is the same on both, and none is 503.

use serde_json::{Value, json};

use crate::postgres::Postgres;
use crate::stage::{Plan, Reply, Stage, create, ended, event, omni_flow, reference, webex, with};

/// A NUL, the longest text of four bytes a character, characters that are none, and the ends of time.
fn odd() -> Vec<Value> {
    let long = "\u{1F4DE}".repeat(250);
    vec![
        json!("a\u{0}b"),
        json!(long),
        json!("\u{FFFF}\u{10FFFF}\u{FEFF}\u{202E}"),
        json!("9999-12-31T23:59:59.999Z"),
        json!("0001-01-01T00:00:00Z"),
        json!(253_402_207_200_999_i64),
        json!(-62_135_596_800_000_i64),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!({ "deep": ["a\u{0}b"], "a\u{0}b": 1 }),
    ]
}

async fn stages() -> [Stage; 2] {
    let attributes = "[call_centers.WxCCContactCenterSCV.attributes]\nNote__c = \"request.note\"\nReason__c = \"data.reason\"";
    let sections = format!("{}\n{attributes}\n[breaker]\nfailures = 1000\nslow_calls = 1000", webex(""));
    let plan = || Plan::telephony().sections(&sections);
    [plan().start().await, plan().store(Postgres::shared().database()).start().await]
}

async fn assert_alike(stages: &[Stage; 2], what: &str, send: impl AsyncFn(&Stage) -> Reply) -> u16 {
    let [sqlite, postgres] = [send(&stages[0]).await, send(&stages[1]).await];
    assert_eq!(sqlite.status, postgres.status, "{what}: {} {}", sqlite.text, postgres.text);
    assert_ne!(sqlite.status, 503, "{what}: {}", sqlite.text);
    sqlite.status
}

#[actix_web::test]
async fn no_webhook_is_refused_by_the_database() {
    let stages = stages().await;
    for field in ["id", "type", "comciscoorgid"] {
        for value in odd() {
            let body = with(event("task:ended", "1", 0), json!({ (field): value })).to_string();
            let what = format!("{field} {value}");
            assert_alike(&stages, &what, async |stage| Reply::of(stage.webhook(&body)).await).await;
        }
    }
    for field in ["id", "type"] {
        let body = with(event("task:ended", "1", 0), json!({ (field): "a\u{0}b" })).to_string();
        let reply = Reply::of(stages[1].webhook(&body)).await;
        assert!(reply.error(400).starts_with(&format!("{field}: holds characters")), "{}", reply.text);
    }
    let data =
        ["createdTime", "taskId", "origin", "destination", "direction", "queueId", "agentId", "reason"];
    for field in data {
        for kind in ["task:ended", "task:connected"] {
            for value in odd() {
                let mut body = event(kind, "2", 0);
                body["data"][field] = value.clone();
                let (body, what) = (body.to_string(), format!("{kind} {field} {value}"));
                assert_alike(&stages, &what, async |stage| Reply::of(stage.webhook(&body)).await).await;
            }
        }
    }
    for stage in &stages {
        stage.wait_seconds(60);
        let worker = stage.handle.task_worker().unwrap();
        worker.step().await.unwrap();
        worker.idle().await;
    }
}

#[actix_web::test]
async fn no_request_is_refused_by_the_database() {
    let stages = stages().await;
    let texts = [
        "agent",
        "agentId",
        "callAttributes",
        "endTime",
        "enqueueTime",
        "from",
        "interactionId",
        "note",
        "parentInteractionId",
        "parentVoiceCallId",
        "queue",
        "startTime",
        "to",
        "vendorCallKey",
        "voiceCallId",
    ];
    let bodies = [
        ("createVoiceCall", create("wxcc_1")),
        ("executeOmniFlow", omni_flow("wxcc_1")),
        ("agentAnswered", reference("wxcc_1")),
        ("updateVoiceCall", with(reference("wxcc_1"), json!({ "isActiveCall": true }))),
        ("clearRouting", reference("wxcc_1")),
        ("phoneContactEnded", ended("wxcc_1")),
    ];
    for (route, body) in bodies {
        for field in texts {
            for value in odd() {
                let body = with(body.clone(), json!({ (field): value }));
                let what = format!("{route} {field} {value}");
                assert_alike(&stages, &what, async |stage| stage.post(route, body.clone()).await).await;
            }
        }
    }
    for stage in &stages {
        let _what_the_org_refused = stage.refusals();
    }
}
