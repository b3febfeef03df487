//! Calls whose webhooks were lost end as if all had come: by Webex's records.

use scv_bridge::domain::{CallCenterName, CallProgress as Progress, CallReference, TaskId};
use scv_bridge::mock::Disposition;
use scv_bridge::mock::webex::{Envelope, Event, Weather};
use scv_bridge::store::{Run, Task};
use scv_bridge::webex::{
    CloseOutcome as Closed, ReconcileReport as Report, ReconcileStep as Step, TimeSpan as Span,
};
use serde_json::json;

use super::*;
use crate::postgres::Postgres;
use crate::stage::{BOUND, CENTER, Plan, SECRET, Stage, create, ended, omni_flow, webex, with};

/// A bridge with an org before it and a tenant behind it.
pub(super) struct House {
    pub(super) stage: Stage,
    pub(super) tenant: Tenant,
}

impl House {
    async fn new(keys: &str) -> Self {
        Self::of(Plan::telephony(), keys).await
    }

    pub(super) async fn of(plan: Plan, keys: &str) -> Self {
        let tenant = Tenant::new().await;
        let integration = format!(
            "api_url = \"{}\"\ntoken_url = \"{}\"\nclient_id = \"C0123456789abcdef\"\n\
             client_secret = \"the-secret-of-the-integration\"\nreconcile_every = \"24h\"\n{keys}",
            tenant.webex.url(),
            tenant.webex.token_url()
        );
        let stage = plan.sections(&webex(&integration)).start().await;
        let url = BaseUrl::parse(&tenant.webex.token_url()).unwrap();
        let client =
            WebexClient { id: "C0123456789abcdef".into(), secret: "the-secret-of-the-integration".into() };
        let store = stage.handle.outbox().store().clone();
        let settings = (&url, &client, Seal::new(None));
        tenant.log_in(&Tokens::new(http(), settings, store, tenant.clock.clone(), "login".into())).await;
        Self { stage, tenant }
    }

    /// A call that waits in a queue, ended as `fields` say; none of its webhooks came.
    async fn call(&self, id: &str, fields: Value) {
        let call = self.stage.call(&format!("wxcc_{id}")).await;
        self.stage.post("executeOmniFlow", omni_flow(&call)).await.data();
        self.record(id, fields);
    }

    fn record(&self, id: &str, fields: Value) {
        self.tenant.webex.put_task(with(task(id, 600), fields));
    }

    /// Compares, and lets the bridge draw its conclusions.
    pub(super) async fn reconcile(&self) -> Report {
        let step = self.stage.handle.reconciler().unwrap().step().await.unwrap();
        self.stage.conclude(11).await;
        match step {
            Step::Compared(report) => report,
            other => unreachable!("{other:?}"),
        }
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.stage.wait_seconds(seconds);
        self.tenant.wait(seconds);
    }

    fn updates(&self, id: &str) -> usize {
        self.stage.org.voice_call(&format!("wxcc_{id}")).map_or(0, |call| call.updates.try_into().unwrap())
    }
}

#[actix_web::test]
async fn a_call_of_which_no_event_and_no_hang_up_came_is_completed() {
    let house = House::new("").await;
    house.call("1", json!({})).await;
    let report = house.reconcile().await;
    assert!(matches!(report.differences[0].closed, Closed::Differed { believed: Progress::Routed, .. }));
    let call = house.stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.call_disposition, Disposition::Completed);
    assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
    assert_eq!((call.pending_routing, call.updates), (None, 1));
    house.wait(600);
    house.record("2", json!({ "endedTime": now() + 300_000, "createdTime": now() }));
    let report = house.reconcile().await;
    assert_eq!((report.unknown, house.updates("1")), (1, 1), "what was closed stays closed");
}

