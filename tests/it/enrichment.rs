//! The final update with the whole story of a call, where a contact center wants it.

use scv_bridge::mock::{Disposition, Operation, VoiceCall};
use serde_json::{Value, json};

use crate::stage::{Plan, Stage, create, ended, event, omni_flow, reference, webex, with};

/// Names for the queue of every event, and for an agent.
pub const ENRICHMENT: &str = r#"enrichment.enabled = true
enrichment.queues = { "queue-1" = "Sales" }
enrichment.agents = { "agent-1" = "agent@example.com" }
"#;

pub fn plan(plan: Plan, more: &str) -> Plan {
    plan.center(&format!("{ENRICHMENT}{more}")).sections(&webex(""))
}

pub async fn both(more: &str) -> [Stage; 2] {
    [plan(Plan::telephony(), more).start().await, plan(Plan::apex(), more).start().await]
}

/// A call that waits in a queue.
pub async fn waiting(stage: &Stage, task: &str) -> String {
    let body = with(create(&format!("wxcc_{task}")), json!({ "startTime": "2026-11-21T09:58:20Z" }));
    let id = stage.post("createVoiceCall", body).await.data()["voiceCallId"].as_str().unwrap().to_owned();
    stage.post("executeOmniFlow", omni_flow(&id)).await.data();
    id
}

/// An event of an agent, or with one.
fn by(agent: &str, event: Value) -> Value {
    let mut event = event;
    event["data"]["agentId"] = agent.into();
    event
}

pub fn end(task: &str, second: i64) -> Value {
    let mut event = event("task:ended", task, second);
    event["data"]["reason"] = "Customer Left".into();
    event["data"]["terminatingParty"] = "Customer".into();
    event
}

/// 100 s: 10 in the menu, 20 queued, 5 offered, 65 with an agent, of which 15 on hold at twice.
pub fn history(task: &str, agent: &str) -> Vec<Value> {
    vec![
        event("task:new", task, -100),
        event("task:parked", task, -90),
        event("task:connect", task, -70),
        by(agent, event("task:connected", task, -65)),
        event("task:on-hold", task, -60),
        event("task:hold-done", task, -50),
        event("task:on-hold", task, -30),
        event("task:hold-done", task, -25),
        end(task, 0),
    ]
}

pub fn call(stage: &Stage, task: &str) -> VoiceCall {
    stage.org.voice_call(&format!("wxcc_{task}")).unwrap()
}

pub fn updates(stage: &Stage) -> usize {
    stage.asked(Operation::Update).len()
}

pub fn assert_told(call: &VoiceCall) {
    assert_eq!(call.call_disposition, Disposition::Completed);
    assert_eq!(
        (call.queue_name.as_deref(), call.agent.as_deref()),
        (Some("Sales"), Some("agent@example.com"))
    );
    assert_eq!(call.call_queued_date_time.as_deref(), Some("2026-11-21T09:58:30.000Z"));
    assert_eq!(call.call_accept_date_time.as_deref(), Some("2026-11-21T09:58:55.000Z"));
    assert_eq!(call.call_duration_in_seconds, Some(100));
    let holds =
        (call.holds.number_of_holds, call.holds.longest_hold_duration, call.holds.total_hold_duration);
    assert_eq!(holds, (Some(2), Some(10), Some(15)));
    assert_eq!(
        (call.disconnect_reason.as_deref(), call.disconnect_is_error),
        (Some("Customer Left"), Some(false))
    );
}

#[actix_web::test]
async fn an_answered_call_gets_one_final_update_that_tells_it_all() {
    for stage in both("").await {
        waiting(&stage, "1").await;
        stage.tell(history("1", "agent-1")).await;
        stage.conclude(11).await;
        let call = call(&stage, "1");
        assert_told(&call);
        assert_eq!((call.updates, updates(&stage)), (1, 1));
        assert_eq!(call.holds.agent_interaction_duration, None, "Salesforce takes it with a recording only");
        stage.tell(history("1", "agent-1")).await;
        stage.conclude(30).await;
        assert_eq!(updates(&stage), 1, "what comes twice tells nothing new");
        assert_eq!(
            stage.metric("scv_bridge_enrichments_total{outcome=\"final\"}").await.as_deref(),
            Some("1")
        );
    }
}

