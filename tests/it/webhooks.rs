//! What webhooks alone do for a VoiceCall.

use scv_bridge::domain::{CallCenterName, CallReference};
use scv_bridge::mock::{BadDay, Disposition, Operation};
use serde_json::json;

use crate::stage::{CENTER, Plan, Stage, create, ended, event, omni_flow, reference, webex, with};

async fn both(keys: &str) -> [Stage; 2] {
    [
        Plan::telephony().sections(&webex(keys)).start().await,
        Plan::apex().sections(&webex(keys)).start().await,
    ]
}

/// A call that waits in a queue.
async fn waiting(stage: &Stage, task: &str) -> String {
    let id = stage.call(&format!("wxcc_{task}")).await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    id
}

fn updates(stage: &Stage) -> usize {
    stage.asked(Operation::Update).len()
}

#[actix_web::test]
async fn a_call_whose_event_flow_never_ran_is_completed_by_its_events() {
    for stage in both("").await {
        waiting(&stage, "1").await;
        stage
            .tell([event("task:new", "1", -60), event("task:parked", "1", -50), event("task:ended", "1", 0)])
            .await;
        stage.conclude(9).await;
        assert_eq!(updates(&stage), 0, "late events have their time");
        stage.conclude(2).await;
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!(call.call_disposition, Disposition::Completed);
        assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
        assert_eq!((call.pending_routing, call.call_duration_in_seconds), (None, Some(60)));
        assert_eq!(call.updates, 1);
    }
}

/// All that is left of a create that a killed process was making: nobody repeats it, and no flow tells of the end.
#[actix_web::test]
async fn a_call_whose_create_a_killed_process_was_making_is_completed_by_its_events() {
    for stage in both("").await {
        waiting(&stage, "1").await;
        let left =
            "UPDATE calls SET voice_call_id = NULL, created_at = NULL, fingerprint = NULL, start_time = NULL,
            routed_at = NULL, create_unknown_at = updated_at";
        sqlx::raw_sql(left).execute(&mut stage.beside().await).await.unwrap();
        stage
            .tell([event("task:new", "1", -60), event("task:parked", "1", -50), event("task:ended", "1", 0)])
            .await;
        stage.conclude(11).await;
        let calls = stage.org.voice_calls();
        assert_eq!(calls.len(), 1, "{calls:?}");
        assert_eq!(calls[0].call_disposition, Disposition::Completed);
        assert_eq!(calls[0].disconnect_reason.as_deref(), Some("Abandoned in queue"));
    }
}

#[actix_web::test]
async fn a_create_that_comes_after_the_end_was_concluded_leaves_no_call_open() {
    for stage in both("").await {
        stage
            .tell([event("task:new", "1", -60), event("task:parked", "1", -50), event("task:ended", "1", 0)])
            .await;
        stage.conclude(11).await;
        waiting(&stage, "1").await;
        stage.conclude(50).await;
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1));
    }
}

#[actix_web::test]
async fn with_its_first_event_lost_a_call_still_began_when_its_flow_says() {
    let stage = Plan::telephony().sections(&webex("")).start().await;
    let body = with(create("wxcc_1"), json!({ "startTime": "2026-11-21T09:59:00Z" }));
    stage.post("createVoiceCall", body).await.data();
    stage.tell([event("task:parked", "1", -50), event("task:ended", "1", 0)]).await;
    stage.conclude(11).await;
    let call = stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.call_start_date_time.as_deref(), Some("2026-11-21T09:59:00.000Z"));
}

#[actix_web::test]
async fn events_and_flow_together_give_one_abandon_update_whoever_comes_first() {
    for stage in both("").await {
        for (task, flow_first) in [("1", true), ("2", false)] {
            let key = format!("wxcc_{task}");
            waiting(&stage, task).await;
            if flow_first {
                stage.post("phoneContactEnded", ended(&key)).await.data();
            }
            stage.tell([event("task:new", task, -60), event("task:ended", task, 0)]).await;
            stage.conclude(11).await;
            if !flow_first {
                let reply = stage.post("phoneContactEnded", ended(&key)).await;
                assert_eq!(reply.data()["outcome"], "duplicate");
            }
            assert_eq!(stage.org.voice_call(&key).unwrap().updates, 1);
        }
        assert_eq!(updates(&stage), 2);
    }
}

