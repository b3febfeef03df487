//! executeOmniFlow whose end nobody knows: Salesforce may still route a call whose caller is gone.

use scv_bridge::domain::{CallCenterName, CallReference};
use scv_bridge::mock::{BadDay, Disposition, Operation};
use scv_bridge::store::EntryKind;
use serde_json::json;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::postgres::Postgres;
use crate::stage::{CENTER, Plan, Stage, ended, omni_flow};

/// Later than the deadline of 300 ms.
const LATE: BadDay = BadDay::WorksLate { milliseconds: 900 };

async fn stages() -> [Stage; 3] {
    let plan = |plan: Plan| plan.deadline("300ms");
    [
        plan(Plan::telephony()).start().await,
        plan(Plan::apex()).start().await,
        plan(Plan::telephony()).store(Postgres::shared().database()).start().await,
    ]
}

/// Salesforce routes the call, though nobody waits for its answer any more.
async fn until_routed(stage: &Stage) {
    stage.work_until(async || stage.org.voice_call("wxcc_1").unwrap().pending_routing.is_some()).await;
}

async fn no_ghost_is_left(stage: &Stage) {
    stage.wait_seconds(12);
    stage.work_until(async || stage.org.voice_call("wxcc_1").unwrap().pending_routing.is_none()).await;
    looked_at(stage).await;
    let call = stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 1));
    // Salesforce may be later still: once more, and then no more.
    let cleared = stage.asked(Operation::ClearRouting).len();
    stage.deliver(130).await;
    assert_eq!(stage.asked(Operation::ClearRouting).len(), cleared + 1);
    assert!(stage.entries().await.is_empty());
}

#[actix_web::test]
async fn a_routing_that_comes_after_the_deadline_and_the_hang_up_is_cleared() {
    for stage in stages().await {
        let id = stage.call("wxcc_1").await;
        stage.script(LATE, Operation::OmniFlow);
        stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
        assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["status"], "Success");
        until_routed(&stage).await;
        no_ghost_is_left(&stage).await;
    }
}

#[actix_web::test]
async fn a_routing_of_a_caller_who_hung_up_before_the_deadline_is_cleared() {
    for stage in stages().await {
        let id = stage.call("wxcc_1").await;
        stage.script(LATE, Operation::OmniFlow);
        let routing = stage.flow("executeOmniFlow", omni_flow(&id));
        let routing = tokio::spawn(async move { routing.send().await.unwrap().status().as_u16() });
        stage.work_until(async || stage.org.scripted().is_empty()).await;
        assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["status"], "Success");
        assert_eq!(routing.await.unwrap(), 504);
        until_routed(&stage).await;
        no_ghost_is_left(&stage).await;
    }
}

#[actix_web::test]
async fn a_caller_who_still_waits_when_the_late_clear_is_due_keeps_the_routing() {
    for stage in stages().await {
        let id = stage.call("wxcc_1").await;
        stage.script(LATE, Operation::OmniFlow);
        stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
        until_routed(&stage).await;
        stage.wait_seconds(12);
        looked_at(&stage).await;
        assert!(stage.org.voice_call("wxcc_1").unwrap().pending_routing.is_some());
        assert_eq!(stage.asked(Operation::ClearRouting).len(), 0);
        assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["status"], "Success");
        assert!(stage.org.voice_call("wxcc_1").unwrap().pending_routing.is_none());
        // That Salesforce may be later still is looked at until it cannot.
        stage.wait_seconds(12);
        looked_at(&stage).await;
        stage.deliver(130).await;
        assert!(stage.entries().await.is_empty());
    }
}

/// The entry that clears a late routing has had its turn, and waits for another.
async fn looked_at(stage: &Stage) {
    let now = stage.handle.outbox().now();
    stage
        .work_until(async || {
            stage.entries().await.iter().all(|entry| entry.next_at > now && entry.lease_until.is_none())
        })
        .await;
}

#[actix_web::test]
async fn a_caller_who_hangs_up_after_the_late_clear_was_due_and_before_salesforce_routes_is_no_ghost() {
    for stage in stages().await {
        let id = stage.call("wxcc_1").await;
        stage.script(BadDay::WorksLate { milliseconds: 2500 }, Operation::OmniFlow);
        stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
        stage.wait_seconds(12);
        looked_at(&stage).await;
        assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["status"], "Success");
        until_routed(&stage).await;
        no_ghost_is_left(&stage).await;
    }
}

