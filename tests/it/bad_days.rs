//! What a bad day of Salesforce, or of the bridge's own database, leads to: who is named, what is kept, and that what
//! waited is sent when the day is over.

use scv_bridge::mock::{BadDay, Disposition, Operation};
use scv_bridge::store::EntryState;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::postgres::Postgres;
use crate::stage::{CENTER, Plan, Stage, create, ended, omni_flow, reference, with};

const GONE: BadDay = BadDay::Unavailable { retry_after: None };

#[actix_web::test]
async fn answers_that_are_late_for_a_short_deadline_open_no_breaker() {
    let stage = Plan::telephony().deadline("300ms").sections("[breaker]\nfailures = 1").start().await;
    for key in ["wxcc_1", "wxcc_2"] {
        stage.script(BadDay::Slow { milliseconds: 1000 }, Operation::Create);
        let told = stage.post("createVoiceCall", create(key)).await;
        assert!(told.error(504).contains("Salesforce did not answer"), "{}", told.text);
    }
    stage.call("wxcc_3").await;
}

/// Calls whose hang-up waits until Salesforce is back: ten minutes, says the schedule.
async fn waiting(calls: usize) -> Stage {
    let sections =
        "[outbox]\nschedule = [\"10m\"]\n[breaker]\nfailures = 1\npause = \"10ms\"\nlongest_pause = \"10ms\"";
    let stage = Plan::telephony().sections(sections).start().await;
    for n in 0..calls {
        let id = stage.call(&format!("wxcc_{n}")).await;
        assert_eq!(stage.post("executeOmniFlow", omni_flow(&id)).await.status, 200);
    }
    stage
}

#[actix_web::test]
async fn what_waits_for_a_salesforce_that_is_back_is_sent_at_once_whatever_its_schedule_says() {
    const CALLS: usize = 15;
    let stage = waiting(CALLS).await;
    for n in 0..CALLS {
        stage.script(GONE, Operation::ClearRouting);
        stage.post("phoneContactEnded", ended(&format!("wxcc_{n}"))).await.data();
        // Where the breaker was open, one entry tries in its place as soon as it lets one pass.
        stage.work_until(async || stage.org.scripted().is_empty()).await;
    }
    // The clock stands still, so that nothing is due by its schedule.
    stage.deliver(0).await;
    for n in 0..CALLS {
        let call = stage.org.voice_call(&format!("wxcc_{n}")).unwrap();
        assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1), "{n}");
        assert!(call.pending_routing.is_none(), "{n}");
    }
}

#[actix_web::test]
async fn what_salesforce_was_not_asked_was_not_tried_and_keeps_the_words_of_salesforce() {
    let sections = "[breaker]\nfailures = 1\npause = \"10m\"\nlongest_pause = \"10m\"";
    let stage = Plan::telephony().sections(sections).start().await;
    let id = stage.call("wxcc_1").await;
    stage.script(GONE, Operation::ClearRouting);
    assert_eq!(stage.post("clearRouting", reference(&id)).await.data()["status"], "pending");
    let asked = stage.org.requests().len();
    let before = stage.entries().await.remove(0);
    assert_eq!(before.attempts, 1);
    for _ in 0..5 {
        stage.wait_seconds(3600);
        stage.handle.worker().step().await.unwrap();
    }
    // A request that finds the breaker open has not tried either.
    let update = with(reference(&id), json!({ "isActiveCall": true }));
    assert_eq!(stage.post("updateVoiceCall", update).await.data()["status"], "pending");
    let entries = stage.entries().await;
    let told: Vec<_> =
        entries.iter().map(|entry| (entry.state, entry.attempts, entry.last_words.clone())).collect();
    assert_eq!(told[0], (EntryState::Pending, 1, before.last_words));
    assert_eq!((told[1].0, told[1].1), (EntryState::Pending, 0));
    assert_eq!(stage.org.requests().len(), asked, "the breaker is open");
}

#[actix_web::test]
async fn a_limit_of_an_hour_refuses_creates_for_half_a_minute_and_says_so() {
    for stage in Stage::both().await {
        stage.script(BadDay::TooMany { retry_after: Some(3600) }, Operation::Create);
        let first = stage.post("createVoiceCall", create("wxcc_1")).await;
        assert!(first.error(503).contains("REQUEST_LIMIT_EXCEEDED"));
        let next = stage.post("createVoiceCall", create("wxcc_2")).await;
        let told = next.error(503);
        assert!(told.contains("asked for a pause of creates"), "{told}");
        for reply in [&first, &next] {
            assert!(reply.header("retry-after").parse::<u64>().unwrap() <= 30);
        }
    }
}