#[actix_web::test]
async fn a_location_without_a_file_goes_with_the_time_of_the_agent() {
    let location = "enrichment.recording_location = \"https://player.example.com/{taskId}\"";
    for stage in both(location).await {
        waiting(&stage, "1").await;
        stage.tell(history("1", "agent-1")).await;
        stage.conclude(11).await;
        let call = call(&stage, "1");
        assert_told(&call);
        assert_eq!(call.recording_location.as_deref(), Some("https://player.example.com/1"));
        assert_eq!(call.holds.agent_interaction_duration, Some(50));
    }
}

#[actix_web::test]
async fn without_enrichment_an_answered_call_is_left_to_its_agent() {
    let disabled = ENRICHMENT.replace("= true", "= false");
    let stage = Plan::telephony().center(&disabled).sections(&webex("")).start().await;
    waiting(&stage, "1").await;
    assert!(stage.org.agent_accepts("wxcc_1", "agent@example.com"));
    let before = call(&stage, "1");
    stage.tell(history("1", "agent-1")).await;
    stage.conclude(11).await;
    assert_eq!(call(&stage, "1"), before);
    waiting(&stage, "2").await;
    stage.tell([event("task:new", "2", -60), event("task:parked", "2", -50), end("2", 0)]).await;
    stage.conclude(11).await;
    let sent = stage.sent(Operation::Update);
    assert!(sent.len() == 1 && sent[0].get("numberOfHolds").is_none(), "{sent:?}");
}

#[actix_web::test]
async fn under_the_vendors_unchanged_flow_the_answered_call_is_told_and_its_own_report_is_not() {
    for stage in both("").await {
        let id = waiting(&stage, "1").await;
        stage.tell(history("1", "agent-1").into_iter().take(8)).await;
        stage.post("clearRouting", reference(&id)).await.data();
        let reason = json!({ "disconnectReason": { "value": "Abandoned in queue", "isError": true },
            "startTime": "2026-11-21T09:58:20Z", "endTime": "2026-11-21T10:00:00Z" });
        stage.post("updateVoiceCall", with(reference(&id), reason)).await.data();
        stage.tell([end("1", 0)]).await;
        stage.conclude(11).await;
        assert_told(&call(&stage, "1"));
        assert_eq!(updates(&stage), 1);
    }
}

#[actix_web::test]
async fn whoever_sends_the_final_update_first_sends_the_only_one() {
    for stage in both("").await {
        for (task, flow_first) in [("1", true), ("2", false)] {
            let id = waiting(&stage, task).await;
            stage.tell(history(task, "agent-1").into_iter().take(8)).await;
            let own = json!({ "startTime": "2026-11-21T09:58:20Z", "endTime": "2026-11-21T10:00:00Z",
                "numberOfHolds": 7, "disconnectReason": { "value": "Done", "isError": false } });
            let flow = with(reference(&id), own);
            if flow_first {
                stage.post("updateVoiceCall", flow.clone()).await.data();
            }
            stage.tell([end(task, 0)]).await;
            stage.conclude(11).await;
            if !flow_first {
                stage.post("updateVoiceCall", flow).await.data();
            }
            let call = call(&stage, task);
            let holds = if flow_first { 7 } else { 2 };
            assert_eq!((call.updates, call.holds.number_of_holds), (1, Some(holds)));
        }
        let withheld = "scv_bridge_enrichments_total{outcome=\"withheld\"}";
        assert_eq!(stage.metric(withheld).await.as_deref(), Some("1"));
        stage.tell([event("task:on-hold", "1", -10)]).await;
        stage.conclude(11).await;
        assert_eq!(updates(&stage), 2, "the flow's own is not corrected");
    }
}

