//! What the bridge remembers of a call: it is created once, an answered one is left alone, and one that Salesforce
//! could not take is logged after all.

use scv_bridge::mock::{BadDay, Disposition, Operation};
use serde_json::{Value, json};

use crate::stage::{CENTER, Plan, Stage, at_once, create, ended, event, omni_flow, reference, webex, with};

fn answered(key: &str) -> Value {
    json!({ "callCenterDevName": CENTER, "vendorCallKey": key, "agentId": "7d6a" })
}

/// What the vendor's unchanged event flow sends for every call that ends.
async fn vendors_hang_up(stage: &Stage, id: &str) -> [String; 2] {
    let cleared = stage.post("clearRouting", reference(id)).await;
    let update = json!({
        "startTime": "2026-11-21T10:00:00.123Z",
        "endTime": "2026-11-21T10:03:00Z",
        "disconnectReason": { "value": "Abandoned in queue", "isError": false },
    });
    let updated = stage.post("updateVoiceCall", with(reference(id), update)).await;
    [cleared, updated].map(|reply| reply.data()["status"].as_str().unwrap().to_owned())
}

#[actix_web::test]
async fn a_create_repeated_a_hundred_times_at_once_makes_one_record() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = plan.workers(2).start().await;
        let replies = at_once((0..100).map(|_| stage.flow("createVoiceCall", create("wxcc_1")))).await;
        let first = replies[0].data()["voiceCallId"].clone();
        assert!(replies.iter().all(|reply| reply.data()["voiceCallId"] == first));
        assert_eq!(stage.asked(Operation::Create).len(), 1);
        stage.wait_seconds(6 * 24 * 3600);
        assert_eq!(stage.post("createVoiceCall", create("wxcc_1")).await.data()["voiceCallId"], first);
        assert_eq!(stage.org.voice_calls().len(), 1);
    }
}

#[actix_web::test]
async fn a_key_that_was_used_for_another_call_is_refused() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_1").await;
    let others = [
        json!({ "from": "+14693150299", "startTime": "2026-11-21T10:05:00Z" }),
        json!({ "to": "+18005550199" }),
        json!({ "from": "+14693150299", "to": "+18005550199" }),
    ];
    for other in others.clone() {
        let reply = stage.post("createVoiceCall", with(create("wxcc_1"), other)).await;
        assert!(reply.error(400).starts_with("vendorCallKey: an earlier call had the same key"));
    }
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_2")).await.error(503);
    for other in others {
        let reply = stage.post("createVoiceCall", with(create("wxcc_2"), other)).await;
        assert!(reply.error(400).starts_with("vendorCallKey: an earlier call had the same key"));
    }
    let reply = stage.post("createVoiceCall", create("wxcc_")).await;
    assert!(reply.error(400).starts_with("vendorCallKey: is the bare prefix wxcc_"));
    assert_eq!(stage.org.voice_calls().len(), 1);
    assert!(stage.call("wxcc_2").await.starts_with("0LQ"), "the same create is tried anew");
}

#[actix_web::test]
async fn a_caller_whose_number_changes_before_any_agent_has_one_voice_call() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = plan.sections(&webex("")).start().await;
        let id = stage.call("wxcc_1").await;
        let changed = with(create("wxcc_1"), json!({ "from": "+14693150299" }));
        let elsewhen = with(changed.clone(), json!({ "startTime": "2026-11-21T10:00:07Z" }));
        assert_eq!(stage.post("createVoiceCall", changed.clone()).await.data()["voiceCallId"], id);
        stage.post("createVoiceCall", elsewhen.clone()).await.error(400);
        stage.tell([event("task:new", "1", 0), event("task:origin-updated", "1", 5)]).await;
        for body in [elsewhen, changed, create("wxcc_1")] {
            assert_eq!(stage.post("createVoiceCall", body).await.data()["voiceCallId"], id);
        }
        assert_eq!(stage.org.voice_calls().len(), 1);
    }
}

#[actix_web::test]
async fn a_transfer_with_another_parent_is_another_call_under_the_same_key() {
    let stage = Stage::telephony().await;
    let parents = [stage.call("wxcc_1").await, stage.call("wxcc_2").await];
    let mut ids = Vec::new();
    for parent in [&parents[0], &parents[1], &parents[1]] {
        let transfer = json!({ "initiationMethod": "Transfer", "parentVoiceCallId": parent });
        let reply = stage.post("createVoiceCall", with(create("wxcc_3"), transfer)).await;
        ids.push(reply.data()["voiceCallId"].clone());
    }
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[1], ids[2]);
}

