//! What comes before a create, or beside it: there is one record in the end, and it is complete.

use scv_bridge::mock::{BadDay, Disposition, Operation, VoiceCall};
use serde_json::{Value, json};

use crate::postgres::Postgres;
use crate::stage::{BOUND, CENTER, Plan, Stage, create, ended, omni_flow, reference, with};

/// Hang-ups and updates have less time than creates.
const DEADLINES: &str = "[deadlines]\ncreate_voice_call = \"1500ms\"\n\
    phone_contact_ended = \"400ms\"\nupdate_voice_call = \"400ms\"";

/// An update in the middle of a call.
fn step(key: &str) -> Value {
    with(reference(key), json!({ "isActiveCall": true, "callAttributes": { "Step__c": "menu" } }))
}

/// The only record.
fn record(stage: &Stage) -> VoiceCall {
    let mut calls = stage.org.voice_calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}

fn assert_complete(call: &VoiceCall) {
    assert_eq!(call.from_phone_number.as_deref(), Some("(469) 315-0217"));
    assert_eq!(call.to_phone_number.as_deref(), Some("18005550100"));
    assert_eq!(call.call_start_date_time.as_deref(), Some("2026-11-21T10:00:00.123Z"));
}

/// Sends a request while the create is in flight, and waits until nothing is left to send.
async fn beside_a_create(stage: &Stage, day: BadDay, route: &str, body: Value) -> (u16, Value) {
    stage.script(day, Operation::Create);
    let (created, beside) = tokio::join!(stage.post("createVoiceCall", create("wxcc_1")), async {
        stage.work_until(async || !stage.asked(Operation::Create).is_empty()).await;
        stage.post(route, body).await
    });
    let beside = beside.data().clone();
    // The clock stands still: no lease ends by itself.
    stage.deliver(0).await;
    (created.status, beside)
}

#[actix_web::test]
async fn a_hang_up_beside_a_create_is_sent_as_soon_as_that_is_through() {
    let late = BadDay::Slow { milliseconds: 800 };
    for (day, defer, status) in
        [(late, "error", 200), (BadDay::NeverAnswers, "error", 504), (BadDay::NeverAnswers, "defer", 200)]
    {
        let center = format!("on_create_failure = \"{defer}\"");
        let stage = Plan::telephony().center(&center).sections(DEADLINES).start().await;
        let hang_up = with(ended("wxcc_1"), json!({ "startTime": "" }));
        let (created, hang_up) = beside_a_create(&stage, day, "phoneContactEnded", hang_up).await;
        assert_eq!(created, status);
        assert_eq!(hang_up, json!({ "outcome": "abandoned", "status": "pending" }));
        let call = record(&stage);
        assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1));
        assert_complete(&call);
        assert_eq!(stage.asked(Operation::Create).len(), 1);
        // Where the create failed, there was nothing to clear.
        assert!(stage.refusals().iter().all(|refusal| refusal.operation == Operation::ClearRouting));
    }
}

#[actix_web::test]
async fn a_hang_up_that_another_replicas_create_overtakes_is_sent_as_soon_as_that_is_through() {
    let database = Postgres::shared().database();
    let one = Plan::telephony().deadline("20s").store(database.clone()).start().await;
    let other = Plan::apex().replica(2).deadline("20s").store(database).salesforce_at(one.org.login_url());
    let other = other.ask_salesforce().start().await;
    // No create is known yet when the hang-up asks whether an agent had the call; one is when it is kept.
    one.script(BadDay::Slow { milliseconds: 500 }, Operation::Query);
    one.script(BadDay::Slow { milliseconds: 1500 }, Operation::Create);
    let (hung_up, ()) = tokio::join!(other.post("phoneContactEnded", ended("wxcc_1")), async {
        other.work_until(async || !one.asked(Operation::Query).is_empty()).await;
        one.post("createVoiceCall", create("wxcc_1")).await.data();
    });
    assert_eq!(hung_up.data(), &json!({ "outcome": "abandoned", "status": "pending" }));
    // The clock stands still: no lease ends by itself.
    other.deliver(0).await;
    assert_eq!(record(&one).call_disposition, Disposition::Completed);
}

