//! What the metrics tell of calls, of Salesforce and of the bridge itself.

use std::collections::BTreeMap;

use scv_bridge::clock::Clock as _;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{CENTER, Plan, Reply, Stage, create, ended, omni_flow, reference, with};

const GONE: BadDay = BadDay::Unavailable { retry_after: None };

/// The values of all series.
async fn values(stage: &Stage) -> BTreeMap<String, f64> {
    stage.handle.measure().await;
    let text = stage.ask("/metrics").await.text;
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    lines.map(|line| read(line).unwrap()).collect()
}

/// The value of a series of the contact center, with these labels after its name.
fn of_center(values: &BTreeMap<String, f64>, name: &str, labels: &str) -> f64 {
    let name = format!("{name}{{call_center=\"{CENTER}\",{labels}}}");
    assert!(values.contains_key(&name), "{name} is not in {values:#?}");
    values[&name]
}

async fn waiting(stage: &Stage, key: &str) -> String {
    let id = stage.call(key).await;
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    id
}

#[actix_web::test]
async fn the_series_are_sorted_and_stay_in_their_order() {
    let stage = Stage::telephony().await;
    waiting(&stage, "wxcc_1").await;
    let names = async || {
        let text = stage.ask("/metrics").await.text;
        let named = |line: &str| line.rsplit_once(' ').map(|(name, _)| name.to_owned());
        text.lines().filter(|line| !line.starts_with('#')).filter_map(named).collect::<Vec<_>>()
    };
    let (first, second) = (names().await, names().await);
    assert_eq!(first, second);
    let families: Vec<&str> = first.iter().filter_map(|name| name.split('{').next()).collect();
    let counters: Vec<&&str> = families.iter().filter(|name| name.ends_with("_total")).collect();
    assert!(counters.is_sorted(), "{counters:?}");
}

#[actix_web::test]
async fn each_call_is_counted_once_by_what_became_of_it() {
    let stage = Stage::telephony().await;
    let before = values(&stage).await;
    for outcome in ["answered", "abandoned_queue", "abandoned_ivr", "transferred", "callback", "no_record"] {
        let calls = of_center(&before, "scv_bridge_calls_total", &format!("outcome=\"{outcome}\""));
        assert!(calls == 0.0, "{outcome}");
    }
    waiting(&stage, "wxcc_queue").await;
    stage.call("wxcc_ivr").await;
    waiting(&stage, "wxcc_agent").await;
    for key in ["wxcc_queue", "wxcc_ivr", "wxcc_queue"] {
        stage.post("phoneContactEnded", ended(key)).await.data();
    }
    for key in ["wxcc_agent", "wxcc_unknown"] {
        stage.post("phoneContactEnded", with(ended(key), json!({ "agentId": "7d6a" }))).await.data();
    }
    let after = values(&stage).await;
    for outcome in ["abandoned_queue", "abandoned_ivr", "answered", "no_record"] {
        let calls = of_center(&after, "scv_bridge_calls_total", &format!("outcome=\"{outcome}\""));
        assert!(calls == 1.0, "{outcome}: {calls}");
    }
    assert!(after["scv_bridge_withheld_total{reason=\"answered\"}"] == 2.0);
    for kind in ["cleared", "final_update"] {
        let measured = format!("scv_bridge_completion_delay_seconds_count{{kind=\"{kind}\"}}");
        assert!(after.get(&measured) == Some(&2.0), "{measured}: {after:#?}");
    }
}

#[actix_web::test]
async fn the_seconds_of_salesforce_are_told_by_operation_and_result() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_1").await;
    stage.script_answer(401, json!({ "error": "no" }), Operation::Create);
    stage.call("wxcc_2").await;
    stage.script_answer(400, json!({ "message": "no" }), Operation::Create);
    stage.post("createVoiceCall", create("wxcc_3")).await.error(422);
    let after = values(&stage).await;
    for (result, count) in [("done", 2.0), ("token_refused", 1.0), ("refused", 1.0)] {
        let labels = format!("operation=\"create\",result=\"{result}\"");
        let requests = of_center(&after, "scv_bridge_salesforce_request_seconds_count", &labels);
        assert!(requests == count, "{result}: {requests}");
    }
    let refused = "scv_bridge_token_refusals_total{error=\"unauthorized\",way=\"telephony\"}";
    assert!(after[refused] == 1.0);
}

