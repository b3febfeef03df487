//! What the webhooks lost is found: every telephony task that ended is compared, once its time has settled.

use std::collections::BTreeMap;
use std::sync::Mutex;

use scv_bridge::domain::{CallHandling as Handling, CallProgress as Progress, EndedTask};
use scv_bridge::mock::BadDay;
use scv_bridge::mock::webex::{MockWebexSettings, Operation};
use scv_bridge::store::{Memo, Run, StoreError, Turn};
use scv_bridge::webex::{
    CloseError as ClosingError, CloseOutcome as Closed, CloseTask as Closing, ReconcileError,
    ReconcileReport as Report, ReconcileStep as Step, Reconciler, SubscriptionWatch as Watch,
    TimeSpan as Span,
};
use serde_json::json;

use super::*;
use crate::stage::with;

/// Keeps what it was given; what comes again is agreed.
#[derive(Default)]
struct Ledger {
    closed: Mutex<BTreeMap<String, EndedTask>>,
    /// The next calls cannot be written.
    broken: Mutex<usize>,
}

impl Closing for Ledger {
    async fn close(&self, task: EndedTask, run: Run) -> Result<Closed, ClosingError> {
        let mut broken = self.broken.lock().unwrap();
        if *broken > 0 {
            *broken -= 1;
            return Err(StoreError::Closed.into());
        }
        if task.id.starts_with("bad") {
            return Err(ClosingError::Unusable(task.id));
        }
        let mut closed = self.closed.lock().unwrap();
        if closed.contains_key(&task.id) {
            return Ok(Closed::Agreed);
        }
        let handling = task.handling;
        if run == Run::Real {
            closed.insert(task.id.clone(), task);
        }
        Ok(Closed::Differed { believed: Progress::Routed, handling })
    }
}

struct Desk {
    tenant: Tenant,
    ledger: Arc<Ledger>,
    reconciler: Reconciler<Arc<Ledger>>,
}

impl Desk {
    async fn new() -> Self {
        Self::of(MockWebexSettings::default()).await
    }

    async fn of(settings: MockWebexSettings) -> Self {
        let tenant = Tenant::of(settings).await;
        let client = Arc::new(tenant.client().await);
        let ledger = Arc::new(Ledger::default());
        let reconciler = Reconciler::new(
            client,
            tenant.store().await,
            tenant.clock.clone(),
            tenant.metrics.clone(),
            Arc::clone(&ledger),
            "one".to_owned(),
        );
        Self { tenant, ledger, reconciler }
    }

    fn put(&self, id: &str, ended_ago: i64) {
        self.tenant.webex.put_task(task(id, ended_ago));
    }

    async fn compare(&self) -> Report {
        match self.reconciler.step().await.unwrap() {
            Step::Compared(report) => report,
            other => unreachable!("{other:?}"),
        }
    }

    fn closed(&self) -> Vec<String> {
        self.ledger.closed.lock().unwrap().keys().cloned().collect()
    }

    async fn water_mark(&self) -> i64 {
        let mark = self.tenant.store().await.recall(Memo::WaterMark).await.unwrap();
        mark.unwrap().parse().unwrap()
    }
}

#[actix_web::test]
async fn tasks_that_settled_since_the_water_mark_are_closed_once() {
    let desk = Desk::new().await;
    desk.put("old", 600);
    desk.put("fresh", 60);
    let report = desk.compare().await;
    assert_eq!((report.tasks, report.differed), (1, 1));
    assert_eq!((desk.closed(), desk.water_mark().await), (vec!["old".to_owned()], now() - 120_000));
    assert_eq!(desk.reconciler.step().await.unwrap(), Step::Nothing);
    desk.tenant.wait(300);
    let report = desk.compare().await;
    assert_eq!((report.tasks, report.agreed, report.differed), (1, 0, 1), "each is counted once");
    assert_eq!(desk.closed(), ["fresh", "old"]);
    assert_eq!(report.differences[0].task, "fresh");
    let found =
        |found| desk.tenant.metric(&format!("scv_bridge_reconciled_calls_total{{found=\"{found}\"}} "));
    assert_eq!((found("differed").as_deref(), found("agreed").as_deref()), (Some("2"), None));
}