#[actix_web::test]
async fn an_update_beside_a_create_waits_for_it() {
    let late = BadDay::Slow { milliseconds: 800 };
    for (day, defer) in [(late, "error"), (BadDay::NeverAnswers, "defer")] {
        let center = format!("on_create_failure = \"{defer}\"");
        let stage = Plan::telephony().center(&center).sections(DEADLINES).start().await;
        let (created, update) = beside_a_create(&stage, day, "updateVoiceCall", step("wxcc_1")).await;
        assert_eq!((created, update), (200, json!({ "status": "pending" })));
        let call = record(&stage);
        assert_eq!(call.created_by_update, defer == "defer");
        assert_eq!(call.attributes["Step__c"], "menu");
        assert_complete(&call);
        assert_eq!(call.call_disposition, Disposition::New);
        assert_eq!(stage.asked(Operation::Create).len(), 1);
    }
}

#[actix_web::test]
async fn an_update_whose_create_is_through_in_time_is_sent_at_once() {
    let stage = Plan::telephony().deadline("10s").start().await;
    let day = BadDay::Slow { milliseconds: 100 };
    let (created, _) = beside_a_create(&stage, day, "updateVoiceCall", step("wxcc_1")).await;
    assert_eq!(created, 200);
    assert_eq!(record(&stage).updates, 1);
}

#[actix_web::test]
async fn a_create_after_an_update_under_its_key_completes_the_record_that_is_there() {
    for stage in Stage::both().await {
        stage.post("updateVoiceCall", step("wxcc_1")).await.data();
        for _ in 0..2 {
            let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
            assert_eq!(reply.data(), &json!({ "voiceCallId": "wxcc_1" }));
        }
        stage.post("executeOmniFlow", omni_flow("wxcc_1")).await.data();
        let call = record(&stage);
        assert_eq!((call.call_disposition, call.updates), (Disposition::New, 2));
        assert_eq!(call.attributes["Step__c"], "menu");
        assert_complete(&call);
        let other = with(create("wxcc_1"), json!({ "to": "+18005550199" }));
        stage.post("createVoiceCall", other).await.error(400);
        stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
        stage.deliver(0).await;
        assert_eq!(record(&stage).call_disposition, Disposition::Completed);
    }
}

#[actix_web::test]
async fn an_update_under_a_key_that_was_sent_later_counts_too() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Update);
    stage.post("updateVoiceCall", step("wxcc_1")).await.data();
    stage.deliver(2).await;
    assert_eq!(stage.call("wxcc_1").await, "wxcc_1");
    assert_complete(&record(&stage));
}

#[actix_web::test]
async fn a_create_after_an_update_that_made_no_record_makes_it() {
    let stage = Plan::telephony().org(|org| org.upsert_needs_every_field = true).start().await;
    stage.post("updateVoiceCall", step("wxcc_1")).await.error(422);
    assert!(stage.call("wxcc_1").await.starts_with("0LQ"));
    assert_eq!(stage.refusals().len(), 1);
    // Salesforce may also take the update and make nothing of it.
    stage.script_answer(200, json!({ "status": "pending" }), Operation::Update);
    stage.post("updateVoiceCall", step("wxcc_2")).await.data();
    assert!(stage.call("wxcc_2").await.starts_with("0LQ"));
    assert_eq!(stage.refusals().len(), 2);
}

#[actix_web::test]
async fn a_create_after_the_end_of_a_call_that_an_update_made_sends_nothing() {
    let stage = Stage::telephony().await;
    stage.post("updateVoiceCall", step("wxcc_1")).await.data();
    let agent = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1", "agentId": "7d6a" });
    for (route, body) in [("agentAnswered", agent), ("phoneContactEnded", ended("wxcc_1"))] {
        stage.post(route, body).await.data();
    }
    stage.org.forget_requests();
    assert_eq!(stage.call("wxcc_1").await, "wxcc_1");
    assert_eq!(stage.org.requests().len(), 0);
}

#[actix_web::test]
async fn a_create_that_is_repeated_before_the_database_has_taken_it_makes_no_second_voice_call() {
    let stage = Stage::telephony().await;
    let mut other = stage.beside().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let id = stage.call("wxcc_1").await;
    assert_eq!(stage.call("wxcc_1").await, id);
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(stage.call("wxcc_1").await, id);
    assert_eq!(stage.org.voice_calls().len(), 1);
}

#[actix_web::test]
async fn a_voice_call_whose_id_the_database_could_not_keep_at_first_is_known_when_it_can() {
    let stage = Stage::telephony().await;
    let mut other = stage.beside().await;
    sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
    let id = stage.call("wxcc_1").await;
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    let kept = async {
        while !stage.database_holds(&id) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    assert!(tokio::time::timeout(BOUND, kept).await.is_ok(), "nobody tells the database again");
    let again = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert_eq!(again.data()["voiceCallId"], id);
    record(&stage);
}