#[actix_web::test]
async fn while_salesforce_is_asked_the_clear_is_kept_already_so_that_a_kill_loses_nothing() {
    for stage in stages().await {
        let id = stage.call("wxcc_1").await;
        stage.script(BadDay::Slow { milliseconds: 200 }, Operation::OmniFlow);
        let routing = stage.flow("executeOmniFlow", omni_flow(&id));
        let routing = tokio::spawn(async move { routing.send().await.unwrap().status().as_u16() });
        let kinds =
            async || -> Vec<EntryKind> { stage.entries().await.iter().map(|entry| entry.kind).collect() };
        stage.work_until(async || kinds().await == [EntryKind::LateClear]).await;
        assert_eq!(routing.await.unwrap(), 200);
        // Salesforce's answer is known: nothing is left to clear.
        stage.work_until(async || kinds().await.is_empty()).await;
    }
}

/// The other program lets the database go, and the caller hangs up before Salesforce routes the call.
async fn is_cleared_once_the_database_is_back(stage: &Stage, mut other: SqliteConnection) {
    other.execute("ROLLBACK").await.unwrap();
    stage.until_ready().await;
    let is_kept = async || stage.entries().await.iter().any(|entry| entry.kind == EntryKind::LateClear);
    stage.work_until(is_kept).await;
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    until_routed(stage).await;
    no_ghost_is_left(stage).await;
}

/// Another program holds the lock, and the bridge has learned of it by what it had to write.
async fn with_a_failed_database(stage: &Stage) -> SqliteConnection {
    let mut other = stage.beside().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_0" });
    stage.post("agentAnswered", answered).await.errors(503);
    other
}

#[actix_web::test]
async fn a_late_routing_that_a_locked_database_could_not_provide_for_is_cleared_all_the_same() {
    let stage = Plan::telephony().deadline("300ms").start().await;
    let id = stage.call("wxcc_1").await;
    let mut other = stage.beside().await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    stage.script(LATE, Operation::OmniFlow);
    stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
    is_cleared_once_the_database_is_back(&stage, other).await;
}

#[actix_web::test]
async fn a_late_routing_of_a_call_that_could_not_be_read_is_cleared_all_the_same() {
    let stage = Plan::telephony().deadline("300ms").start().await;
    let id = stage.call("wxcc_1").await;
    let other = stage.lock_for_reading_too().await;
    stage.script(BadDay::WorksLate { milliseconds: 4000 }, Operation::OmniFlow);
    stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
    is_cleared_once_the_database_is_back(&stage, other).await;
}

#[actix_web::test]
async fn a_late_routing_of_a_call_that_was_created_while_the_database_had_failed_is_cleared_all_the_same() {
    let stage = Plan::telephony().deadline("2s").start().await;
    let other = with_a_failed_database(&stage).await;
    let id = stage.call("wxcc_1").await;
    stage.script(BadDay::WorksLate { milliseconds: 6000 }, Operation::OmniFlow);
    stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
    is_cleared_once_the_database_is_back(&stage, other).await;
}

#[actix_web::test]
async fn a_caller_who_was_queued_while_the_database_had_failed_did_not_hang_up_in_the_ivr() {
    let stage = Plan::telephony().deadline("2s").start().await;
    let mut other = with_a_failed_database(&stage).await;
    let id = stage.call("wxcc_1").await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    other.execute("ROLLBACK").await.unwrap();
    stage.until_ready().await;
    let name = CallReference::parse(&id).unwrap();
    let center = CallCenterName::parse(CENTER).unwrap();
    let store = stage.handle.outbox().store().clone();
    let is_noted =
        async || store.find(&center, &name).await.unwrap().is_some_and(|call| call.routed_at.is_some());
    stage.work_until(is_noted).await;
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let sent = stage.sent(Operation::Update);
    assert_eq!(sent[0]["disconnectReason"]["value"], "Abandoned in queue", "{sent:?}");
}

