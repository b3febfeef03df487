//! The database goes away under the running bridge: what needs it is refused and not sent, what does not goes on, and
//! all recovers by itself.

use scv_bridge::mock::{Disposition, Operation};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::postgres::Postgres;
use crate::stage::{CENTER, Plan, Stage, at_once, create, ended, omni_flow, reference, with};

/// What is not done without the journal.
fn needy(call: &str) -> [(&'static str, Value); 4] {
    let key = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1" });
    [
        ("updateVoiceCall", with(reference(call), json!({ "isActiveCall": true }))),
        ("clearRouting", reference(call)),
        ("agentAnswered", key),
        ("phoneContactEnded", ended("wxcc_2")),
    ]
}

/// While the store is away.
async fn nothing_is_sent_that_cannot_be_kept(stage: &Stage, id: &str) {
    stage.org.forget_requests();
    for (route, body) in needy(id) {
        assert!(stage.post(route, body).await.error(503).contains("promises nothing"), "{route}");
    }
    assert_eq!(stage.org.requests().len(), 0, "nothing is sent that cannot be kept");
    let ready = stage.ask("/readyz").await;
    assert_eq!((ready.status, &ready.body["status"]), (503, &json!("not ready")));
    assert!(ready.body["not_ready"][0].as_str().unwrap().starts_with("store: the database"));
    let id = stage.call("wxcc_3").await;
    assert!(id.starts_with("0LQ"));
    assert!(stage.post("executeOmniFlow", omni_flow(&id)).await.data()["queue"].is_string());
    let asked: Vec<_> = stage.org.requests().iter().map(|request| request.operation).collect();
    assert_eq!(asked, [Operation::Create, Operation::OmniFlow]);
}

/// When it is back.
async fn all_is_kept_again(stage: &Stage, id: &str) {
    stage.until_ready().await;
    for (route, body) in needy(id) {
        stage.post(route, body).await.data();
    }
    assert_eq!(
        stage.call("wxcc_2").await,
        stage.org.voice_call("wxcc_2").unwrap().id,
        "what was known is known"
    );
    stage.work_until(async || stage.org.voice_call("wxcc_2").unwrap().updates == 1).await;
    stage.post("createVoiceCall", create("wxcc_4")).await.data();
}

#[actix_web::test]
async fn a_locked_database_of_sqlite_is_outlived() {
    let stage = Plan::telephony().deadline("10s").start().await;
    let id = stage.call("wxcc_1").await;
    stage.call("wxcc_2").await;
    let mut other = stage.beside().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    nothing_is_sent_that_cannot_be_kept(&stage, &id).await;
    other.execute("ROLLBACK").await.unwrap();
    all_is_kept_again(&stage, &id).await;
}

#[actix_web::test]
async fn a_hang_up_and_an_answer_wait_for_a_database_that_is_soon_back() {
    let stage = Plan::telephony().deadline("10s").start().await;
    stage.call("wxcc_1").await;
    stage.call("wxcc_2").await;
    let mut other = stage.beside().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_2" });
    assert!(stage.post("agentAnswered", answered.clone()).await.error(503).contains("promises nothing"));
    let requests = [stage.flow("phoneContactEnded", ended("wxcc_1")), stage.flow("agentAnswered", answered)];
    let waiting = tokio::spawn(at_once(requests));
    tokio::task::yield_now().await;
    other.execute("ROLLBACK").await.unwrap();
    for reply in waiting.await.unwrap() {
        reply.data();
    }
}

/// The caller has hung up while the database was busy with something else, and it took that in too late. Gives whether it
/// did: the deadline may have passed before the hang-up was on its way to the database.
async fn a_hang_up_that_lands_late_is_sent_at_once(stage: &Stage) -> bool {
    if stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["outcome"] != "duplicate" {
        return false;
    }
    // The clock stands still: no lease ends by itself.
    stage.deliver(0).await;
    let call = stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1));
    assert!(call.pending_routing.is_none());
    true
}

#[actix_web::test]
async fn a_hang_up_that_a_slow_sqlite_takes_in_after_its_deadline_is_sent_at_once() {
    // SQLite gives up a write for which it has waited a second: on a busy machine that may come first, and then nothing
    // lands late.
    for _ in 0..TRIES {
        let stage = Plan::telephony().sections(SHORT).start().await;
        let id = stage.call("wxcc_1").await;
        assert_eq!(stage.post("executeOmniFlow", omni_flow(&id)).await.status, 200);
        stage.work_until(async || stage.entries().await.is_empty()).await;
        let mut other = stage.beside().await;
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        assert!(stage.post("phoneContactEnded", ended("wxcc_1")).await.status >= 500);
        other.execute("ROLLBACK").await.unwrap();
        if stage.handle.outbox().store().ready().is_ok()
            && a_hang_up_that_lands_late_is_sent_at_once(&stage).await
        {
            return;
        }
    }
    panic!("the write did not land {TRIES} times");
}

/// A deadline that passes soon.
const SHORT: &str = "[deadlines]\nphone_contact_ended = \"300ms\"";

/// How often something is tried that a busy machine can spoil.
const TRIES: usize = 10;

#[actix_web::test]
async fn a_hang_up_that_a_slow_postgresql_takes_in_after_its_deadline_is_sent_at_once() {
    // On a busy machine the deadline may pass before the hang-up is written at all: then nothing lands late.
    for _ in 0..TRIES {
        let url = Postgres::shared().database();
        let stage = Plan::telephony().sections(SHORT).store(url.clone()).start().await;
        let id = stage.call("wxcc_1").await;
        assert_eq!(stage.post("executeOmniFlow", omni_flow(&id)).await.status, 200);
        let mut other = PgConnection::connect(&url).await.unwrap();
        other.execute("BEGIN; LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE").await.unwrap();
        assert!(stage.post("phoneContactEnded", ended("wxcc_1")).await.status >= 500);
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'outbox'::regclass";
        let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(&mut other).await.unwrap();
        other.execute("ROLLBACK").await.unwrap();
        if waiting > 0 && a_hang_up_that_lands_late_is_sent_at_once(&stage).await {
            return;
        }
    }
    panic!("the hang-up was not written {TRIES} times");
}

#[actix_web::test]
async fn a_postgresql_that_is_stopped_and_started_is_outlived() {
    let mut server = Postgres::start();
    let stage = Plan::telephony().deadline("10s").store(server.database()).start().await;
    let id = stage.call("wxcc_1").await;
    stage.call("wxcc_2").await;
    server.tell("stop");
    nothing_is_sent_that_cannot_be_kept(&stage, &id).await;
    server.tell("start");
    all_is_kept_again(&stage, &id).await;
}
