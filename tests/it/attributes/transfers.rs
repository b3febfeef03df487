//! Fields of calls that continue others, under a key of their own or the same.

use scv_bridge::mock::VoiceCall;

use super::*;

/// When the second flow run began.
const SECOND: &str = "2026-11-21T10:03:00.500Z";
const AGENT: &str = "7d6a";

#[actix_web::test]
async fn a_transfer_inherits_what_the_first_create_has_sent() {
    for inherits in [true, false] {
        let keys = format!("enrichment.inherit_attributes = {inherits}");
        let stage = plan(Plan::telephony(), &keys).start().await;
        let first = json!({ "note": "first", "callAttributes": { "Own__c": "o", "Other__c": "p" } });
        let reply = stage.post("createVoiceCall", with(create("wxcc_1"), first)).await;
        let id = reply.data()["voiceCallId"].clone();
        for (key, parent) in [("wxcc_2", id), ("wxcc_3", "wxcc_1".into())] {
            let transfer = json!({ "initiationMethod": "Transfer", "parentVoiceCallId": parent,
                "serviceData": { "callRecordingId": "rec-2" }, "callAttributes": { "Other__c": "c" } });
            stage.post("createVoiceCall", with(create(key), transfer)).await.data();
            let own = json!({ "Other__c": "c", "Recording_Id__c": "rec-2" });
            let inherited = json!({ "Note__c": "first", "Own__c": "o" });
            let expected = if inherits { with(own, inherited) } else { own };
            assert_eq!(attributes_of(&stage, key), expected);
            let outcome = if inherits { "inherited" } else { "not_yet" };
            assert_eq!(outcomes(&stage, key, "create").await["Note__c"], outcome);
        }
    }
    let only = Plan::telephony().center("enrichment.inherit_attributes = true").start().await;
    let own = json!({ "callAttributes": { "Own__c": "o" } });
    only.post("createVoiceCall", with(create("wxcc_1"), own)).await.data();
    let transfer = json!({ "initiationMethod": "Transfer", "parentVoiceCallId": "wxcc_1" });
    only.post("createVoiceCall", with(create("wxcc_2"), transfer)).await.data();
    assert_eq!(
        attributes_of(&only, "wxcc_2"),
        json!({ "Own__c": "o" }),
        "without any field of the configuration"
    );
}

fn ways() -> [Plan; 3] {
    [Plan::telephony(), Plan::apex(), Plan::telephony().store(Postgres::shared().database())]
}

/// A call with a note and a tier, which an agent has taken; its id.
async fn taken(stage: &Stage) -> String {
    let first = json!({ "note": "first", "callAttributes": { "Own__c": "o" } });
    let reply = stage.post("createVoiceCall", with(create("wxcc_1"), first)).await;
    let id = reply.data()["voiceCallId"].as_str().unwrap().to_owned();
    let tier = json!({ "flowInputParameters": { "tier": "gold" } });
    stage.post("executeOmniFlow", with(omni_flow(&id), tier)).await.data();
    assert!(stage.org.agent_accepts(&id, "agent@example.com"));
    let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1",
        "acceptTime": "2026-11-21T10:01:00Z", "agentId": AGENT });
    stage.post("agentAnswered", answered).await.data();
    id
}

/// The create of the second flow run.
fn again() -> Value {
    with(create("wxcc_1"), json!({ "startTime": SECOND, "serviceData": { "callRecordingId": "rec-2" } }))
}

/// What the second create says, with what it inherits.
fn all() -> Value {
    json!({ "Recording_Id__c": "rec-2", "Note__c": "first", "Own__c": "o" })
}

fn record(stage: &Stage, id: &str) -> VoiceCall {
    stage.org.voice_call(id).unwrap()
}

#[actix_web::test]
async fn a_later_flow_run_inherits_what_the_first_has_sent_and_takes_nothing_else_of_it() {
    for way in ways() {
        let stage = plan(way, "enrichment.inherit_attributes = true").start().await;
        let first = taken(&stage).await;
        let second = stage.post("createVoiceCall", again()).await.data()["voiceCallId"].clone();
        assert_eq!(sent(&stage, Operation::Create)[1], all());
        assert_eq!(record(&stage, second.as_str().unwrap()).previous_call_id.as_ref(), Some(&first));
        let end = json!({ "startTime": SECOND, "endTime": "2026-11-21T10:04:00Z", "agentId": AGENT });
        let reply = stage.post("phoneContactEnded", with(ended("wxcc_1"), end)).await;
        assert_eq!(reply.data()["outcome"], "abandoned");
        assert_eq!(sent(&stage, Operation::Update), [Value::Null], "the tier is that of the first");
        let (text, found) = explain(&stage, &["wxcc_1", "--json", "--call-center", CENTER]).await;
        let said: Value = serde_json::from_str(&text).unwrap();
        let [one, two] = said["calls"].as_array().unwrap().as_slice() else { panic!("{text}") };
        assert!(found);
        assert_eq!((&one["voice_call_id"], &two["voice_call_id"]), (&json!(first), &second));
        assert_eq!((&one["parent"], &two["parent"]), (&Value::Null, &json!(first)));
        assert_eq!((&one["run_began"], &two["run_began"]), (&Value::Null, &json!(SECOND)));
        let unused = |call: &Value| call["unused"].to_string().contains("callRecordingId");
        assert!(!unused(one) && one["final"].is_null() && two["final"].is_object());
        let (text, _) = explain(&stage, &["wxcc_1", "--call-center", CENTER]).await;
        let head = format!("wxcc_1 in {CENTER}, VoiceCall ");
        let second = second.as_str().unwrap();
        assert!(text.starts_with(&format!("{head}{first}\n")), "{text}");
        assert!(
            text.contains(&format!("\n{head}{second}, the flow run of {SECOND}, continues {first}\n")),
            "{text}"
        );
    }
}

