//! What is learned of a call after its final update.

use scv_bridge::mock::{BadDay, Operation};

use crate::enrichment::{assert_told, both, call, end, history, plan, updates, waiting};
use crate::postgres::Postgres;
use crate::stage::{Plan, event};

#[actix_web::test]
async fn what_is_learned_afterwards_corrects_the_record_without_ending_it_again() {
    for stage in both("").await {
        waiting(&stage, "1").await;
        let (lost, told): (Vec<_>, Vec<_>) =
            history("1", "agent-1").into_iter().enumerate().partition(|(at, _)| [0, 1, 4, 5].contains(at));
        stage.tell(told.into_iter().map(|(_, event)| event)).await;
        stage.conclude(11).await;
        assert_eq!(call(&stage, "1").holds.number_of_holds, Some(1));
        stage.tell(lost.into_iter().map(|(_, event)| event)).await;
        stage.conclude(11).await;
        assert_told(&call(&stage, "1"));
        let active: Vec<bool> =
            stage.sent(Operation::Update).iter().map(|sent| sent["isActiveCall"] == true).collect();
        assert_eq!(active, [false, true]);
        let corrected = "scv_bridge_enrichments_total{outcome=\"corrected\"}";
        assert_eq!(stage.metric(corrected).await.as_deref(), Some("1"));
    }
}

#[actix_web::test]
async fn a_call_that_seemed_abandoned_because_its_events_were_lost_becomes_an_answered_one() {
    for stage in both("").await {
        waiting(&stage, "1").await;
        stage.tell([event("task:new", "1", -100), end("1", 0)]).await;
        stage.conclude(11).await;
        assert_eq!(call(&stage, "1").disconnect_reason.as_deref(), Some("Abandoned in queue"));
        stage.tell(history("1", "agent-1")).await;
        stage.conclude(11).await;
        assert_told(&call(&stage, "1"));
        assert_eq!(updates(&stage), 2);
    }
}

#[actix_web::test]
async fn what_salesforce_does_not_take_goes_out_later_and_in_order() {
    let stage = plan(Plan::telephony(), "").start().await;
    waiting(&stage, "1").await;
    stage.script(BadDay::Unavailable { retry_after: Some(60) }, Operation::Update);
    let (lost, told): (Vec<_>, Vec<_>) =
        history("1", "agent-1").into_iter().enumerate().partition(|(at, _)| [4, 5].contains(at));
    stage.tell(told.into_iter().map(|(_, event)| event)).await;
    stage.conclude(11).await;
    stage.tell(lost.into_iter().map(|(_, event)| event)).await;
    stage.conclude(11).await;
    assert_eq!(stage.entries().await.len(), 2, "the correction waits behind the final update");
    stage.deliver(61).await;
    assert_told(&call(&stage, "1"));
}

#[actix_web::test]
async fn on_postgresql_the_same_becomes_of_a_call() {
    let store = Postgres::shared().database();
    let stage = plan(Plan::telephony(), "").store(store).start().await;
    waiting(&stage, "1").await;
    let (lost, told): (Vec<_>, Vec<_>) =
        history("1", "agent-1").into_iter().enumerate().partition(|(at, _)| [4, 5].contains(at));
    stage.tell(told.into_iter().map(|(_, event)| event)).await;
    stage.conclude(11).await;
    assert_eq!(call(&stage, "1").holds.number_of_holds, Some(1));
    stage.tell(lost.into_iter().map(|(_, event)| event)).await;
    stage.conclude(11).await;
    assert_told(&call(&stage, "1"));
    stage.tell(history("1", "agent-1")).await;
    stage.conclude(11).await;
    assert_eq!(updates(&stage), 2);
}