#[actix_web::test]
async fn a_task_says_what_became_of_the_caller() {
    let desk = Desk::new().await;
    let with = |id: &str, fields: Value| {
        let mut task = task(id, 600);
        task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        desk.tenant.webex.put_task(task);
    };
    with("answered", json!({ "connectedCount": 1, "lastAgent": { "id": "a1" }, "captureRequested": true }));
    with("abandoned", json!({}));
    with("ivr", json!({ "queueCount": 0 }));
    with("active", json!({ "isActive": true }));
    with("chat", json!({ "channelType": "chat" }));
    with(
        "told",
        json!({ "activities": { "totalCount": 2, "nodes": [
            { "eventName": "ended", "createdTime": now() - 600_000 },
            { "eventName": "new", "createdTime": now() - 660_000 },
        ] } }),
    );
    desk.compare().await;
    let closed = desk.ledger.closed.lock().unwrap();
    let handling = |id: &str| closed[id].handling;
    assert_eq!(closed.len(), 5);
    assert!(closed["active"].is_active && !closed["answered"].is_active);
    assert_eq!(handling("answered"), Some(Handling::Answered));
    assert_eq!(handling("abandoned"), Some(Handling::Abandoned));
    assert_eq!(handling("ivr"), Some(Handling::LeftInIvr));
    assert_eq!((closed["answered"].agent.as_deref(), closed["answered"].has_capture), (Some("a1"), true));
    let events: Vec<_> = closed["told"].history.iter().map(|each| each.event.as_str()).collect();
    assert_eq!(events, ["task:new", "task:ended"]);
}

#[actix_web::test]
async fn what_could_not_be_written_comes_again_and_what_never_will_does_not_hold_the_mark() {
    let desk = Desk::of(MockWebexSettings { page: 2, ..Default::default() }).await;
    for id in ["a", "b", "bad", "c"] {
        desk.put(id, 600);
    }
    *desk.ledger.broken.lock().unwrap() = 1;
    assert!(matches!(desk.reconciler.step().await, Err(ReconcileError::Store(_))));
    let report = desk.compare().await;
    assert_eq!((report.tasks, report.failed), (4, 1));
    assert_eq!(desk.closed(), ["a", "b", "c"]);
}

#[actix_web::test]
async fn an_outage_of_webex_loses_nothing() {
    let desk = Desk::of(MockWebexSettings { page: 1, ..Default::default() }).await;
    desk.put("a", 600);
    desk.put("b", 500);
    desk.compare().await;
    desk.tenant.webex.script(BadDay::Unavailable { retry_after: None }, 1, Operation::Search);
    desk.tenant.wait(30 * 3600);
    assert!(matches!(desk.reconciler.step().await, Err(ReconcileError::Webex(_))));
    for hours in [1, 10, 29] {
        desk.put(&format!("c{hours}"), -hours * 3600);
    }
    desk.reconciler.round().await.unwrap();
    assert_eq!(desk.closed(), ["a", "b", "c1", "c10", "c29"]);
    assert_eq!(desk.reconciler.step().await.unwrap(), Step::Nothing);
}

#[actix_web::test]
async fn one_process_at_a_time_compares() {
    let desk = Desk::new().await;
    desk.put("a", 600);
    let (store, now) = (desk.tenant.store().await, desk.tenant.clock.now());
    let until = now.checked_add(Duration::from_secs(10)).unwrap();
    assert!(store.take_turn(Turn::Reconcile, "other", until, now).await.unwrap());
    assert_eq!(desk.reconciler.step().await.unwrap(), Step::Elsewhere);
    assert_eq!(desk.closed(), [""; 0]);
    desk.tenant.wait(10);
    desk.compare().await;
    assert_eq!(desk.closed(), ["a"]);
}