#[actix_web::test]
async fn an_answered_call_is_left_to_its_agent_also_if_the_vendors_flow_comes_afterwards() {
    let house = House::new("").await;
    house
        .call("1", json!({ "connectedCount": 1, "connectedDuration": 20_000, "lastAgent": { "id": "a1" } }))
        .await;
    assert_eq!(house.reconcile().await.differed, 1);
    assert_eq!(house.updates("1"), 0);
    let key = CallReference::parse("wxcc_1").unwrap();
    let center = CallCenterName::parse(CENTER).unwrap();
    let call = house.stage.handle.outbox().store().find(&center, &key).await.unwrap().unwrap();
    assert!(call.is_answered());
}

#[actix_web::test]
async fn what_a_flow_has_told_without_any_webhook_is_agreed() {
    let house = House::new("").await;
    house.call("1", json!({})).await;
    house.stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let report = house.reconcile().await;
    assert_eq!((report.agreed, report.differed, house.updates("1")), (1, 0, 1));
}

#[actix_web::test]
async fn an_answered_call_that_flows_alone_have_told_is_enriched_by_webexs_record_once() {
    let begin = now() - 660_000;
    let history =
        [("new", 0), ("parked", 10), ("connected", 20), ("on-hold", 30), ("hold-done", 40), ("ended", 60)];
    let nodes: Vec<_> = history
        .iter()
        .rev()
        .map(|(name, second)| json!({ "eventName": name, "createdTime": begin + second * 1000 }))
        .collect();
    let answered = json!({ "connectedCount": 1, "connectedDuration": 30_000, "holdCount": 1, "holdDuration": 10_000,
        "activities": { "totalCount": nodes.len(), "nodes": nodes } });
    for (enriched, plan) in [
        (true, Plan::telephony()),
        (true, Plan::apex()),
        (true, Plan::telephony().store(Postgres::shared().database())),
        (false, Plan::telephony()),
    ] {
        let plan = plan.center(&format!("enrichment.enabled = {enriched}"));
        let house = House::of(plan, "").await;
        for (id, fields, agent) in [("1", &answered, "a1"), ("2", &json!({}), "")] {
            house.call(id, fields.clone()).await;
            let end = json!({ "startTime": "2026-11-21T09:49:00Z", "endTime": "2026-11-21T09:50:00Z", "agentId": agent });
            house.stage.post("phoneContactEnded", with(ended(&format!("wxcc_{id}")), end)).await.data();
        }
        let report = house.reconcile().await;
        assert_eq!((report.agreed, report.differed), (2, 0));
        let updates = || ["1", "2"].map(|id| house.updates(id));
        assert_eq!(updates(), [usize::from(enriched), 1]);
        let call = house.stage.org.voice_call("wxcc_1").unwrap();
        let told = (call.holds.number_of_holds, call.holds.total_hold_duration, call.disconnect_is_error);
        assert_eq!(told.0.zip(told.1), enriched.then_some((1, 10)), "{told:?}");
        let store = house.stage.handle.outbox().store();
        let known = async |id| {
            let task = store.find_task(&TaskId::parse(id).unwrap()).await.unwrap();
            task.filter(|task| !task.timeline.is_empty())
        };
        assert_eq!((known("1").await.is_some(), known("2").await.is_some()), (enriched, false));
        let before = known("1").await;
        house.wait(300);
        let again = house.reconcile().await;
        assert_eq!((again.agreed, again.differed, again.differences.len()), (0, 0, 0), "counted once");
        assert_eq!(updates(), [usize::from(enriched), 1]);
        let events = |task: Option<Task>| task.map(|task| task.timeline);
        assert_eq!(events(known("1").await), events(before), "its events are known");
    }
}

