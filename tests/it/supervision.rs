//! What must run as long as the service: without it, the service ends and says so.

use std::time::Duration;

use scv_bridge::mock::{BadDay, Operation};
use scv_bridge::store::{Store, Turn};
use tokio::time::{Instant, timeout};

use crate::stage::{BOUND, Stage, create};

/// What the service said when it ended.
async fn end(stage: &mut Stage) -> String {
    timeout(BOUND, &mut stage.running).await.unwrap().unwrap().unwrap_err().to_string()
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
    assert_eq!(timeout(BOUND, finished).await.unwrap(), Ok(()));
}

#[actix_web::test]
async fn a_service_that_is_stopped_gives_its_turns_back_so_that_the_next_need_not_wait() {
    let mut stage = Stage::telephony().await;
    let outbox = stage.handle.outbox();
    let (now, until) = (outbox.now(), outbox.lease_until());
    let turns = [Turn::Reconcile, Turn::WebexRefresh];
    for turn in turns {
        assert!(outbox.store().take_turn(turn, outbox.owner(), until, now).await.unwrap());
    }
    stage.handle.stop().await;
    timeout(BOUND, &mut stage.running).await.unwrap().unwrap().unwrap();
    let file = stage.configuration_file().with_file_name("bridge.db");
    let store = Store::open(&format!("sqlite:{}", file.display())).await.unwrap();
    for turn in turns {
        assert!(store.take_turn(turn, "the next", until, now).await.unwrap(), "{turn:?}");
    }
}
