//! Which of the VoiceCalls a request under the common key means, and how each of them ends.

use scv_bridge::mock::Disposition;

use super::*;
use crate::stage::{ended, omni_flow, reference};

/// A call that an agent has given to a second flow, where the caller waits; both ids.
async fn waiting(stage: &Stage) -> [String; 2] {
    let first = taken(stage, "wxcc_1").await;
    let second = created(stage, later("wxcc_1", SECOND)).await;
    stage.post("executeOmniFlow", omni_flow(&second)).await.data();
    [first, second]
}

fn assert_abandoned(stage: &Stage, id: &str) {
    let call = record(stage, id);
    assert_eq!(call.call_disposition, Disposition::Completed);
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
    assert_eq!((call.pending_routing, call.updates), (None, 1));
}

#[actix_web::test]
async fn a_caller_who_gives_up_in_the_second_queue_has_abandoned_the_second_voice_call_only() {
    for stage in Stage::both().await {
        let [first, second] = waiting(&stage).await;
        let before = record(&stage, &first);
        // Webex names the last agent, who had the first part.
        let reply = stage.post("phoneContactEnded", hang_up(AGENT)).await;
        assert_eq!(reply.data(), &json!({ "outcome": "abandoned", "status": "Success" }));
        assert_abandoned(&stage, &second);
        assert_eq!(record(&stage, &first), before);
        let reply = stage.post("phoneContactEnded", hang_up(AGENT)).await;
        assert_eq!(reply.data()["outcome"], "duplicate");
    }
}

#[actix_web::test]
async fn an_agent_who_is_not_known_to_have_had_the_first_part_had_the_second() {
    for (named_at_answer, named_at_end) in [(AGENT, "9e1b"), ("", AGENT)] {
        let stage = Stage::telephony().await;
        let first = stage.call("wxcc_1").await;
        let accepted = answered("wxcc_1", "2026-11-21T10:01:00Z", named_at_answer);
        stage.post("agentAnswered", accepted).await.data();
        let second = created(&stage, later("wxcc_1", SECOND)).await;
        let reply = stage.post("phoneContactEnded", hang_up(named_at_end)).await;
        assert_eq!(reply.data()["outcome"], "answered");
        assert_eq!([first, second].map(|id| record(&stage, &id).updates), [0, 0]);
    }
}

#[actix_web::test]
async fn an_answer_in_the_second_part_counts_for_it_and_the_vendors_hang_up_leaves_both_alone() {
    for stage in Stage::both().await {
        let ids = waiting(&stage).await;
        assert!(stage.org.agent_accepts(&ids[1], "other@example.com"));
        stage.post("agentAnswered", answered("wxcc_1", "2026-11-21T10:03:30Z", "9e1b")).await.data();
        stage.org.forget_requests();
        for id in &ids {
            stage.post("clearRouting", reference(id)).await.data();
            let reason = json!({ "disconnectReason": { "value": "Abandoned in queue", "isError": false } });
            stage.post("updateVoiceCall", with(reference(id), reason)).await.data();
        }
        assert_eq!(stage.post("phoneContactEnded", hang_up(AGENT)).await.data()["outcome"], "answered");
        assert_eq!(stage.org.requests().len(), 0);
    }
}

#[actix_web::test]
async fn an_answer_of_the_first_part_that_is_told_late_is_none_of_the_second() {
    let stage = Stage::telephony().await;
    let [_, second] = waiting(&stage).await;
    stage.post("agentAnswered", answered("wxcc_1", "2026-11-21T10:01:00Z", AGENT)).await.data();
    let update =
        json!({ "isActiveCall": true, "agent": "agent@example.com", "acceptTime": "2026-11-21T10:01:00Z" });
    stage.post("updateVoiceCall", with(reference("wxcc_1"), update)).await.data();
    assert_eq!(stage.post("phoneContactEnded", hang_up("")).await.data()["outcome"], "abandoned");
    assert_abandoned(&stage, &second);
}

#[actix_web::test]
async fn a_request_under_the_key_means_the_newest_voice_call_or_the_one_that_began_then() {
    for stage in Stage::both().await {
        let first = taken(&stage, "wxcc_1").await;
        let second = created(&stage, later("wxcc_1", SECOND)).await;
        stage.post("executeOmniFlow", omni_flow("wxcc_1")).await.data();
        assert!(record(&stage, &second).pending_routing.is_some());
        stage.post("clearRouting", reference("wxcc_1")).await.data();
        assert_eq!(record(&stage, &second).pending_routing, None);
        let step = |step: &str| json!({ "isActiveCall": true, "callAttributes": { "Step__c": step } });
        stage.post("updateVoiceCall", with(reference("wxcc_1"), step("two"))).await.data();
        let one = with(step("one"), json!({ "startTime": "2026-11-21T10:00:00.123Z" }));
        stage.post("updateVoiceCall", with(reference("wxcc_1"), one)).await.data();
        assert_eq!(record(&stage, &first).attributes["Step__c"], "one");
        assert_eq!(record(&stage, &second).attributes["Step__c"], "two");
    }
}

#[actix_web::test]
async fn each_flow_run_may_report_its_own_end() {
    let stage = Stage::telephony().await;
    let [first, second] = waiting(&stage).await;
    let of_first = json!({ "startTime": "2026-11-21T10:00:00.123Z", "agentId": AGENT });
    let reply = stage.post("phoneContactEnded", with(ended("wxcc_1"), of_first)).await;
    assert_eq!(reply.data()["outcome"], "answered");
    assert_eq!([&first, &second].map(|id| record(&stage, id).updates), [0, 0]);
    stage.post("phoneContactEnded", hang_up(AGENT)).await.data();
    assert_abandoned(&stage, &second);
}

#[actix_web::test]
async fn salesforce_is_asked_about_the_second_voice_call_by_its_id() {
    let stage = Plan::telephony().ask_salesforce().start().await;
    let [_, second] = waiting(&stage).await;
    assert_eq!(stage.post("phoneContactEnded", hang_up(AGENT)).await.data()["outcome"], "abandoned");
    assert_abandoned(&stage, &second);
}