#[actix_web::test]
async fn an_outage_shows_in_breaker_outbox_and_limits() {
    let plan = Plan::telephony().sections("[breaker]\nfailures = 1\npause = \"5m\"\nlongest_pause = \"5m\"");
    let stage = plan.center("on_create_failure = \"defer\"\nfallback_queue = \"Overflow\"").start().await;
    let before = values(&stage).await;
    assert!(of_center(&before, "scv_bridge_breaker_state", "state=\"closed\"") == 1.0);
    let since = format!("scv_bridge_breaker_since_timestamp_seconds{{call_center=\"{CENTER}\"}}");
    assert!(!before.contains_key(&since));
    waiting(&stage, "wxcc_1").await;
    stage.script(GONE, Operation::Create);
    assert_eq!(stage.post("createVoiceCall", create("wxcc_2")).await.data()["voiceCallId"], "wxcc_2");
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["status"], "pending");
    let after = values(&stage).await;
    assert!(of_center(&after, "scv_bridge_breaker_state", "state=\"closed\"") == 0.0);
    assert!(of_center(&after, "scv_bridge_breaker_state", "state=\"open\"") == 1.0);
    let now = stage.clock.now().as_second();
    assert!(after[&since] > 0.0 && after[&since] <= f64::from(u32::try_from(now + 1).unwrap()));
    assert!(of_center(&after, "scv_bridge_fallbacks_total", "kind=\"deferred\"") == 1.0);
    assert!(of_center(&after, "scv_bridge_limited_total", "limit=\"breaker\"") >= 1.0);
    for kind in ["create", "clear", "update"] {
        let labels = format!("kind=\"{kind}\",state=\"pending\"");
        assert!(of_center(&after, "scv_bridge_outbox_entries", &labels) == 1.0, "{kind}");
        let oldest =
            of_center(&after, "scv_bridge_outbox_oldest_timestamp_seconds", &format!("kind=\"{kind}\""));
        assert!((oldest - f64::from(u32::try_from(now).unwrap())).abs() < 2.0, "{kind}: {oldest}");
    }
}

#[actix_web::test]
async fn a_caller_counts_as_not_cleared_while_only_the_flows_own_final_update_would_clear_them() {
    let stage = Stage::telephony().await;
    let not_cleared = async |state: &str| {
        of_center(&values(&stage).await, "scv_bridge_callers_not_cleared", &format!("state=\"{state}\""))
    };
    assert!(not_cleared("pending").await == 0.0);
    let last = |id: &str| with(reference(id), json!({ "endTime": "2026-11-21T10:00:30Z" }));
    let first = waiting(&stage, "wxcc_1").await;
    stage.script_times(GONE, 1, Operation::Update);
    assert_eq!(stage.post("updateVoiceCall", last(&first)).await.data()["status"], "pending");
    assert!(not_cleared("pending").await == 1.0);
    stage.deliver(60).await;
    assert!(not_cleared("pending").await == 0.0);
    // The vendor's recipe: once the routing is cleared, a final update that is refused keeps nobody in a queue.
    let second = waiting(&stage, "wxcc_2").await;
    stage.post("clearRouting", reference(&second)).await.data();
    let third = waiting(&stage, "wxcc_3").await;
    for id in [&second, &third] {
        stage.script_answer(
            400,
            json!([{ "message": "No such field", "errorCode": "INVALID_FIELD" }]),
            Operation::Update,
        );
        stage.post("updateVoiceCall", last(id)).await.error(422);
    }
    assert!(not_cleared("pending").await == 0.0);
    assert!(not_cleared("buried").await == 1.0);
}

#[actix_web::test]
async fn the_store_its_commits_and_the_limit_of_creates_are_told() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_1").await;
    let after = values(&stage).await;
    assert!(after["scv_bridge_store_writable"] == 1.0);
    assert!(after["scv_bridge_store_queue_length"] == 0.0);
    assert!(after["scv_bridge_store_commit_seconds_count"] >= 1.0);
    assert!(after["scv_bridge_creates_limit"] == 50.0);
}

#[actix_web::test]
async fn a_late_answer_and_wrong_credentials_are_counted() {
    let stage = Plan::telephony().deadline("400ms").start().await;
    stage.script(BadDay::Slow { milliseconds: 2000 }, Operation::Create);
    stage.post("createVoiceCall", create("wxcc_1")).await.error(504);
    for request in [
        stage.request(reqwest::Method::POST, "/voice/v1/createVoiceCall"),
        stage.request(reqwest::Method::POST, "/voice/v1/createVoiceCall").bearer_auth("no"),
    ] {
        Reply::of(request.body("{}")).await.error(401);
    }
    let after = values(&stage).await;
    assert!(after["scv_bridge_deadlines_missed_total{route=\"createVoiceCall\"}"] == 1.0);
    for way in ["none", "bearer"] {
        assert!(after[&format!("scv_bridge_failed_logins_total{{way=\"{way}\"}}")] == 1.0, "{way}");
    }
}
