//! Callers who have chosen to be called back: no abandonment, and their place in the queue stays.

use scv_bridge::mock::{Disposition, Operation};
use serde_json::{Value, json};

use crate::enrichment::{ENRICHMENT, both, call, end, updates, waiting};
use crate::stage::{Plan, Stage, ended, event, reference, webex, with};

/// An event of the call that the caller was promised.
fn outbound(kind: &str, second: i64) -> Value {
    let mut event = event(kind, "1", second);
    event["data"]["direction"] = "OUTBOUND".into();
    event["data"]["outboundType"] = "COURTESY_CALLBACK".into();
    event
}

/// Nobody has picked up, and another call is tried later.
fn missed(second: i64) -> [Value; 3] {
    let mut ended = event("task:ended", "1", second);
    ended["data"]["terminatingParty"] = "System".into();
    ended["data"]["reason"] = "RONA Timer Expired".into();
    [outbound("task:connect", second - 10), event("task:parked", "1", second), ended]
}

/// A caller who waits in a queue.
fn queued() -> [Value; 2] {
    [event("task:new", "1", -100), event("task:parked", "1", -90)]
}

/// With and without enrichment, both ways to Salesforce.
async fn all() -> Vec<Stage> {
    let plain = ENRICHMENT.replace("= true", "= false");
    let mut all = Vec::from(both("").await);
    for plan in [Plan::telephony(), Plan::apex()] {
        all.push(plan.center(&plain).sections(&webex("")).start().await);
    }
    all
}

/// What the vendor's flow sends when the caller hangs up.
async fn vendors_hang_up(stage: &Stage, id: &str) {
    stage.post("clearRouting", reference(id)).await.data();
    let reason = json!({ "disconnectReason": { "value": "Abandoned in queue", "isError": true },
        "startTime": "2026-11-21T09:58:20Z", "endTime": "2026-11-21T10:00:00Z" });
    stage.post("updateVoiceCall", with(reference(id), reason)).await.data();
}

#[actix_web::test]
async fn a_caller_who_waits_to_be_called_back_keeps_the_routing_whatever_reports_an_end() {
    for stage in all().await {
        let id = waiting(&stage, "1").await;
        stage.tell(queued()).await;
        stage.tell([outbound("task:connect", -60)]).await;
        let reply = stage.post("phoneContactEnded", ended("wxcc_1")).await;
        assert_eq!(reply.data(), &json!({ "outcome": "callback", "status": "Success" }));
        vendors_hang_up(&stage, &id).await;
        for second in [-50, -20] {
            stage.tell(missed(second)).await;
            stage.conclude(60).await;
        }
        let call = call(&stage, "1");
        assert_eq!((call.call_disposition, call.updates), (Disposition::New, 0));
        assert!(call.pending_routing.is_some());
        assert_eq!((updates(&stage), stage.asked(Operation::ClearRouting).len()), (0, 0));
    }
}

#[actix_web::test]
async fn a_callback_that_an_agent_talked_in_is_an_answered_call() {
    for stage in all().await {
        waiting(&stage, "1").await;
        stage.tell(queued()).await;
        stage.tell(missed(-40)).await;
        stage.conclude(11).await;
        assert!(stage.org.agent_accepts("wxcc_1", "agent@example.com"));
        stage.tell([outbound("task:connect", -30), outbound("task:connected", -20), end("1", 0)]).await;
        stage.conclude(11).await;
        let call = call(&stage, "1");
        assert_ne!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
        if updates(&stage) > 0 {
            assert_eq!(call.call_accept_date_time.as_deref(), Some("2026-11-21T09:59:40.000Z"));
            assert_eq!((call.disconnect_reason.as_deref(), call.updates), (Some("Customer Left"), 1));
        }
    }
}

#[actix_web::test]
async fn a_callback_that_ends_without_an_agent_is_told_as_a_callback() {
    for by_flow_first in [false, true] {
        for stage in all().await {
            waiting(&stage, "1").await;
            stage.tell(queued()).await;
            if by_flow_first {
                // Nothing tells of the choice when the caller hangs up.
                let reply = stage.post("phoneContactEnded", ended("wxcc_1")).await;
                assert_eq!(reply.data()["outcome"], "abandoned");
                stage.deliver(0).await;
            }
            stage.tell(missed(-20)).await;
            stage.conclude(11).await;
            stage.tell([outbound("task:connect", -10), end("1", 0)]).await;
            stage.conclude(11).await;
            stage.deliver(0).await;
            let call = call(&stage, "1");
            assert_eq!(
                (call.disconnect_reason.as_deref(), call.disconnect_is_error),
                (Some("CALLBACK"), Some(false))
            );
            assert_eq!((call.call_disposition, call.pending_routing), (Disposition::Completed, None));
            assert_eq!(call.updates, 1 + u32::from(by_flow_first));
            assert_eq!(call.call_accept_date_time, None);
            let active: Vec<bool> =
                stage.sent(Operation::Update).iter().map(|sent| sent["isActiveCall"] == true).collect();
            assert_eq!(active, [false, true][..=usize::from(by_flow_first)]);
        }
    }
}