#[actix_web::test]
async fn a_backfill_shows_its_progress_and_leaves_the_water_mark() {
    let desk = Desk::new().await;
    let range = Span {
        from: jiff::Timestamp::from_millisecond(now() - 30 * 86_400_000).unwrap(),
        to: jiff::Timestamp::from_millisecond(now()).unwrap(),
    };
    for day in 0..30 {
        desk.put(&format!("t{day:02}"), day * 86_400 + 10);
    }
    let mut shown = Vec::new();
    let report =
        desk.reconciler.backfill(range, Run::Dry, &mut |progress| shown.push(progress)).await.unwrap();
    assert_eq!((report.tasks, report.differed, desk.closed().len()), (30, 30, 0));
    assert!(shown.len() >= 50 && shown.is_sorted_by_key(|progress| progress.to));
    assert_eq!(shown.last().unwrap().to, range.to);
    desk.tenant.wait(60);
    let report = desk.reconciler.backfill(range, Run::Real, &mut |_| {}).await.unwrap();
    assert_eq!((report.differed, desk.closed().len()), (30, 30));
    assert_eq!(report.to_string(), "30 calls compared: 0 agreed, 30 differed, 0 logged, 0 unknown, 0 failed");
    assert!(report.differences[0].to_string().ends_with("believed queued, was abandoned in the queue"));
    desk.tenant.wait(60);
    let again = desk.reconciler.backfill(range, Run::Real, &mut |_| {}).await.unwrap();
    assert_eq!((again.agreed, again.differences.len()), (30, 0));
    assert_eq!(desk.tenant.store().await.recall(Memo::WaterMark).await.unwrap(), None);
}

#[actix_web::test]
async fn a_round_looks_after_subscriptions_too() {
    let Desk { tenant, ledger, reconciler } = Desk::new().await;
    let destination = "https://bridge.example.com/webhooks/wxcc".to_owned();
    let reconciler = reconciler.watching(Some(Watch { destination, reactivate: true }));
    let client = tenant.client().await;
    let new = scv_bridge::webex::NewSubscription {
        name: "scv-bridge".into(),
        resource: "task:1.0.0".parse().unwrap(),
        destination_url: "https://bridge.example.com/webhooks/wxcc".into(),
        secret: "s".repeat(32).into(),
    };
    let id = client.subscribe(&new).await.unwrap().id;
    tenant.webex.change_subscription(&id, |known| known.active = false);
    reconciler.round().await.unwrap();
    assert!(tenant.webex.subscriptions()[0].active);
    let active = tenant.metric("scv_bridge_webex_subscriptions{status=\"active\"} ");
    assert_eq!(active.as_deref(), Some("1"));
    let looked = tenant.metric("scv_bridge_looked_at_timestamp_seconds{what=\"subscriptions\"} ");
    let now = tenant.clock.now().as_second().to_string();
    assert!(looked.as_ref().is_some_and(|looked| looked.starts_with(&now)), "{looked:?} at {now}");
    assert!(ledger.closed.lock().unwrap().is_empty());
}

/// A clock that goes on with every look.
struct Running(Arc<ManualClock>);

impl Clock for Running {
    fn now(&self) -> jiff::Timestamp {
        self.0.advance(Duration::from_millis(5));
        self.0.now()
    }
}