#[actix_web::test]
async fn an_answered_call_under_the_vendors_unchanged_flow_stays_untouched_by_webhooks_alone() {
    for sign_of_life in ["task:connected", "task:on-hold"] {
        for stage in both("").await {
            let id = waiting(&stage, "1").await;
            stage.tell([event("task:new", "1", -60), event(sign_of_life, "1", -30)]).await;
            assert!(stage.org.agent_accepts("wxcc_1", "agent@example.com"));
            let before = stage.org.voice_call("wxcc_1").unwrap();
            // What the published flow sends at the end of every call.
            stage.post("clearRouting", reference(&id)).await.data();
            let reason = json!({ "disconnectReason": { "value": "Abandoned in queue", "isError": true },
                "startTime": "2026-11-21T09:59:00Z", "endTime": "2026-11-21T10:00:00Z" });
            stage.post("updateVoiceCall", with(reference(&id), reason)).await.data();
            stage.tell([event("task:ended", "1", 0)]).await;
            stage.conclude(11).await;
            assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
            assert_eq!((updates(&stage), stage.asked(Operation::ClearRouting).len()), (0, 0));
        }
    }
}

#[actix_web::test]
async fn an_acceptance_that_overtakes_the_create_counts() {
    let stage = Plan::telephony().sections(&webex("")).start().await;
    stage.tell([event("task:connected", "1", -30)]).await;
    waiting(&stage, "1").await;
    let reply = stage.post("phoneContactEnded", ended("wxcc_1")).await;
    assert_eq!(reply.data()["outcome"], "answered");
    assert_eq!(updates(&stage), 0);
}

#[actix_web::test]
async fn an_acceptance_that_comes_within_the_grace_counts_in_any_order() {
    let stage = Plan::telephony().sections(&webex("")).start().await;
    waiting(&stage, "1").await;
    stage.tell([event("task:ended", "1", 0), event("task:ended", "1", 0)]).await;
    stage.conclude(9).await;
    stage.tell([event("task:connected", "1", -20), event("task:new", "1", -60)]).await;
    stage.conclude(30).await;
    assert_eq!(updates(&stage), 0);
    let reply = stage.post("phoneContactEnded", ended("wxcc_1")).await;
    assert_eq!(reply.data()["outcome"], "duplicate", "its end is known");
}

#[actix_web::test]
async fn a_call_that_hung_up_in_the_menu_says_so() {
    let stage = Plan::telephony().sections(&webex("")).start().await;
    stage.call("wxcc_1").await;
    stage.tell([event("task:new", "1", -60), event("task:ended", "1", 0)]).await;
    stage.conclude(11).await;
    let refusals = stage.refusals();
    assert!(refusals.iter().all(|refusal| refusal.operation == Operation::ClearRouting), "{refusals:?}");
    let call = stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in IVR"));
    // Without executeOmniFlow only Webex knows that it was queued.
    stage.call("wxcc_2").await;
    stage.tell([event("task:connect", "2", -30), event("task:ended", "2", 0)]).await;
    stage.conclude(11).await;
    let call = stage.org.voice_call("wxcc_2").unwrap();
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
    let _seen = stage.refusals();
}

#[actix_web::test]
async fn the_flows_hang_up_is_told_from_the_queue_where_events_show_one() {
    for stage in both("").await {
        stage.call("wxcc_1").await;
        stage.tell([event("task:new", "1", 0), event("task:parked", "1", 10)]).await;
        stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
        let refusals = stage.refusals();
        assert!(refusals.iter().all(|refusal| refusal.operation == Operation::ClearRouting), "{refusals:?}");
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
        assert_eq!(call.call_queued_date_time.as_deref(), Some("2026-11-21T10:00:10.000Z"));
    }
}