#[actix_web::test]
async fn a_dry_run_tells_no_events_of_a_call_that_could_be_enriched() {
    let house = House::of(Plan::telephony().center("enrichment.enabled = true"), "").await;
    house.call("1", json!({ "connectedCount": 1, "connectedDuration": 20_000 })).await;
    house.stage.post("phoneContactEnded", with(ended("wxcc_1"), json!({ "agentId": "a1" }))).await.data();
    let at = |ago: i64| jiff::Timestamp::from_millisecond(now() - ago * 1000).unwrap();
    let range = Span { from: at(3600), to: at(0) };
    let reconciler = house.stage.handle.reconciler().unwrap();
    let report = reconciler.backfill(range, Run::Dry, &mut |_| {}).await.unwrap();
    house.stage.conclude(11).await;
    assert_eq!((report.agreed, house.updates("1")), (1, 0));
    reconciler.backfill(range, Run::Real, &mut |_| {}).await.unwrap();
    house.stage.conclude(11).await;
    assert_eq!(house.updates("1"), 1);
}

#[actix_web::test]
async fn the_end_of_the_login_is_told_before_webex_is_asked_for_anything() {
    let house = House::new("").await;
    let metric = "scv_bridge_webex_login_expiration_timestamp_seconds";
    let reconciler = house.stage.handle.reconciler().unwrap();
    let told = async {
        loop {
            if let Some(ends) = house.stage.metric(metric).await {
                return ends;
            }
        }
    };
    let ends = tokio::select! {
        () = reconciler.run(Duration::from_secs(3600)) => panic!("it goes on for ever"),
        ends = tokio::time::timeout(BOUND, told) => ends.unwrap(),
    };
    let seconds: i64 = ends.split('.').next().unwrap().trim().parse().unwrap();
    assert!(seconds * 1000 > now(), "{ends}");
}

#[actix_web::test]
async fn a_call_that_the_bridge_never_saw_is_logged_only_if_configured() {
    for (keys, logged) in [("", false), ("log_unknown_calls = true", true)] {
        let house = House::new(keys).await;
        house.record("1", json!({}));
        let report = house.reconcile().await;
        assert_eq!((report.logged, report.unknown), (usize::from(logged), usize::from(!logged)));
        let call = house.stage.org.voice_call("wxcc_1");
        assert_eq!(call.is_some(), logged);
        if let Some(call) = call {
            let refused: Vec<_> = house.stage.refusals().iter().map(|refusal| refusal.status).collect();
            assert_eq!(refused, [404], "there is no routing to clear");
            assert_eq!((call.from_phone_number.as_deref(), call.updates), (Some("(469) 315-0217"), 1));
        }
    }
}

#[actix_web::test]
async fn calls_are_closed_by_the_configuration_that_runs_then() {
    let house = House::new("log_unknown_calls = false").await;
    house.record("1", json!({}));
    assert_eq!(house.reconcile().await.unknown, 1);
    house.stage.change("log_unknown_calls = false", "log_unknown_calls = true").await;
    house.wait(600);
    house.record("2", json!({ "endedTime": now() + 300_000, "createdTime": now() }));
    assert_eq!(house.reconcile().await.unknown, 0);
    assert_eq!(house.updates("2"), 1, "it was logged");
    assert!(house.stage.refusals().iter().all(|refusal| refusal.status == 404), "no routing to clear");
}

#[actix_web::test]
async fn a_dry_run_tells_and_changes_nothing() {
    let house = House::new("").await;
    house.call("1", json!({})).await;
    let at = |ago: i64| jiff::Timestamp::from_millisecond(now() - ago * 1000).unwrap();
    let range = Span { from: at(3600), to: at(0) };
    let reconciler = house.stage.handle.reconciler().unwrap();
    let report = reconciler.backfill(range, Run::Dry, &mut |_| {}).await.unwrap();
    house.stage.conclude(11).await;
    assert_eq!((report.differed, house.updates("1")), (1, 0));
    assert_eq!(
        report.differences[0].to_string(),
        "1  ended 2026-11-21T09:50:00Z  believed queued, was abandoned in the queue"
    );
    reconciler.backfill(range, Run::Real, &mut |_| {}).await.unwrap();
    house.stage.conclude(11).await;
    assert_eq!(house.updates("1"), 1);
}