#[actix_web::test]
async fn the_vendors_unchanged_flow_leaves_an_answered_call_untouched() {
    for stage in Stage::both().await {
        let id = stage.call("wxcc_1").await;
        stage.post("executeOmniFlow", omni_flow(&id)).await.data();
        assert!(stage.org.agent_accepts("wxcc_1", "agent@example.com"));
        stage.post("agentAnswered", answered("wxcc_1")).await.data();
        let before = stage.org.voice_call(&id).unwrap();
        stage.org.forget_requests();
        assert_eq!(vendors_hang_up(&stage, &id).await, ["Success", "pending"]);
        let hang_up = stage.post("phoneContactEnded", ended("wxcc_1")).await;
        assert_eq!(hang_up.data()["outcome"], "answered");
        assert_eq!(stage.org.requests().len(), 0);
        assert_eq!(stage.org.voice_call(&id).unwrap(), before);
    }
}

#[actix_web::test]
async fn an_update_that_names_an_agent_tells_that_the_call_was_answered() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    let update = json!({ "isActiveCall": true, "agent": "agent@example.com" });
    stage.post("updateVoiceCall", with(reference(&id), update)).await.data();
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["outcome"], "answered");
}

#[actix_web::test]
async fn without_the_guard_a_flow_gets_its_way() {
    let section = format!("[call_centers.{CENTER}.abandonment]\nguard = false");
    let stage = Plan::telephony().sections(&section).start().await;
    let id = stage.call("wxcc_1").await;
    stage.post("agentAnswered", answered("wxcc_1")).await.data();
    vendors_hang_up(&stage, &id).await;
    let call = stage.org.voice_call(&id).unwrap();
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
}

#[actix_web::test]
async fn a_hang_up_counts_once_whoever_reports_it() {
    let stage = Stage::telephony().await;
    for key in ["wxcc_1", "wxcc_2"] {
        stage.call(key).await;
    }
    for outcome in ["abandoned", "duplicate", "duplicate"] {
        assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["outcome"], outcome);
    }
    vendors_hang_up(&stage, "wxcc_2").await;
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_2")).await.data()["outcome"], "duplicate");
    vendors_hang_up(&stage, "wxcc_2").await;
    for key in ["wxcc_1", "wxcc_2"] {
        assert_eq!(stage.org.voice_call(key).unwrap().updates, 1);
    }
}

#[actix_web::test]
async fn routing_that_comes_after_the_hang_up_is_cleared_again() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    assert_eq!(stage.org.voice_call(&id).unwrap().pending_routing, None);
}

#[actix_web::test]
async fn the_reason_tells_where_the_caller_gave_up() {
    let stage = Stage::telephony().await;
    for (key, routed) in [("wxcc_1", false), ("wxcc_2", true)] {
        stage.call(key).await;
        if routed {
            stage.post("executeOmniFlow", omni_flow(key)).await.data();
        }
        stage.post("phoneContactEnded", ended(key)).await.data();
    }
    let reason = |key: &str| stage.org.voice_call(key).unwrap().disconnect_reason;
    assert_eq!(reason("wxcc_1").as_deref(), Some("Abandoned in IVR"));
    assert_eq!(reason("wxcc_2").as_deref(), Some("Abandoned in queue"));
}

#[actix_web::test]
async fn a_deferred_create_answers_the_key_and_is_done_afterwards() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = plan.center("on_create_failure = \"defer\"").start().await;
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
        assert_eq!(stage.call("wxcc_1").await, "wxcc_1");
        assert_eq!(stage.call("wxcc_1").await, "wxcc_1", "a repetition changes nothing");
        let hang_up = stage.post("phoneContactEnded", ended("wxcc_1")).await;
        assert_eq!(hang_up.data(), &json!({ "outcome": "abandoned", "status": "pending" }));
        stage.deliver(2).await;
        let calls = stage.org.voice_calls();
        assert_eq!(
            (calls.len(), calls[0].updates, calls[0].call_disposition),
            (1, 1, Disposition::Completed)
        );
        assert_eq!(stage.asked(Operation::Create).len(), 2);
    }
}