#[actix_web::test]
async fn a_call_that_no_flow_told_of_is_left_unless_it_is_to_be_logged() {
    for stage in both("").await {
        stage
            .tell([
                event("task:new", "1", -60),
                event("task:connected", "1", -50),
                event("task:ended", "1", 0),
            ])
            .await;
        stage.tell([event("task:new", "2", -60), event("task:ended", "2", 0)]).await;
        stage.conclude(11).await;
        assert_eq!(updates(&stage), 0);
    }
    for stage in both("log_unknown_calls = true").await {
        let answered = [("task:new", -60), ("task:parked", -55), ("task:connected", -50), ("task:ended", 0)];
        stage.tell(answered.map(|(kind, second)| event(kind, "1", second))).await;
        stage
            .tell([event("task:new", "2", -60), event("task:parked", "2", -55), event("task:ended", "2", 0)])
            .await;
        stage.conclude(11).await;
        let _nothing_to_clear = stage.refusals();
        for (key, reason) in [("wxcc_1", None), ("wxcc_2", Some("Abandoned in queue"))] {
            let call = stage.org.voice_call(key).unwrap();
            assert!(call.created_by_update && call.missing_when_created.is_empty(), "{call:?}");
            assert_eq!(call.from_phone_number.as_deref(), Some("(469) 315-0217"));
            assert_eq!(call.disconnect_reason.as_deref(), reason);
            assert_eq!(call.call_duration_in_seconds, Some(60));
        }
        stage.tell([event("capture:available", "1", 20), event("task:ended", "2", 0)]).await;
        stage.conclude(30).await;
        assert_eq!(updates(&stage), 2, "each is logged once");
        stage.handle.tidy_store().await.unwrap();
        assert!(!stage.database_holds("4693150217"), "no number is kept of what is done");
    }
}

#[actix_web::test]
async fn what_salesforce_does_not_take_at_the_end_waits_in_the_outbox() {
    let stage = Plan::telephony().sections(&webex("")).start().await;
    waiting(&stage, "1").await;
    stage.script(BadDay::Unavailable { retry_after: Some(4) }, Operation::Update);
    stage.tell([event("task:ended", "1", 0)]).await;
    stage.conclude(11).await;
    stage.deliver(5).await;
    assert_eq!(stage.org.voice_call("wxcc_1").unwrap().updates, 1);
}

#[actix_web::test]
async fn the_contact_center_is_the_one_whose_journal_knows_the_call() {
    let stage = Plan::telephony().sections(&webex("")).start().await;
    let elsewhere = with(create("wxcc_1"), json!({ "callCenterDevName": "Sandbox" }));
    stage.post("createVoiceCall", elsewhere).await.data();
    stage.tell([event("task:connected", "1", -20)]).await;
    let end = with(ended("wxcc_1"), json!({ "callCenterDevName": "Sandbox" }));
    assert_eq!(stage.post("phoneContactEnded", end).await.data()["outcome"], "answered");
    let here = CallCenterName::parse(CENTER).unwrap();
    let call = CallReference::parse("wxcc_1").unwrap();
    let found = stage.handle.outbox().store().find(&here, &call).await.unwrap();
    assert_eq!(found, None, "the other one has nothing to do with it");
}

#[actix_web::test]
async fn what_an_agent_does_with_an_answered_call_asks_nothing_and_a_transfer_of_it_is_told_all_the_same() {
    let stage = Plan::telephony().sections(&webex("")).start().await;
    let store = stage.handle.outbox().store().clone();
    let first = waiting(&stage, "1").await;
    stage.tell([event("task:connected", "1", -60)]).await;
    // Nobody waits for the end of the routing to be written down.
    stage.work_until(async || stage.entries().await.is_empty()).await;
    let before = store.work().commands;
    stage.tell([event("task:on-hold", "1", -50), event("task:hold-done", "1", -40)]).await;
    assert_eq!(store.work().commands - before, 2, "they are kept, and that is all");
    let transfer = json!({ "parentVoiceCallId": first, "initiationMethod": "Transfer" });
    stage.post("createVoiceCall", with(create("wxcc_1"), transfer)).await.data();
    let key = CallReference::parse("wxcc_1").unwrap();
    let center = CallCenterName::parse(CENTER).unwrap();
    let newest = store.find(&center, &key).await.unwrap().unwrap();
    assert!(!newest.name.parent().is_empty() && !newest.is_answered());
    stage.tell([event("task:on-hold", "1", 20)]).await;
    assert!(store.find(&center, &key).await.unwrap().unwrap().is_answered());
}