/// What happens to a call, by its number: every third is answered, with a hold.
fn history(number: i64) -> Vec<(&'static str, i64)> {
    let begin = now() - 900_000 + number * 1000;
    let mut all = vec![("new", begin), ("parked", begin + 20_000)];
    if number % 3 == 0 {
        let talk = [("connect", 25), ("connected", 30), ("on-hold", 40), ("hold-done", 50)];
        all.extend(talk.map(|(name, second)| (name, begin + second * 1000)));
    }
    all.push(("ended", begin + 90_000));
    all
}

const CALLS: i64 = 30;

/// Plays calls whose webhooks come through a storm, and compares.
async fn storm(house: &House) {
    let mut events = Vec::new();
    for number in 0..CALLS {
        let (id, history) = (format!("t{number}"), history(number));
        let answered = u32::from(number % 3 == 0);
        let body = with(create(&format!("wxcc_{id}")), json!({ "startTime": history[0].1.to_string() }));
        house.stage.post("createVoiceCall", body).await.data();
        let nodes: Vec<_> =
            history.iter().rev().map(|(name, at)| json!({ "eventName": name, "createdTime": at })).collect();
        house.record(
            &id,
            json!({
                "createdTime": history[0].1, "endedTime": history.last().unwrap().1, "connectedCount": answered,
                "activities": { "totalCount": nodes.len(), "nodes": nodes },
            }),
        );
        events.extend(history.into_iter().map(|(name, at)| {
            let data = json!({ "taskId": id, "createdTime": at, "channelType": "telephony", "direction": "INBOUND" });
            Event::new(format!("{id}-{name}"), format!("task:{name}"), data)
        }));
    }
    let envelope = Envelope {
        org_id: "97cdbf45-ebe2-4687-8341-44d5c7abf101".into(),
        subscription: "s1".into(),
        version: 2,
        misspelled_org_key: false,
        secret: Some(SECRET.into()),
    };
    let storm = Weather { lost: 0.3, doubled: 0.1, delayed: 0.5, places: 40, seed: 11 };
    let url = format!("{}/webhooks/wxcc", house.stage.public);
    for event in storm.blow(events) {
        let webhook = envelope.webhook(&event, house.tenant.clock.now());
        assert_eq!(house.tenant.webex.deliver(&url, &webhook).await, 200);
    }
    house.stage.conclude(11).await;
    let report = house.reconcile().await;
    assert!(report.differed > 10, "{report}");
}

#[actix_web::test]
async fn after_a_storm_every_record_is_as_if_all_had_come() {
    let house = House::new("").await;
    storm(&house).await;
    for number in 0..CALLS {
        let call = house.stage.org.voice_call(&format!("wxcc_t{number}")).unwrap();
        let wanted = if number % 3 == 0 { (Disposition::New, 0) } else { (Disposition::Completed, 1) };
        assert_eq!((call.call_disposition, call.updates), wanted, "t{number}");
    }
}

#[actix_web::test]
async fn after_a_storm_every_enriched_record_tells_the_truth_by_one_final_update() {
    let house = House::of(Plan::telephony().center("enrichment.enabled = true"), "").await;
    storm(&house).await;
    let text = |at: i64| format!("{:.3}", jiff::Timestamp::from_millisecond(at).unwrap());
    for number in 0..CALLS {
        let call = house.stage.org.voice_call(&format!("wxcc_t{number}")).unwrap();
        let (begin, answered) = (history(number)[0].1, number % 3 == 0);
        let held = if answered { (1, 10) } else { (0, 0) };
        let told = (call.holds.number_of_holds.unwrap(), call.holds.total_hold_duration.unwrap());
        assert_eq!((told, call.call_duration_in_seconds), (held, Some(90)), "t{number}");
        assert_eq!(call.call_queued_date_time, Some(text(begin + 20_000)), "t{number}");
        assert_eq!(call.call_accept_date_time, answered.then(|| text(begin + 30_000)), "t{number}");
        let abandoned = call.disconnect_reason.as_deref() == Some("Abandoned in queue");
        assert_eq!((abandoned, call.call_disposition), (!answered, Disposition::Completed), "t{number}");
    }
    let sent = house.stage.sent(scv_bridge::mock::Operation::Update);
    let finals = sent.iter().filter(|sent| sent["isActiveCall"] != true).count();
    assert_eq!((finals, sent.len() > finals), (30, true), "the others correct");
}

