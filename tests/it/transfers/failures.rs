//! A second flow run whose VoiceCall could not be made: its key is that of the first, which must stay as it is.

use scv_bridge::mock::{BadDay, Disposition, Operation};
use scv_bridge::store::Filter;

use super::*;
use crate::stage::{event, omni_flow, reference, webex};

const DEFER: &str = "on_create_failure = \"defer\"";

fn unavailable(stage: &Stage) {
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
}

/// The second record, which is complete.
fn assert_logged(stage: &Stage, first: &VoiceCall) {
    let calls = stage.org.voice_calls();
    assert_eq!(calls.len(), 2, "{calls:?}");
    assert_eq!(&calls[0], first, "the first call is as it was");
    assert_continues(stage, &calls[1].id, &first.id);
    assert_eq!(calls[1].call_disposition, Disposition::Completed);
    assert_eq!(calls[1].disconnect_reason.as_deref(), Some("Abandoned in queue"));
    assert_eq!((calls[1].updates, calls[1].created_by_update), (1, false));
}

#[actix_web::test]
async fn a_second_run_whose_create_failed_is_logged_by_its_hang_up() {
    for stage in both("").await {
        let first = taken(&stage, "wxcc_1").await;
        let before = record(&stage, &first);
        unavailable(&stage);
        stage.post("createVoiceCall", later("wxcc_1", SECOND)).await.error(503);
        let reply = stage.post("phoneContactEnded", hang_up(AGENT)).await;
        assert_eq!(reply.data(), &json!({ "outcome": "abandoned", "status": "pending" }));
        stage.deliver(0).await;
        assert_logged(&stage, &before);
    }
}

#[actix_web::test]
async fn after_a_failed_create_of_the_second_run_the_vendors_hang_up_is_understood_by_its_start() {
    for stage in both("").await {
        let first = taken(&stage, "wxcc_1").await;
        let before = record(&stage, &first);
        unavailable(&stage);
        stage.post("createVoiceCall", later("wxcc_1", SECOND)).await.error(503);
        stage.post("clearRouting", reference("")).await.data();
        let update = json!({ "startTime": SECOND, "endTime": "2026-11-21T10:04:00Z",
            "disconnectReason": { "value": "Abandoned in queue", "isError": false } });
        stage.post("updateVoiceCall", with(reference(""), update)).await.data();
        stage.deliver(0).await;
        assert_logged(&stage, &before);
        stage.handle.tidy_store().await.unwrap();
        assert!(!stage.database_holds("315-0217"), "no number is kept of what is done");
    }
}

#[actix_web::test]
async fn a_create_of_the_second_run_that_failed_is_made_when_the_flow_repeats_it() {
    let stage = Stage::telephony().await;
    let first = taken(&stage, "wxcc_1").await;
    unavailable(&stage);
    stage.post("createVoiceCall", later("wxcc_1", SECOND)).await.error(503);
    let second = created(&stage, later("wxcc_1", SECOND)).await;
    assert_continues(&stage, &second, &first);
    assert_eq!(stage.org.voice_calls().len(), 2);
}

#[actix_web::test]
async fn a_deferred_second_run_reaches_nothing_of_the_first_until_it_is_created() {
    for stage in both(DEFER).await {
        let first = taken(&stage, "wxcc_1").await;
        let before = record(&stage, &first);
        unavailable(&stage);
        assert_eq!(created(&stage, later("wxcc_1", SECOND)).await, "wxcc_1");
        assert_eq!(created(&stage, later("wxcc_1", SECOND)).await, "wxcc_1", "a repetition changes nothing");
        stage.post("executeOmniFlow", omni_flow("wxcc_1")).await.error(503);
        stage.post("clearRouting", reference("wxcc_1")).await.data();
        let hang_up = with(hang_up(AGENT), json!({ "voiceCallId": "wxcc_1" }));
        assert_eq!(stage.post("phoneContactEnded", hang_up).await.data()["status"], "pending");
        assert_eq!(record(&stage, &first), before);
        stage.deliver(10).await;
        assert_logged(&stage, &before);
        assert!(stage.refusals().iter().all(|refusal| refusal.operation == Operation::ClearRouting));
    }
}

