//! Creates of which nobody knows whether Salesforce has made the VoiceCall: whoever repeats one makes no second.

use scv_bridge::mock::{BadDay, Operation};

use crate::postgres::Postgres;
use crate::stage::{Plan, Stage, create, ended};

/// What leaves the bridge without an answer, with the work done.
const DAYS: [BadDay; 4] = [
    BadDay::Slow { milliseconds: 900 },
    BadDay::DropConnection { after_work: true },
    BadDay::HalfBody,
    BadDay::Garbage,
];

/// The ways to find out: by a question under an OAuth session, or by an update under the key; on both engines.
fn plans(on_create_failure: &str) -> [Plan; 3] {
    let plan = |plan: Plan| {
        let center = format!("on_create_failure = \"{on_create_failure}\"");
        plan.center(&center).sections("[deadlines]\ncreate_voice_call = \"500ms\"")
    };
    [
        plan(Plan::telephony()),
        plan(Plan::telephony()).ask_salesforce(),
        plan(Plan::telephony()).store(Postgres::shared().database()),
    ]
}

async fn one_record_that_can_be_completed(stage: &Stage) {
    assert_eq!(stage.org.voice_calls().len(), 1, "{:?}", stage.org.voice_calls());
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["outcome"], "abandoned");
    stage.deliver(0).await;
    let calls = stage.org.voice_calls();
    assert_eq!((calls.len(), calls[0].disconnect_reason.is_some()), (1, true));
}

#[actix_web::test]
async fn a_create_without_an_answer_that_the_flow_repeats_makes_one_voice_call() {
    for day in DAYS {
        for plan in plans("error") {
            let stage = plan.start().await;
            stage.script(day.clone(), Operation::Create);
            assert!(stage.post("createVoiceCall", create("wxcc_1")).await.status >= 500);
            let again = stage.post("createVoiceCall", create("wxcc_1")).await;
            let id = again.data()["voiceCallId"].as_str().unwrap();
            let call = &stage.org.voice_calls()[0];
            assert!([call.id.as_str(), "wxcc_1"].contains(&id), "{id}");
            one_record_that_can_be_completed(&stage).await;
        }
    }
}

#[actix_web::test]
async fn a_deferred_create_that_salesforce_has_done_without_an_answer_is_not_done_again() {
    for day in DAYS {
        for plan in plans("defer") {
            let stage = plan.start().await;
            stage.script(day.clone(), Operation::Create);
            let deferred = stage.post("createVoiceCall", create("wxcc_1")).await;
            assert_eq!(deferred.data()["voiceCallId"], "wxcc_1");
            stage.deliver(5).await;
            one_record_that_can_be_completed(&stage).await;
        }
    }
}

#[actix_web::test]
async fn a_deferred_create_that_the_worker_got_no_answer_to_is_not_done_again() {
    for plan in plans("defer") {
        let stage = plan.start().await;
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
        stage.script(BadDay::DropConnection { after_work: true }, Operation::Create);
        stage.post("createVoiceCall", create("wxcc_1")).await.data();
        stage.wait_seconds(5);
        stage.work_until(async || stage.entries().await.iter().any(|entry| entry.attempts == 2)).await;
        stage.deliver(60).await;
        one_record_that_can_be_completed(&stage).await;
    }
}

#[actix_web::test]
async fn a_deferred_create_that_a_dead_process_was_sending_is_not_done_again_whatever_comes_between() {
    let stage = Plan::telephony().center("on_create_failure = \"defer\"").start().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.data();
    stage.work_until(async || stage.entries().await.iter().any(|entry| entry.attempts == 1)).await;
    let mut other = stage.beside().await;
    let lease = "UPDATE outbox SET lease_owner = 'a process that was killed', lease_until = 0";
    sqlx::raw_sql(lease).execute(&mut other).await.unwrap();
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Update);
    stage.wait_seconds(5);
    stage.work_until(async || stage.entries().await.iter().any(|entry| entry.attempts > 2)).await;
    stage.deliver(60).await;
    assert_eq!(stage.asked(Operation::Create).len(), 1);
    one_record_that_can_be_completed(&stage).await;
}

#[actix_web::test]
async fn a_create_that_never_reached_salesforce_is_sent_as_a_create_again() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(503);
    stage.call("wxcc_1").await;
    assert_eq!(stage.asked(Operation::Create).len(), 2);
    assert!(!stage.org.voice_calls()[0].created_by_update);
}