#[actix_web::test]
async fn a_round_ends_although_time_goes_on_and_looks_after_subscriptions_even_if_webex_shows_no_calls() {
    let tenant = Tenant::new().await;
    let (client, store) = (Arc::new(tenant.client().await), tenant.store().await);
    let clock = Arc::new(Running(tenant.clock.clone()));
    let destination = "https://bridge.example.com/webhooks/wxcc".to_owned();
    let reconciler = Reconciler::new(
        client,
        store,
        clock,
        tenant.metrics.clone(),
        Arc::new(Ledger::default()),
        "one".to_owned(),
    );
    let reconciler = reconciler.watching(Some(Watch { destination, reactivate: false }));
    let asked = |operation| tenant.webex.asked(operation).len();
    tokio::time::timeout(Duration::from_secs(20), reconciler.round()).await.unwrap().unwrap();
    assert_eq!((asked(Operation::Search), asked(Operation::Subscriptions)), (1, 1));
    tenant.wait(600);
    tenant.webex.script(BadDay::Unavailable { retry_after: None }, 1, Operation::Search);
    reconciler.round().await.unwrap_err();
    assert_eq!(asked(Operation::Subscriptions), 2);
}

#[actix_web::test]
async fn one_odd_record_is_left_out_and_told_and_the_round_goes_on() {
    let desk = Desk::new().await;
    desk.put("a", 600);
    let odd = |name: &str, fields: Value| {
        let mut task = task(name, 600);
        task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        desk.tenant.webex.put_odd_task(name, task);
    };
    odd("b", json!({ "id": null }));
    odd("c", json!({ "activities": { "totalCount": 2, "nodes": null } }));
    odd(
        "d",
        json!({ "activities": { "totalCount": 1, "nodes": [null] }, "lastQueue": null, "lastAgent": { "id": null } }),
    );
    odd(
        "e",
        json!({ "connectedCount": "1", "holdCount": "2", "holdDuration": 19_999.6, "captureRequested": null }),
    );
    desk.put("f", 600);
    let report = desk.compare().await;
    assert_eq!((report.tasks, report.failed, report.differed), (6, 1, 5));
    assert_eq!(
        (desk.closed(), desk.water_mark().await),
        (["a", "c", "d", "e", "f"].map(String::from).into(), now() - 120_000)
    );
    let figures = desk.ledger.closed.lock().unwrap()["e"].figures;
    assert_eq!((figures.connected, figures.holds, figures.held_for), (1, Some(2), Some(20_000)));
    let failed = desk.tenant.metric("scv_bridge_reconciled_calls_total{found=\"failed\"} ");
    assert_eq!(failed.as_deref(), Some("1"));
}

#[actix_web::test]
async fn a_record_that_is_null_is_left_out() {
    let desk = Desk::new().await;
    let body = json!({ "data": { "taskDetails": { "tasks": [null, task("a", 600), 7], "pageInfo": null } } });
    desk.tenant.webex.script(BadDay::Body { body }, 1, Operation::Search);
    let report = desk.compare().await;
    assert_eq!((report.tasks, report.failed, desk.closed()), (3, 2, vec!["a".to_owned()]));
    desk.tenant.wait(300);
    let body = json!({ "data": { "taskDetails": { "tasks": null } } });
    desk.tenant.webex.script(BadDay::Body { body }, 1, Operation::Search);
    assert_eq!(desk.compare().await.tasks, 0);
}

#[actix_web::test]
async fn a_field_that_the_tenants_schema_lacks_is_no_longer_asked_for() {
    let absent = ["holdCount", "captureRequested", "eventName"].map(str::to_owned).into();
    let desk = Desk::of(MockWebexSettings { absent_fields: absent, ..Default::default() }).await;
    desk.tenant.webex.put_task(with(task("a", 600), json!({ "holdDuration": 20_000, "holdCount": 2 })));
    let asked = || desk.tenant.webex.asked(Operation::Search).len();
    assert_eq!((desk.compare().await.differed, asked()), (1, 4));
    let figures = desk.ledger.closed.lock().unwrap()["a"].figures;
    assert_eq!((figures.holds, figures.held_for), (None, Some(20_000)));
    desk.tenant.wait(300);
    desk.compare().await;
    assert_eq!(asked(), 5);
}