#[actix_web::test]
async fn a_call_whose_create_failed_is_logged_by_its_hang_up() {
    for stage in Stage::both().await {
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
        let attributes = json!({ "callAttributes": { "A__c": "1" } });
        stage.post("createVoiceCall", with(create("wxcc_1"), attributes)).await.error(503);
        stage.post("phoneContactEnded", with(ended("wxcc_1"), json!({ "startTime": "" }))).await.data();
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert!(
            call.created_by_update && call.missing_when_created.is_empty(),
            "{:?}",
            call.missing_when_created
        );
        assert_eq!(call.from_phone_number.as_deref(), Some("(469) 315-0217"));
        assert_eq!(call.call_start_date_time.as_deref(), Some("2026-11-21T10:00:00.123Z"));
        assert_eq!(call.attributes["A__c"], "1");
        let _nothing_to_clear = stage.refusals();
    }
}

#[actix_web::test]
async fn after_a_failed_create_the_vendors_flow_is_understood_by_the_start_of_the_call() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    let [_, updated] = vendors_hang_up(&stage, "").await;
    assert_eq!(updated, "pending");
    let call = stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
}

#[actix_web::test]
async fn no_number_is_left_in_the_database_after_a_closed_call() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    assert!(stage.database_holds("315-0217"), "as long as it may be needed");
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let _nothing_to_clear = stage.refusals();
    stage.deliver(1).await;
    stage.handle.tidy_store().await.unwrap();
    for part in ["3150217", "315-0217", "18005550100"] {
        assert!(!stage.database_holds(part), "{part}");
    }
}

#[actix_web::test]
async fn an_answer_between_the_look_and_the_commit_keeps_an_abandonment_back() {
    let stage = Plan::telephony().deadline("10s").start().await;
    stage.script(BadDay::Slow { milliseconds: 300 }, Operation::Create);
    let abandoned = json!({ "disconnectReason": { "value": "Abandoned in queue", "isError": false } });
    // The update looks, waits for the create in flight, and is committed after the answer.
    let (created, updated, ()) = tokio::join!(
        stage.post("createVoiceCall", create("wxcc_1")),
        async {
            stage.work_until(async || !stage.asked(Operation::Create).is_empty()).await;
            stage.post("updateVoiceCall", with(reference("wxcc_1"), abandoned)).await
        },
        async {
            stage.work_until(async || !stage.asked(Operation::Create).is_empty()).await;
            stage.post("agentAnswered", answered("wxcc_1")).await.data();
        }
    );
    created.data();
    updated.data();
    stage.deliver(60).await;
    assert_eq!(stage.sent(Operation::Update), Vec::<Value>::new());
    assert_eq!(stage.org.voice_call("wxcc_1").unwrap().call_disposition, Disposition::New);
}

/// No number of a create that failed is left, whatever ended as answered.
async fn assert_no_number(stage: &Stage) {
    stage.handle.tidy_store().await.unwrap();
    for part in ["3150217", "315-0217", "18005550100"] {
        assert!(!stage.database_holds(part), "{part}");
    }
}

#[actix_web::test]
async fn no_number_is_left_of_a_call_that_an_agent_answers_while_its_hang_up_is_decided() {
    let stage = Plan::telephony().ask_salesforce().deadline("10s").start().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    assert!(stage.database_holds("315-0217"), "as long as it may be needed");
    stage.script(BadDay::Slow { milliseconds: 500 }, Operation::Query);
    // The hang-up asks Salesforce, and is committed after the answer.
    let (ended, ()) = tokio::join!(stage.post("phoneContactEnded", ended("wxcc_1")), async {
        stage.work_until(async || !stage.asked(Operation::Query).is_empty()).await;
        stage.post("agentAnswered", answered("wxcc_1")).await.data();
    });
    assert_eq!(ended.data()["outcome"], "answered");
    assert_no_number(&stage).await;
}

#[actix_web::test]
async fn no_number_is_left_of_an_answered_call_whose_end_the_vendors_flow_tells() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    stage.post("agentAnswered", answered("wxcc_1")).await.data();
    vendors_hang_up(&stage, "wxcc_1").await;
    assert_eq!(stage.sent(Operation::Update), Vec::<Value>::new());
    assert_no_number(&stage).await;
}