/// A server with nothing at the path of the telephony API answers like this.
fn nothing_here() -> [(u16, Value); 4] {
    [
        (
            404,
            json!({ "timestamp": "2026-11-26", "status": 404, "error": "Not Found", "path": "/voiceCalls/1" }),
        ),
        (404, json!("Not Found")),
        (404, Value::Null),
        (405, json!([{ "message": "Method not allowed", "errorCode": "METHOD_NOT_ALLOWED" }])),
    ]
}

#[actix_web::test]
async fn an_address_without_the_telephony_api_is_a_fault_of_the_set_up_for_every_route() {
    for (status, body) in nothing_here() {
        let stage = Stage::telephony().await;
        let id = stage.call("wxcc_1").await;
        let answer = |operation| stage.script_answer(status, body.clone(), operation);
        answer(Operation::Create);
        let told = stage.post("createVoiceCall", create("wxcc_2")).await;
        assert!(told.error(424).contains("is telephony_url right?"), "{}", told.text);
        answer(Operation::OmniFlow);
        stage.post("executeOmniFlow", omni_flow(&id)).await.error(424);
        for (route, operation) in
            [("updateVoiceCall", Operation::Update), ("clearRouting", Operation::ClearRouting)]
        {
            answer(operation);
            stage.post(route, with(reference(&id), json!({ "isActiveCall": true }))).await.error(424);
            // Nothing is lost until an administrator has mended it.
            stage.deliver(60).await;
        }
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!((call.updates, stage.asked(Operation::ClearRouting).len()), (1, 2));
    }
}

#[actix_web::test]
async fn a_database_that_does_not_answer_is_named_and_salesforce_is_not() {
    let url = Postgres::shared().database();
    let stage = Plan::telephony().deadline("300ms").store(url.clone()).start().await;
    let id = stage.call("wxcc_1").await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    other.execute("BEGIN; LOCK TABLE outbox, calls IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1" });
    let update = with(reference(&id), json!({ "isActiveCall": true }));
    for (route, body) in [
        ("agentAnswered", answered),
        ("clearRouting", reference(&id)),
        ("updateVoiceCall", update),
        ("phoneContactEnded", ended("wxcc_1")),
    ] {
        let reply = stage.post(route, body).await;
        let told = reply.error(504);
        assert!(told.contains("own database") && !told.contains("Salesforce"), "{route}: {told}");
    }
    other.execute("ROLLBACK").await.unwrap();
}

#[actix_web::test]
async fn what_is_buried_at_the_first_attempt_is_counted_and_an_outage_does_not_look_like_any_day() {
    let stage = Plan::telephony().center("on_create_failure = \"defer\"\nfallback_queue = \"Overflow\"");
    let stage = stage.start().await;
    let id = stage.call("wxcc_1").await;
    stage.script_answer(422, json!({ "code": "PERM_MISSING" }), Operation::Update);
    let update = with(reference(&id), json!({ "isActiveCall": true }));
    let refused = stage.post("updateVoiceCall", update).await;
    assert!(refused.error(422).contains("PERM_MISSING"), "{}", refused.text);
    stage.script(GONE, Operation::Create);
    assert_eq!(stage.post("createVoiceCall", create("wxcc_2")).await.data()["voiceCallId"], "wxcc_2");
    stage.script(GONE, Operation::OmniFlow);
    assert_eq!(stage.post("executeOmniFlow", omni_flow(&id)).await.data()["fallback"], true);
    for operation in [Operation::ClearRouting, Operation::Update] {
        stage.script(GONE, operation);
    }
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["status"], "pending");
    for (name, labels) in [
        ("scv_bridge_outbox_attempts_total", "kind=\"update\",outcome=\"buried\""),
        ("scv_bridge_outbox_attempts_total", "kind=\"create\",outcome=\"later\""),
        ("scv_bridge_outcomes_total", "outcome=\"deferred\",route=\"createVoiceCall\""),
        ("scv_bridge_outcomes_total", "outcome=\"fallback\",route=\"executeOmniFlow\""),
        ("scv_bridge_outcomes_total", "outcome=\"pending\",route=\"phoneContactEnded\""),
    ] {
        let told = stage.metric(&format!("{name}{{{labels}}}")).await;
        assert_eq!(told.as_deref(), Some("1"), "{labels}");
    }
}