#[actix_web::test]
async fn without_inheritance_a_later_flow_run_has_its_own_fields_only() {
    let stage = plan(Plan::telephony(), "").start().await;
    taken(&stage).await;
    stage.post("createVoiceCall", again()).await.data();
    assert_eq!(sent(&stage, Operation::Create)[1], json!({ "Recording_Id__c": "rec-2" }));
}

#[actix_web::test]
async fn a_later_flow_run_that_is_created_afterwards_says_what_it_would_have_said() {
    for way in ways() {
        let keys = "enrichment.inherit_attributes = true\non_create_failure = \"defer\"";
        let stage = plan(way, keys).start().await;
        let first = taken(&stage).await;
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
        stage.post("createVoiceCall", again()).await.data();
        stage.deliver(60).await;
        assert_eq!(sent(&stage, Operation::Create)[1..], [all(), all()]);
        let calls = stage.org.voice_calls();
        assert_eq!((calls.len(), calls[1].previous_call_id.as_ref()), (2, Some(&first)));
        assert_eq!(Value::from(calls[1].attributes.clone()), all());
    }
}

#[actix_web::test]
async fn a_create_behind_an_update_that_made_the_record_says_its_fields_too() {
    for stage in both().await {
        let early = json!({ "callCenterDevName": CENTER, "voiceCallId": "wxcc_1", "isActiveCall": true,
            "startTime": "2026-11-21T10:00:00.123Z" });
        stage.post("updateVoiceCall", early).await.data();
        stage.post("createVoiceCall", with(create("wxcc_1"), json!({ "note": "n" }))).await.data();
        assert_eq!(attributes_of(&stage, "wxcc_1"), json!({ "Note__c": "n" }));
        assert_eq!(stage.org.voice_calls().len(), 1);
    }
}

/// What an agent does with the task.
fn by(agent: &str, event: Value) -> Value {
    let mut event = event;
    event["data"]["agentId"] = json!(agent);
    event
}

#[actix_web::test]
async fn each_voice_call_of_an_interaction_is_filled_and_corrected_from_its_own_part() {
    for way in ways() {
        let stage = plan(way, "enrichment.enabled = true").start().await;
        let first = taken(&stage).await;
        let held = |second| [event("task:on-hold", "1", second), event("task:hold-done", "1", second + 10)];
        stage.tell([event("task:new", "1", 0), event("task:parked", "1", 30)]).await;
        stage.tell([by(AGENT, event("task:connected", "1", 60))]).await;
        stage.tell(held(90)).await;
        let second = stage.post("createVoiceCall", again()).await.data()["voiceCallId"].clone();
        let second = second.as_str().unwrap();
        stage.tell([event("task:parked", "1", 200), by("9e1b", event("task:connected", "1", 220))]).await;
        stage.tell([event("task:ended", "1", 300)]).await;
        stage.conclude(311).await;
        let both = || [first.as_str(), second].map(|id| record(&stage, id));
        let waited = || both().map(|call| Value::from(call.attributes)["Waited__c"].clone());
        let updates = || both().map(|call| (call.updates, call.holds.number_of_holds));
        assert_eq!((waited(), updates()), ([json!("30"), json!("20")], [(1, Some(1)), (1, Some(0))]));
        assert_eq!(
            both().map(|call| Value::from(call.attributes)["Tier__c"].clone()),
            [json!("gold"), Value::Null]
        );
        stage.tell(held(240)).await;
        stage.conclude(20).await;
        assert_eq!(updates(), [(1, Some(1)), (2, Some(1))], "what happened late is of the second part");
        // By now all is folded into one row, the marks of both with it.
        stage.tell(held(120)).await;
        stage.conclude(20).await;
        assert_eq!(updates(), [(2, Some(2)), (2, Some(1))]);
        assert_eq!(waited(), [json!("30"), json!("20")]);
        let finals = stage.sent(Operation::Update).into_iter().filter(|sent| sent["isActiveCall"] != true);
        assert_eq!(finals.count(), 2);
        assert_eq!(both()[0].call_end_date_time.as_deref(), Some(SECOND));
        for id in [first.as_str(), second] {
            assert_eq!(outcomes(&stage, id, "final").await["Waited__c"], "sent");
        }
        assert_eq!(outcomes(&stage, &first, "final").await["Tier__c"], "sent");
        assert_eq!(outcomes(&stage, second, "final").await["Tier__c"], "missing");
        stage.tell(held(240)).await;
        stage.conclude(20).await;
        assert_eq!(stage.asked(Operation::Update).len(), 4, "what comes twice tells nothing new");
    }
}
