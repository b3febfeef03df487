//! What must run as long as the service: without it, the service ends and says so.

use std::time::Duration;

use scv_bridge::mock::{BadDay, Operation};
use tokio::time::{Instant, timeout};

use crate::stage::{BOUND, Stage, create};

/// What the service said when it ended.
async fn end(stage: &mut Stage) -> String {
    let ended = timeout(BOUND, &mut stage.running).await.expect("it does not end").unwrap();
    ended.expect_err("it ended as if it had been told to").to_string()
}

#[actix_web::test]
async fn a_service_whose_store_has_ended_ends_with_its_name() {
    let mut stage = Stage::telephony().await;
    stage.handle.outbox().store().close().await.unwrap();
    assert_eq!(end(&mut stage).await, "the writer of the store is gone: it ended");
    let refused = stage.request(reqwest::Method::GET, "/livez").send().await;
    assert!(refused.unwrap_err().is_connect(), "nobody listens any more");
}

#[actix_web::test]
async fn what_is_in_flight_is_answered_before_a_service_ends_that_cannot_go_on() {
    let mut stage = Stage::telephony().await;
    stage.script(BadDay::Slow { milliseconds: 1000 }, Operation::Create);
    let create = stage.flow("createVoiceCall", create("wxcc_1"));
    let answer = tokio::spawn(async move { create.send().await.unwrap().status().as_u16() });
    stage.work_until(async || stage.org.scripted().is_empty()).await;
    stage.handle.outbox().store().close().await.unwrap();
    assert_eq!(end(&mut stage).await, "the writer of the store is gone: it ended");
    assert_eq!(answer.await.unwrap(), 200);
}

#[actix_web::test]
async fn work_that_nobody_waits_for_and_that_never_ends_is_broken_off_at_the_end() {
    let stage = Stage::telephony().await;
    let outbox = stage.handle.outbox();
    outbox.afterwards(std::future::pending());
    let finished = outbox.finish(Instant::now() + Duration::from_millis(100));
    assert_eq!(timeout(BOUND, finished).await.expect("it does not end"), Ok(()));
}
