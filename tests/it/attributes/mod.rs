//! Fields of a VoiceCall that are filled from what the flow and Webex tell.

mod enriched;
mod transfers;

use clap::Parser as _;
use scv_bridge::cli::attributes;
use scv_bridge::clock::ManualClock;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use crate::postgres::Postgres;
use crate::stage::{CENTER, NOW, Plan, Stage, create, ended, event, omni_flow, reference, webex, with};

const FIELDS: &str = r#"
attributes.Recording_Id__c = "serviceData.callRecordingId"
attributes.Tier__c = "request.flowInputParameters.tier"
attributes.Queue_Id__c = "data.queueId"
attributes.Reason__c = "data.reason"
attributes.Waited__c = "segments.queue.duration"
attributes.Note__c = "request.note"
"#;

fn plan(way: Plan, keys: &str) -> Plan {
    way.center(FIELDS).center(keys).sections(&webex(""))
}

async fn both() -> [Stage; 2] {
    [plan(Plan::telephony(), "").start().await, plan(Plan::apex(), "").start().await]
}

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: attributes::AttributesArgs,
}

/// What `attributes explain` prints beside the running service, and how it ends.
pub async fn explain(stage: &Stage, words: &[&str]) -> (String, bool) {
    let file = stage.configuration_file();
    let line: Vec<String> = ["attributes", "explain", "--config", file.to_str().unwrap()]
        .iter()
        .chain(words)
        .map(|word| (*word).to_owned())
        .collect();
    let run = move || {
        let clock = ManualClock::new(NOW.parse().unwrap());
        let mut out = Vec::new();
        let args = Line::try_parse_from(line).unwrap().args;
        let code = attributes::run(&args, Vec::new(), &clock, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), code == std::process::ExitCode::SUCCESS)
    };
    // The command has a runtime of its own, and the bridge's goes on meanwhile.
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// What became of each field, by stage: of the VoiceCall of this id, else of the newest one of the key.
async fn outcomes(stage: &Stage, key: &str, at: &str) -> Value {
    let (text, found) = explain(stage, &[key, "--json", "--call-center", CENTER]).await;
    assert!(found, "{text}");
    let said: Value = serde_json::from_str(&text).unwrap();
    let calls = said["calls"].as_array().unwrap();
    let of_id = calls.iter().find(|call| call["voice_call_id"] == key);
    let fields = of_id.or(calls.last()).unwrap()[at]["fields"].as_array().unwrap().clone();
    fields
        .into_iter()
        .map(|line| (line["field"].as_str().unwrap().to_owned(), line["outcome"].clone()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn attributes_of(stage: &Stage, key: &str) -> Value {
    stage.org.voice_call(key).unwrap().attributes.into()
}

/// callAttributes as they went out.
fn sent(stage: &Stage, operation: Operation) -> Vec<Value> {
    let parse = |body: Value| match body["callAttributes"].as_str() {
        Some(text) => serde_json::from_str(text).unwrap(),
        None => Value::Null,
    };
    stage.sent(operation).into_iter().map(parse).collect()
}

#[actix_web::test]
async fn a_call_gets_what_the_flow_and_webex_have_told_when_it_begins_and_when_it_ends() {
    for stage in both().await {
        let first =
            json!({ "serviceData": "{\"callRecordingId\": \"rec-1\"}", "callAttributes": { "Own__c": 1 } });
        stage.post("createVoiceCall", with(create("wxcc_1"), first)).await.data();
        assert_eq!(sent(&stage, Operation::Create), [json!({ "Own__c": 1, "Recording_Id__c": "rec-1" })]);
        let tier = json!({ "flowInputParameters": { "tier": "gold" } });
        stage.post("executeOmniFlow", with(omni_flow("wxcc_1"), tier)).await.data();
        let mut ended_event = event("task:ended", "1", -1);
        ended_event["data"]["reason"] = "Customer left".into();
        stage.tell([event("task:new", "1", -60), ended_event, event("task:parked", "1", -50)]).await;
        assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["outcome"], "abandoned");
        let expected = json!({
            "Tier__c": "gold", "Queue_Id__c": "queue-1", "Reason__c": "Customer left", "Waited__c": "49"
        });
        assert_eq!(sent(&stage, Operation::Update), [expected], "what the create has sent is not sent again");
        assert_eq!(attributes_of(&stage, "wxcc_1").as_object().unwrap().len(), 6);
        let not_yet = "not_yet";
        assert_eq!(
            outcomes(&stage, "wxcc_1", "create").await,
            json!({ "Note__c": not_yet, "Queue_Id__c": not_yet, "Reason__c": not_yet, "Recording_Id__c": "sent",
                "Tier__c": not_yet, "Waited__c": not_yet })
        );
        assert_eq!(
            outcomes(&stage, "wxcc_1", "final").await,
            json!({ "Note__c": "missing", "Queue_Id__c": "sent", "Reason__c": "sent",
                "Recording_Id__c": "unchanged", "Tier__c": "sent", "Waited__c": "sent" })
        );
        stage.conclude(11).await;
        assert_eq!(stage.asked(Operation::Update).len(), 1);
    }
}

#[actix_web::test]
async fn webhooks_alone_fill_fields_whatever_their_order() {
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
        let stage = plan(Plan::telephony(), "").start().await;
        stage.call("wxcc_1").await;
        let mut events = [
            event("task:new", "1", -60),
            event("task:parked", "1", -50),
            event("task:connect", "1", -20),
            event("task:ended", "1", 0),
        ];
        events[1]["data"]["queueId"] = "queue-0".into();
        events[2]["data"]["reason"] = "no answer".into();
        events[3]["data"]["queueId"] = "".into();
        for at in order {
            stage.tell([events[at].clone(), events[at].clone()]).await;
        }
        stage.conclude(11).await;
        let expected = json!({ "Queue_Id__c": "queue-1", "Reason__c": "no answer", "Waited__c": "30" });
        assert_eq!(sent(&stage, Operation::Update), [expected], "{order:?}");
    }
}

#[actix_web::test]
async fn what_has_arrived_from_webex_before_the_create_goes_with_it() {
    let stage = plan(Plan::telephony(), "").start().await;
    stage.tell([event("task:new", "1", -1)]).await;
    stage.call("wxcc_1").await;
    assert_eq!(sent(&stage, Operation::Create), [json!({ "Queue_Id__c": "queue-1" })]);
}

#[actix_web::test]
async fn what_does_not_fit_is_left_out_and_told_and_the_rest_is_sent() {
    for stage in both().await {
        let long = json!({ "note": "x".repeat(256), "serviceData": { "callRecordingId": { "a": 1 } } });
        stage.post("createVoiceCall", with(create("wxcc_1"), long)).await.data();
        let tier = json!({ "flowInputParameters": { "tier": 3 } });
        stage.post("executeOmniFlow", with(omni_flow("wxcc_1"), tier)).await.data();
        stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
        assert_eq!(sent(&stage, Operation::Create), [Value::Null]);
        assert_eq!(sent(&stage, Operation::Update), [json!({ "Tier__c": "3" })]);
        assert_eq!(
            outcomes(&stage, "wxcc_1", "final").await,
            json!({ "Note__c": "too_long", "Queue_Id__c": "missing", "Reason__c": "missing",
                "Recording_Id__c": "not_text", "Tier__c": "sent", "Waited__c": "missing" })
        );
    }
    let stage = plan(Plan::telephony(), "attribute_length = 256").start().await;
    stage.post("createVoiceCall", with(create("wxcc_1"), json!({ "note": "x".repeat(256) }))).await.data();
    assert_eq!(attributes_of(&stage, "wxcc_1"), json!({ "Note__c": "x".repeat(256) }));
}

#[actix_web::test]
async fn what_the_flow_names_itself_stays_the_flows() {
    let stage = plan(Plan::telephony(), "").start().await;
    let own = json!({ "note": "ours", "callAttributes": "{\"Note__c\": \"the flow's\"}" });
    stage.post("createVoiceCall", with(create("wxcc_1"), own)).await.data();
    let updated = json!({ "isActiveCall": true, "callAttributes": { "Tier__c": "the flow's" } });
    stage.post("updateVoiceCall", with(reference("wxcc_1"), updated)).await.data();
    let tier = json!({ "flowInputParameters": { "tier": "ours" } });
    stage.post("executeOmniFlow", with(omni_flow("wxcc_1"), tier)).await.data();
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let flows = json!({ "Note__c": "the flow's", "Tier__c": "the flow's" });
    assert_eq!(attributes_of(&stage, "wxcc_1"), flows);
    assert_eq!(sent(&stage, Operation::Update), [json!({ "Tier__c": "the flow's" }), Value::Null]);
    let broken = with(create("wxcc_2"), json!({ "note": "ours", "callAttributes": "{\"Note__c\": " }));
    let reply = stage.post("createVoiceCall", broken).await;
    assert!(reply.error(400).contains("callAttributes"), "{}", reply.text);
}

#[actix_web::test]
async fn the_flows_own_final_update_is_filled_and_one_in_the_middle_is_left_alone() {
    for stage in both().await {
        let id = stage.call("wxcc_1").await;
        let middle = with(reference(&id), json!({ "isActiveCall": true, "note": "n", "enqueueTime": NOW }));
        stage.post("updateVoiceCall", middle).await.data();
        let last = with(reference(&id), json!({ "callAttributes": "{\"Own__c\":\"o\"}" }));
        stage.post("updateVoiceCall", last).await.data();
        let expected = json!({ "Own__c": "o", "Note__c": "n" });
        assert_eq!(sent(&stage, Operation::Update), [Value::Null, expected]);
        // A second final update is withheld, and what is told of the first one stays.
        stage.post("updateVoiceCall", with(reference(&id), json!({ "note": "later" }))).await.data();
        assert_eq!(outcomes(&stage, &id, "final").await["Note__c"], "sent");
        assert_eq!(stage.asked(Operation::Update).len(), 2);
    }
}

#[actix_web::test]
async fn what_a_create_that_failed_would_have_said_goes_with_the_final_update() {
    for stage in both().await {
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
        let body = with(create("wxcc_1"), json!({ "note": "first", "callAttributes": { "Own__c": "o" } }));
        stage.post("createVoiceCall", body).await.error(503);
        let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1", "note": "second" });
        let end = with(answered, json!({ "startTime": "2026-11-21T09:59:00Z" }));
        stage.post("phoneContactEnded", end).await.data();
        let _nothing_to_clear = stage.refusals();
        assert_eq!(attributes_of(&stage, "wxcc_1"), json!({ "Own__c": "o", "Note__c": "second" }));
    }
}

#[actix_web::test]
async fn explain_prints_what_became_of_each_field_and_what_none_takes() {
    let stage = plan(Plan::telephony(), "attributes.Callback__c = \"request.callback\"").start().await;
    let body = json!({ "servicedata": { "callRecordingId": "rec-1" }, "note": "call +14693150217 back",
        "callback": "469-315-0217", "mood": "", "callAttributes": { "Own__c": "x" } });
    stage.post("createVoiceCall", with(create("wxcc_1"), body)).await.data();
    let tier = json!({ "flowInputParameters": { "tier": ["gold"], "colour": "blue" } });
    stage.post("executeOmniFlow", with(omni_flow("wxcc_1"), tier)).await.data();
    let mut queued = event("task:parked", "1", 0);
    queued["data"]["queueId"] = "5a6b7c8d-0000-4111-8222-333344445555".into();
    stage.tell([event("task:new", "1", -1), queued]).await;
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let (text, found) = explain(&stage, &["1", "--call-center", CENTER]).await;
    assert!(found);
    insta::assert_snapshot!(text);
    assert!(!text.contains("3150217") && !text.contains("315-0217"));
    assert_eq!(explain(&stage, &["wxcc_1", "--call-center", CENTER]).await.0, text);
    let (text, found) = explain(&stage, &["wxcc_9"]).await;
    assert_eq!((text.starts_with("no call wxcc_9: "), found), (true, false), "{text}");
    let elsewhere = with(create("wxcc_2"), json!({ "callCenterDevName": "Sandbox" }));
    stage.post("createVoiceCall", elsewhere).await.data();
    let (text, found) = explain(&stage, &["wxcc_2"]).await;
    assert!(
        found && text.contains("no fields are filled: call_centers.Sandbox.attributes is empty"),
        "{text}"
    );
}

#[actix_web::test]
async fn no_value_is_left_in_any_file_a_day_after_it_was_told() {
    let keys = "attributes.Ani__c = \"request.from\"\nattributes.Origin__c = \"data.origin\"";
    let stage = plan(Plan::telephony(), keys).start().await;
    stage.tell([event("task:new", "1", -60)]).await;
    stage.call("wxcc_1").await;
    assert!(stage.database_holds("+14693150217"));
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    stage.wait_seconds(23 * 3600);
    stage.handle.tidy_store().await.unwrap();
    assert!(stage.database_holds("+14693150217"), "the call may still go on");
    stage.wait_seconds(2 * 3600);
    stage.handle.tidy_store().await.unwrap();
    assert!(!stage.database_holds("4693150217"));
    assert_eq!(
        outcomes(&stage, "wxcc_1", "create").await["Ani__c"],
        "sent",
        "what became of it is still told"
    );
}

#[actix_web::test]
async fn replicas_know_what_the_other_was_told() {
    let url = Postgres::shared().database();
    let first = plan(Plan::telephony(), "").store(url.clone()).start().await;
    let second =
        plan(Plan::telephony(), "").salesforce_at(first.org.telephony_url()).store(url).start().await;
    first.post("createVoiceCall", with(create("wxcc_1"), json!({ "note": "n" }))).await.data();
    let tier = json!({ "flowInputParameters": { "tier": "gold" } });
    second.post("executeOmniFlow", with(omni_flow("wxcc_1"), tier)).await.data();
    second.tell([event("task:new", "1", -60)]).await;
    first.post("phoneContactEnded", ended("wxcc_1")).await.data();
    let expected = json!({ "Note__c": "n", "Tier__c": "gold", "Queue_Id__c": "queue-1", "Waited__c": "0" });
    assert_eq!(attributes_of(&first, "wxcc_1"), expected);
}

#[actix_web::test]
async fn details_that_cannot_be_read_cost_a_create_its_field_and_a_hang_up_is_to_come_again() {
    let stage = plan(Plan::telephony(), "").start().await;
    let mut beside = stage.beside().await;
    sqlx::query("ALTER TABLE details RENAME TO away").execute(&mut beside).await.unwrap();
    let body = with(create("wxcc_1"), json!({ "note": "n" }));
    stage.post("createVoiceCall", body).await.data();
    assert_eq!(attributes_of(&stage, "wxcc_1"), json!({ "Note__c": "n" }));
    let end = with(ended("wxcc_1"), json!({ "note": "m" }));
    // A final update without what is known of the call would be the only one.
    stage.post("phoneContactEnded", end.clone()).await.error(503);
    sqlx::query("ALTER TABLE away RENAME TO details").execute(&mut beside).await.unwrap();
    assert_eq!(stage.post("phoneContactEnded", end).await.data()["outcome"], "abandoned");
    assert_eq!(attributes_of(&stage, "wxcc_1"), json!({ "Note__c": "m" }));
}
