//! phoneContactEnded and agentAnswered: an answered call stays as it is, an abandoned one is completed, always.

use insta::assert_json_snapshot;
use scv_bridge::mock::{BadDay, Disposition, Operation, VoiceCall};
use serde_json::json;

use crate::stage::{CENTER, Plan, Reply, Stage, create, ended, omni_flow, with};

/// Everything that was asked of the org after the last `forget_requests`.
fn operations(stage: &Stage) -> Vec<Operation> {
    stage
        .org
        .requests()
        .into_iter()
        .map(|request| request.operation)
        .filter(|one| *one != Operation::Token)
        .collect()
}

/// A call that waits in a queue; what was asked so far is forgotten.
async fn waiting(stage: &Stage, key: &str) -> String {
    let id = stage.call(key).await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    assert!(stage.org.voice_call(key).unwrap().pending_routing.is_some());
    stage.org.forget_requests();
    id
}

fn assert_abandoned(reply: &Reply) {
    assert_eq!(reply.data(), &json!({ "outcome": "abandoned", "status": "Success" }));
}

fn assert_completed(call: &VoiceCall, reason: &str, is_error: bool) {
    assert_eq!(call.call_disposition, Disposition::Completed);
    assert_eq!(call.pending_routing, None);
    assert_eq!((call.disconnect_reason.as_deref(), call.disconnect_is_error), (Some(reason), Some(is_error)));
}

#[actix_web::test]
async fn an_answered_call_is_left_alone() {
    for stage in Stage::both().await {
        waiting(&stage, "wxcc_1").await;
        assert!(stage.org.agent_accepts("wxcc_1", "agent@example.com"));
        let before = stage.org.voice_call("wxcc_1").unwrap();
        let reply =
            stage.post("phoneContactEnded", with(ended("wxcc_1"), json!({ "agentId": "7d6a" }))).await;
        assert_eq!(reply.data(), &json!({ "outcome": "answered", "status": "Success" }));
        assert_eq!(operations(&stage), []);
        assert_eq!(stage.org.voice_call("wxcc_1").unwrap(), before);
    }
}

#[actix_web::test]
async fn an_abandoned_call_is_cleared_and_then_completed() {
    for stage in Stage::both().await {
        let id = waiting(&stage, "wxcc_1").await;
        let more = json!({ "voiceCallId": id, "agentId": "", "endTime": "2026-11-21T10:00:30Z" });
        assert_abandoned(&stage.post("phoneContactEnded", with(ended("wxcc_1"), more)).await);
        assert_eq!(operations(&stage), [Operation::ClearRouting, Operation::Update]);
        let call = stage.org.voice_call(&id).unwrap();
        assert_completed(&call, "Abandoned in queue", true);
        assert_eq!(call.call_duration_in_seconds, Some(90));
        assert_eq!(call.updates, 1);
    }
}

#[actix_web::test]
async fn the_final_update_of_a_known_record_is_short() {
    let stage = Stage::telephony().await;
    let id = waiting(&stage, "wxcc_1").await;
    let more = json!({ "voiceCallId": id, "from": "+14693150217", "to": "+18005550100", "callAttributes": { "A__c": 1 } });
    assert_abandoned(&stage.post("phoneContactEnded", with(ended("wxcc_1"), more)).await);
    assert_json_snapshot!(stage.sent(Operation::Update)[0]);
}

#[actix_web::test]
async fn a_call_that_was_never_created_gets_its_record_from_the_hang_up() {
    for stage in Stage::both().await {
        let more = json!({ "voiceCallId": "", "from": "+14693150217", "to": "+18005550100" });
        assert_abandoned(&stage.post("phoneContactEnded", with(ended("wxcc_1"), more)).await);
        let refusals = stage.refusals();
        assert_eq!(refusals.len(), 1, "there was no routing to clear");
        assert_eq!((refusals[0].operation, refusals[0].status), (Operation::ClearRouting, 404));
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert!(
            call.created_by_update && call.missing_when_created.is_empty(),
            "{:?}",
            call.missing_when_created
        );
        assert_completed(&call, "Abandoned in queue", true);
        assert_eq!(call.from_phone_number.as_deref(), Some("(469) 315-0217"));
        assert_eq!(call.to_phone_number.as_deref(), Some("18005550100"));
    }
}

#[actix_web::test]
async fn the_final_update_under_a_key_says_what_a_create_would_have_said() {
    let stage = Stage::telephony().await;
    let more = json!({ "from": "+14693150217", "to": "+18005550100" });
    stage.post("phoneContactEnded", with(ended("wxcc_1"), more)).await.data();
    assert_eq!(stage.refusals().len(), 1);
    assert_json_snapshot!(stage.asked_once(Operation::Update));
}

#[actix_web::test]
async fn an_interaction_id_is_as_good_as_the_key() {
    let stage = Stage::telephony().await;
    waiting(&stage, "wxcc_7b3c").await;
    let more = json!({ "vendorCallKey": null, "interactionId": "7b3c" });
    assert_abandoned(&stage.post("phoneContactEnded", with(ended(""), more)).await);
    assert_eq!(stage.org.voice_call("wxcc_7b3c").unwrap().call_disposition, Disposition::Completed);
}

