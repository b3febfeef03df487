//! Conclusions while somebody else does not answer: nothing that was to be told is lost, and nothing is told twice.

use scv_bridge::mock::{BadDay, Disposition, Operation};
use scv_bridge::store::StoreError;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::enrichment::{call, history, updates, waiting};
use crate::postgres::Postgres;
use crate::stage::{BOUND, CENTER, Plan, Stage, create, event, webex, with};

const ENRICHED: &str = "enrichment.enabled = true";

/// An interaction with two VoiceCalls, which both had an agent; their ids.
async fn given_on(stage: &Stage) -> [String; 2] {
    let first = waiting(stage, "1").await;
    stage.tell([event("task:new", "1", -100), event("task:connected", "1", -80)]).await;
    let again = with(create("wxcc_1"), json!({ "startTime": "2026-11-21T09:59:10Z" }));
    let reply = stage.post("createVoiceCall", again).await;
    stage.tell([event("task:connected", "1", -30), event("task:ended", "1", 0)]).await;
    [first, reply.data()["voiceCallId"].as_str().unwrap().to_owned()]
}

#[actix_web::test]
async fn while_salesforce_is_silent_the_final_updates_of_all_voice_calls_are_kept() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = plan.center(ENRICHED).sections(&webex("")).start().await;
        let ids = given_on(&stage).await;
        stage.script_times(BadDay::NeverAnswers, 2, Operation::Update);
        stage.conclude(11).await;
        assert_eq!(stage.entries().await.len(), 2);
        stage.deliver(60).await;
        let told = ids.each_ref().map(|id| stage.org.voice_call(id).unwrap());
        assert_eq!(told.each_ref().map(|call| call.updates), [1, 1]);
        let accepted = told.each_ref().map(|call| call.call_accept_date_time.as_deref());
        assert_eq!(accepted, [Some("2026-11-21T09:58:40.000Z"), Some("2026-11-21T09:59:30.000Z")]);
    }
}

#[actix_web::test]
async fn an_org_that_does_not_answer_holds_up_no_conclusion_of_another() {
    let stage = Plan::telephony().center(ENRICHED).sections(&webex("")).start().await;
    let slow = waiting(&stage, "1").await;
    let body = with(create("wxcc_2"), json!({ "callCenterDevName": "Sandbox" }));
    let quick = stage.post("createVoiceCall", body).await.data()["voiceCallId"].as_str().unwrap().to_owned();
    stage.script(BadDay::NeverAnswers, Operation::Update);
    stage.tell(history("1", "agent-1")).await;
    stage.wait_seconds(11);
    let worker = stage.handle.task_worker().unwrap();
    // The service's own loop takes steps too.
    let until = async |holds: &dyn Fn() -> bool| {
        while !holds() {
            worker.step().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let begun = || stage.asked(Operation::Update).len() == 1;
    tokio::time::timeout(BOUND, until(&begun)).await.unwrap();
    stage.tell([event("task:new", "2", -60), event("task:ended", "2", 0)]).await;
    stage.wait_seconds(11);
    let told = || stage.org.voice_call(&quick).unwrap().call_disposition == Disposition::Completed;
    tokio::time::timeout(BOUND, until(&told)).await.unwrap();
    let waits = stage.entries().await;
    let waits = waits.iter().filter(|entry| entry.call_center.as_ref() == CENTER);
    let attempts: Vec<u32> = waits.map(|entry| entry.attempts).collect();
    assert_eq!(attempts, [0], "its attempt is still under way");
    worker.idle().await;
    stage.deliver(60).await;
    assert_eq!(stage.org.voice_call(&slow).unwrap().updates, 1);
}

#[actix_web::test]
async fn while_the_database_is_silent_no_task_counts_as_concluded() {
    let url = Postgres::shared().database();
    let stage = Plan::telephony().store(url.clone()).center(ENRICHED).sections(&webex("")).start().await;
    for task in ["1", "2"] {
        waiting(&stage, task).await;
    }
    stage.tell(history("1", "agent-1")).await;
    let abandoned: [Value; 2] = [event("task:new", "2", -60), event("task:ended", "2", 0)];
    stage.tell(abandoned).await;
    let mut beside = PgConnection::connect(&url).await.unwrap();
    let mut lock = beside.begin().await.unwrap();
    lock.execute("LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE").await.unwrap();
    // The writer that waits for the lock may hold up even the end of the look.
    stage.wait_seconds(11);
    let worker = stage.handle.task_worker().unwrap();
    let step = worker.step().await;
    worker.idle().await;
    assert!(matches!(step, Ok(_) | Err(StoreError::Slow)), "{step:?}");
    assert_eq!(updates(&stage), 0);
    let store = stage.handle.outbox().store();
    lock.rollback().await.unwrap();
    let next = async {
        loop {
            match store.next_task().await {
                // The writer begins anew.
                Err(StoreError::Slow) => tokio::task::yield_now().await,
                next => break next.unwrap(),
            }
        }
    };
    assert!(tokio::time::timeout(BOUND, next).await.unwrap().is_some(), "somebody looks again");
    for _ in 0..3 {
        stage.conclude(31).await;
    }
    stage.deliver(31).await;
    assert_eq!(updates(&stage), 2);
    assert_eq!(call(&stage, "1").holds.number_of_holds, Some(2));
    assert_eq!(call(&stage, "2").disconnect_reason.as_deref(), Some("Abandoned in queue"));
    assert_eq!(store.next_task().await.unwrap(), None);
}