#[actix_web::test]
async fn phone_contact_ended_of_a_flow_does_not_stand_in_the_way() {
    let stage = plan(Plan::telephony(), "").start().await;
    waiting(&stage, "1").await;
    stage.tell(history("1", "agent-1").into_iter().take(8)).await;
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["outcome"], "answered");
    stage.tell([end("1", 0)]).await;
    stage.conclude(11).await;
    assert_told(&call(&stage, "1"));
    assert_eq!(stage.post("phoneContactEnded", ended("wxcc_1")).await.data()["outcome"], "duplicate");
}

#[actix_web::test]
async fn an_abandoned_call_is_told_with_its_queue_in_the_one_update_it_gets() {
    for stage in both("").await {
        waiting(&stage, "1").await;
        stage.tell([event("task:new", "1", -60), event("task:parked", "1", -50), end("1", 0)]).await;
        stage.conclude(11).await;
        let call = call(&stage, "1");
        assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"), "the administrator's word");
        assert_eq!((call.queue_name.as_deref(), call.agent.as_deref()), (Some("Sales"), None));
        assert_eq!(call.call_queued_date_time.as_deref(), Some("2026-11-21T09:59:10.000Z"));
        assert_eq!((call.holds.number_of_holds, call.updates), (Some(0), 1));
        assert_eq!(call.call_duration_in_seconds, Some(100), "the flow saw it begin earlier");
    }
}

#[actix_web::test]
async fn an_agent_of_whom_no_event_tells_is_not_contradicted() {
    let stage = plan(Plan::telephony(), "").start().await;
    waiting(&stage, "1").await;
    stage.post("agentAnswered", with(ended("wxcc_1"), json!({ "agentId": "agent-1" }))).await.data();
    stage.tell([event("task:new", "1", -100), end("1", 0)]).await;
    stage.conclude(11).await;
    assert_eq!(updates(&stage), 0, "it would say that nobody was on hold");
    stage.tell(history("1", "agent-1")).await;
    stage.conclude(11).await;
    assert_told(&call(&stage, "1"));
    assert_eq!(updates(&stage), 1);
}

#[actix_web::test]
async fn an_id_without_a_name_is_left_out_and_counted() {
    let stage = plan(Plan::telephony(), "").start().await;
    for task in ["1", "2"] {
        waiting(&stage, task).await;
        stage.tell(history(task, "agent-9")).await;
        stage.conclude(11).await;
        let call = call(&stage, task);
        assert_eq!((call.queue_name.as_deref(), call.agent), (Some("Sales"), None));
    }
    assert!(stage.sent(Operation::Update).iter().all(|sent| sent.get("agent").is_none()));
    assert_eq!(stage.metric("scv_bridge_unmapped_ids_total{table=\"agents\"}").await.as_deref(), Some("2"));
    assert_eq!(stage.metric("scv_bridge_unmapped_ids_total{table=\"queues\"}").await.as_deref(), Some("0"));
}

#[actix_web::test]
async fn calls_that_no_flow_told_of_are_logged_with_the_same_fields_outbound_too() {
    let logs = webex("log_unknown_calls = true");
    let stage = Plan::telephony().center(ENRICHMENT).sections(&logs).start().await;
    let outbound = |mut event: Value| {
        event["data"]["direction"] = "OUTBOUND".into();
        event
    };
    stage.tell(history("1", "agent-1")).await;
    stage.tell(history("2", "agent-1").into_iter().map(outbound)).await;
    stage.conclude(11).await;
    for (task, kind) in [("1", "INBOUND"), ("2", "OUTBOUND")] {
        let call = call(&stage, task);
        assert_told(&call);
        assert!(call.created_by_update && call.missing_when_created.is_empty(), "{call:?}");
        assert_eq!((call.call_type.as_deref(), call.updates), (Some(kind), 1));
    }
    stage.tell([event("task:on-hold", "1", -20), event("task:hold-done", "1", -10)]).await;
    stage.conclude(30).await;
    assert_eq!((call(&stage, "1").holds.number_of_holds, updates(&stage)), (Some(3), 3));
}