#[actix_web::test]
async fn the_reason_is_the_flows_or_else_the_configured_one() {
    let section = format!("[call_centers.{CENTER}.abandonment]\nreason = \"Gave up\"\nis_error = false");
    let stage = Plan::telephony().sections(&section).start().await;
    for key in ["wxcc_1", "wxcc_2"] {
        waiting(&stage, key).await;
    }
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    assert_completed(&stage.org.voice_call("wxcc_1").unwrap(), "Gave up", false);
    let reason = json!({ "disconnectReason": { "value": "CALLBACK", "isError": "true" } });
    stage.post("phoneContactEnded", with(ended("wxcc_2"), reason)).await.data();
    assert_completed(&stage.org.voice_call("wxcc_2").unwrap(), "CALLBACK", true);
}

#[actix_web::test]
async fn a_call_without_an_end_ends_now() {
    let stage = Stage::telephony().await;
    waiting(&stage, "wxcc_1").await;
    stage.wait_seconds(5);
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let call = stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.call_end_date_time.as_deref(), Some("2026-11-21T10:00:05.250Z"));
}

#[actix_web::test]
async fn a_failed_clear_routing_does_not_keep_the_final_update_back() {
    for stage in Stage::both().await {
        for (key, day) in [
            ("wxcc_1", BadDay::Unavailable { retry_after: None }),
            ("wxcc_2", BadDay::DropConnection { after_work: false }),
        ] {
            waiting(&stage, key).await;
            stage.script(day, Operation::ClearRouting);
            assert_abandoned(&stage.post("phoneContactEnded", ended(key)).await);
            assert_completed(&stage.org.voice_call(key).unwrap(), "Abandoned in queue", true);
        }
    }
}

fn assert_pending(reply: &Reply) {
    assert_eq!(reply.data(), &json!({ "outcome": "abandoned", "status": "pending" }));
}

#[actix_web::test]
async fn a_final_update_that_failed_is_kept_and_sent_again() {
    for stage in Stage::both().await {
        waiting(&stage, "wxcc_1").await;
        stage.script(BadDay::Unavailable { retry_after: Some(4) }, Operation::Update);
        assert_pending(&stage.post("phoneContactEnded", ended("wxcc_1")).await);
        stage.deliver(5).await;
        assert_completed(&stage.org.voice_call("wxcc_1").unwrap(), "Abandoned in queue", true);
    }
}

#[actix_web::test]
async fn a_hang_up_while_salesforce_is_gone_is_kept() {
    for stage in Stage::both().await {
        stage.org.stop().await;
        assert_pending(&stage.post("phoneContactEnded", ended("wxcc_1")).await);
        let reply = stage.post("phoneContactEnded", ended("wxcc_1")).await;
        assert_eq!(reply.data()["outcome"], "duplicate", "it is kept once");
    }
}

#[actix_web::test]
async fn an_answered_call_needs_no_salesforce() {
    let stage = Stage::telephony().await;
    stage.org.stop().await;
    stage.post("phoneContactEnded", with(ended("wxcc_1"), json!({ "agentId": "7d6a" }))).await.data();
    let answered = json!({ "callCenterDevName": CENTER, "interactionId": "1" });
    stage.post("agentAnswered", answered).await.data();
}

#[actix_web::test]
async fn that_an_agent_answered_is_taken_and_salesforce_not_asked() {
    for stage in Stage::both().await {
        let more = json!({ "agentId": "7d6a", "queueId": "q1", "acceptTime": 1_795_255_200 });
        for key in [json!({ "vendorCallKey": "wxcc_1" }), json!({ "interactionId": "1" })] {
            let body = with(with(json!({ "callCenterDevName": CENTER }), more.clone()), key);
            let reply = stage.post("agentAnswered", body).await;
            assert_eq!(reply.data(), &json!({ "status": "Success" }));
        }
        let reply =
            stage.post("agentAnswered", json!({ "callCenterDevName": CENTER, "acceptTime": "soon" })).await;
        assert_eq!(reply.errors(400).len(), 2);
        assert_eq!(operations(&stage), []);
    }
}

#[actix_web::test]
async fn a_hang_up_in_the_middle_of_a_create_is_served_beside_it() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Slow { milliseconds: 50 }, Operation::Create);
    let (created, ended) = tokio::join!(
        stage.post("createVoiceCall", create("wxcc_1")),
        stage.post("phoneContactEnded", ended("wxcc_1"))
    );
    created.data();
    assert_abandoned(&ended);
    // Whichever came first, the org may have found nothing to clear.
    let _seen = stage.refusals();
}

#[actix_web::test]
async fn a_call_whose_start_lies_ahead_of_our_clock_ends_when_it_began() {
    for stage in Stage::both().await {
        let start = json!({ "startTime": "2026-11-26T10:00:00.200Z" });
        for (key, said) in [("wxcc_1", start.clone()), ("wxcc_2", json!({}))] {
            stage.post("createVoiceCall", with(create(key), start.clone())).await.data();
            let ended = with(with(ended(key), said), json!({ "endTime": "2026-11-26T10:00:00Z" }));
            assert_eq!(stage.post("phoneContactEnded", ended).await.data()["status"], "Success");
            let call = stage.org.voice_call(key).unwrap();
            assert_eq!(call.call_disposition, Disposition::Completed);
        }
    }
}