#[actix_web::test]
async fn a_caller_of_whom_the_answer_could_not_read_that_they_are_gone_does_not_wait_for_ever() {
    let url = Postgres::shared().database();
    let stage = Plan::telephony().deadline("2500ms").store(url.clone()).start().await;
    let id = stage.call("wxcc_1").await;
    stage.script(BadDay::WorksLate { milliseconds: 2000 }, Operation::OmniFlow);
    let routing = stage.flow("executeOmniFlow", omni_flow(&id));
    let routing = tokio::spawn(async move { routing.send().await.unwrap().status().as_u16() });
    stage.work_until(async || stage.org.scripted().is_empty()).await;
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let mut other = PgConnection::connect(&url).await.unwrap();
    other.execute("BEGIN; LOCK TABLE calls IN ACCESS EXCLUSIVE MODE").await.unwrap();
    assert_eq!(routing.await.unwrap(), 200);
    other.execute("ROLLBACK").await.unwrap();
    until_routed(&stage).await;
    // The clear is due some time after the deadline.
    stage.wait_seconds(3);
    no_ghost_is_left(&stage).await;
}

/// A routing that Salesforce has made after its caller hung up, with a breaker that does not open.
async fn routed_after_the_hang_up() -> Stage {
    let stage = Plan::telephony().deadline("300ms").sections("[breaker]\nfailures = 1000").start().await;
    let id = stage.call("wxcc_1").await;
    stage.script(LATE, Operation::OmniFlow);
    stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["status"], "Success");
    until_routed(&stage).await;
    stage
}

#[actix_web::test]
async fn a_caller_whose_late_routing_salesforce_does_not_clear_is_counted() {
    let stage = routed_after_the_hang_up().await;
    let counted = async |expected: &str| {
        stage.handle.measure().await;
        let series = format!("scv_bridge_callers_not_cleared{{call_center=\"{CENTER}\",state=\"pending\"}}");
        stage.metric(&series).await.as_deref() == Some(expected)
    };
    assert!(counted("0").await, "it waits on purpose");
    stage.script_times(BadDay::Unavailable { retry_after: None }, 1, Operation::ClearRouting);
    stage.wait_seconds(12);
    stage.work_until(async || counted("1").await).await;
    stage.wait_seconds(200);
    stage.work_until(async || stage.org.voice_call("wxcc_1").unwrap().pending_routing.is_none()).await;
    stage.work_until(async || counted("0").await).await;
}

#[actix_web::test]
async fn a_caller_whom_two_clears_could_not_clear_is_counted_once() {
    for store in [None, Some(Postgres::shared().database())] {
        let plan = Plan::telephony().deadline("300ms").sections("[breaker]\nfailures = 1000");
        let plan = match store {
            Some(url) => plan.store(url),
            None => plan,
        };
        let stage = plan.start().await;
        let id = stage.call("wxcc_1").await;
        stage.script(LATE, Operation::OmniFlow);
        stage.post("executeOmniFlow", omni_flow(&id)).await.error(504);
        until_routed(&stage).await;
        for operation in [Operation::ClearRouting, Operation::Update] {
            stage.script_times(BadDay::Unavailable { retry_after: None }, u32::MAX, operation);
        }
        stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
        stage.wait_seconds(12);
        let has_failed = async || {
            let entries = stage.entries().await;
            entries.iter().any(|entry| entry.kind == EntryKind::LateClear && entry.attempts > 0)
        };
        stage.work_until(has_failed).await;
        let callers = stage.handle.outbox().store().count_not_cleared().await.unwrap();
        assert_eq!(callers.iter().map(|count| count.callers).collect::<Vec<_>>(), [1], "{callers:?}");
        let ended = stage.handle.outbox().now().as_second() - 12;
        assert!(callers[0].oldest.as_second() >= ended - 1, "it waits since the hang-up: {callers:?}");
        stage.org.forget_scripts();
    }
}

#[actix_web::test]
async fn a_late_clear_that_failed_at_first_is_sent_once_more_too() {
    let stage = routed_after_the_hang_up().await;
    stage.script_times(BadDay::Unavailable { retry_after: None }, 1, Operation::ClearRouting);
    stage.wait_seconds(12);
    stage.work_until(async || stage.org.scripted().is_empty()).await;
    looked_at(&stage).await;
    stage.wait_seconds(30);
    stage.work_until(async || stage.org.voice_call("wxcc_1").unwrap().pending_routing.is_none()).await;
    looked_at(&stage).await;
    let cleared = stage.asked(Operation::ClearRouting).len();
    stage.deliver(100).await;
    assert_eq!(stage.asked(Operation::ClearRouting).len(), cleared + 1);
}