#[actix_web::test]
async fn runs_that_were_both_deferred_are_created_one_after_the_other() {
    let stage = Plan::telephony().center(DEFER).start().await;
    stage.script_times(BadDay::Unavailable { retry_after: None }, 2, Operation::Create);
    assert_eq!(stage.call("wxcc_1").await, "wxcc_1");
    stage.post("agentAnswered", answered("wxcc_1", "2026-11-21T10:01:00Z", AGENT)).await.data();
    let asked = stage.asked(Operation::Create).len();
    assert_eq!(created(&stage, later("wxcc_1", SECOND)).await, "wxcc_1");
    assert_eq!(stage.asked(Operation::Create).len(), asked, "its parent is not there yet");
    let store = stage.handle.outbox().store();
    let next = async || {
        let entries = store.list(&Filter::default()).await.unwrap();
        let is_leased = entries.iter().any(|entry| entry.lease_until.is_some());
        (entries.first().map(|entry| (entry.id, entry.next_at)), is_leased)
    };
    while let (Some(due), _) = next().await {
        stage.wait_seconds(60);
        // An attempt is through before time goes on: past its lease, another would be made.
        let is_tried = async || {
            let (now, is_leased) = next().await;
            !is_leased && now != Some(due)
        };
        stage.work_until(is_tried).await;
    }
    let calls = stage.org.voice_calls();
    assert_continues(&stage, &calls[1].id, &calls[0].id);
    assert_eq!(created(&stage, later("wxcc_1", SECOND)).await, calls[1].id);
    assert_eq!(stage.call("wxcc_1").await, calls[0].id);
}

#[actix_web::test]
async fn a_second_run_after_a_first_that_has_no_voice_call_is_an_inbound_call() {
    let stage = Stage::telephony().await;
    unavailable(&stage);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    stage.post("agentAnswered", answered("wxcc_1", "2026-11-21T10:01:00Z", AGENT)).await.data();
    let second = created(&stage, later("wxcc_1", SECOND)).await;
    let call = record(&stage, &second);
    assert_eq!((call.call_type.as_deref(), call.previous_call_id), (Some("Inbound"), None));
    assert_eq!(stage.post("phoneContactEnded", hang_up(AGENT)).await.data()["outcome"], "abandoned");
    assert_eq!(record(&stage, &second).updates, 1);
    let _nothing_to_clear = stage.refusals();
}

#[actix_web::test]
async fn a_deferred_second_run_that_an_agent_had_is_enriched_as_soon_as_it_is_created() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let plan = plan.center(DEFER).center("enrichment.enabled = true").sections(&webex(""));
        let stage = plan.start().await;
        let first = taken(&stage, "wxcc_1").await;
        stage.tell([event("task:new", "1", 0), event("task:connected", "1", 60)]).await;
        stage.script_times(BadDay::Unavailable { retry_after: None }, 2, Operation::Create);
        assert_eq!(created(&stage, later("wxcc_1", SECOND)).await, "wxcc_1");
        let second_part =
            [("parked", 200), ("connected", 220), ("on-hold", 230), ("hold-done", 250), ("ended", 300)];
        stage.tell(second_part.map(|(name, second)| event(&format!("task:{name}"), "1", second))).await;
        stage.conclude(311).await;
        let before = record(&stage, &first);
        assert_eq!((before.updates, before.holds.number_of_holds), (1, Some(0)));
        // The create fails once more by then.
        stage.work_until(async || stage.asked(Operation::Create).len() == 3).await;
        assert_eq!(stage.asked(Operation::Update).len(), 1);
        let waiting = async || stage.entries().await.iter().all(|entry| entry.attempts < 2);
        stage.work_until(async || !waiting().await).await;
        stage.deliver(20).await;
        assert_eq!(record(&stage, &first), before, "nothing of the second reaches the first");
        let calls = stage.org.voice_calls();
        assert_continues(&stage, &calls[1].id, &first);
        assert_eq!((calls[1].updates, calls[1].created_by_update), (1, false));
        assert_eq!((calls[1].holds.number_of_holds, calls[1].holds.total_hold_duration), (Some(1), Some(20)));
        assert_eq!(calls[1].call_accept_date_time.as_deref(), Some("2026-11-21T10:03:40.000Z"));
    }
}