/// What Search shows of a callback that reached nobody.
fn callbacks() -> [Value; 2] {
    let begin = now() - 660_000;
    let history = [("parked", 10), ("optOutOfQueue", 20), ("dequeued", 20), ("connect", 30), ("parked", 50)];
    let nodes: Vec<_> = [("new", 0)]
        .into_iter()
        .chain(history)
        .chain([("callbackFailed", 60), ("ended", 60)])
        .map(|(name, second)| json!({ "eventName": name, "createdTime": begin + second * 1000 }))
        .rev()
        .collect();
    let reason = json!({ "terminationReason": "RONA Timer Expired", "contactHandleType": "abandoned" });
    [
        with(reason.clone(), json!({ "activities": { "totalCount": nodes.len(), "nodes": nodes } })),
        with(reason, json!({ "isCallback": true })),
    ]
}

#[actix_web::test]
async fn a_callback_that_reached_nobody_is_told_as_a_callback_by_webexs_record() {
    for (fields, told_before) in callbacks().into_iter().flat_map(|one| [(one.clone(), false), (one, true)]) {
        let house = House::new("").await;
        house.call("1", fields).await;
        if told_before {
            let reply = house.stage.post("phoneContactEnded", ended("wxcc_1")).await;
            assert_eq!(reply.data()["outcome"], "abandoned", "nobody could know");
            house.stage.deliver(0).await;
        }
        assert_eq!(house.reconcile().await.differed, 1);
        house.stage.deliver(0).await;
        let call = house.stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!(call.call_disposition, Disposition::Completed);
        assert_eq!(
            (call.disconnect_reason.as_deref(), call.disconnect_is_error),
            (Some("CALLBACK"), Some(false))
        );
        assert_eq!((call.pending_routing, call.updates), (None, 1 + u32::from(told_before)));
        house.wait(300);
        house.reconcile().await;
        assert_eq!(house.updates("1"), 1 + usize::from(told_before), "once");
    }
}

#[actix_web::test]
async fn an_answered_call_that_a_flow_told_as_abandoned_is_put_right_by_webexs_record() {
    let house = House::new("").await;
    house
        .call(
            "1",
            json!({ "connectedCount": 1, "connectedDuration": 20_000, "terminationReason": "Agent left" }),
        )
        .await;
    house.stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    house.stage.deliver(0).await;
    assert_eq!(house.reconcile().await.differed, 1);
    house.stage.deliver(0).await;
    let call = house.stage.org.voice_call("wxcc_1").unwrap();
    assert_eq!(call.disconnect_reason.as_deref(), Some("Agent left"));
    assert_eq!((call.call_accept_date_time.as_deref(), call.updates), (Some("2026-11-21T09:49:40.250Z"), 2));
}

#[actix_web::test]
async fn a_call_of_which_nothing_was_told_and_that_was_never_queued_ended_in_the_ivr() {
    for enriched in [false, true] {
        let plan = Plan::telephony().center(&format!("enrichment.enabled = {enriched}"));
        let house = House::of(plan, "log_unknown_calls = true").await;
        house.record("1", json!({ "queueCount": 0, "queueDuration": 0, "lastQueue": null }));
        house.record("2", json!({}));
        assert_eq!(house.reconcile().await.logged, 2);
        let _nothing_to_clear = house.stage.refusals();
        let reason = |id: &str| house.stage.org.voice_call(id).unwrap().disconnect_reason;
        assert_eq!(reason("wxcc_1").as_deref(), Some("Abandoned in IVR"));
        assert_eq!(reason("wxcc_2").as_deref(), Some("Abandoned in queue"));
    }
}
