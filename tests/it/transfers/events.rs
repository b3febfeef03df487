//! What webhooks tell of an interaction with two VoiceCalls: each has its own part of it.

use scv_bridge::mock::{Disposition, Operation};

use super::*;
use crate::attributes::explain;
use crate::stage::{event, omni_flow, webex};

/// Both ways to Salesforce, with webhooks.
async fn both(center: &str) -> [Stage; 2] {
    let [telephony, apex] =
        [Plan::telephony(), Plan::apex()].map(|plan| plan.center(center).sections(&webex("")));
    [telephony.start().await, apex.start().await]
}

/// What an agent does with the task.
fn agent_state(state: &str, second: i64, agent: &str) -> Value {
    let mut event = event("agent:state_change", "1", second);
    event["data"]["agentId"] = json!(agent);
    event["data"]["currentState"] = json!(state);
    event
}

/// The first flow run, in the order of its happening: 10:00 to 10:03.
fn first_part() -> [Value; 6] {
    [
        event("task:new", "1", 0),
        event("task:parked", "1", 30),
        event("task:connected", "1", 60),
        agent_state("connected", 60, AGENT),
        event("task:on-hold", "1", 90),
        event("task:hold-done", "1", 120),
    ]
}

/// What comes after the second flow run has begun, of the first one too.
fn second_part() -> [Value; 2] {
    [agent_state("wrapup", 182, AGENT), event("task:parked", "1", 200)]
}

/// A call whose agent is known by webhooks, given to a second flow, where the caller waits; both ids.
async fn waiting(stage: &Stage) -> [String; 2] {
    let first = stage.call("wxcc_1").await;
    assert!(stage.org.agent_accepts(&first, "agent@example.com"));
    stage.tell(first_part()).await;
    stage.wait_seconds(181);
    let second = created(stage, later("wxcc_1", SECOND)).await;
    stage.post("executeOmniFlow", omni_flow(&second)).await.data();
    stage.tell(second_part()).await;
    [first, second]
}

#[actix_web::test]
async fn a_caller_who_gives_up_in_the_second_queue_has_abandoned_the_second_voice_call_by_events_alone() {
    for stage in both("").await {
        let [first, second] = waiting(&stage).await;
        assert_continues(&stage, &second, &first);
        let before = record(&stage, &first);
        stage.tell([event("task:ended", "1", 240)]).await;
        stage.conclude(100).await;
        let call = record(&stage, &second);
        assert_eq!(call.call_disposition, Disposition::Completed);
        assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
        assert_eq!(call.call_end_date_time.as_deref(), Some("2026-11-21T10:04:00.000Z"));
        assert_eq!(call.call_start_date_time.as_deref(), Some(SECOND), "it began with its flow run");
        assert_eq!((call.pending_routing, call.updates), (None, 1));
        assert_eq!(record(&stage, &first), before);
        // The vendor's event flow comes afterwards, and names the agent of the first part.
        assert_eq!(stage.post("phoneContactEnded", hang_up(AGENT)).await.data()["outcome"], "duplicate");
        assert_eq!(stage.asked(Operation::Update).len(), 1);
    }
}

#[actix_web::test]
async fn the_flows_hang_up_is_understood_by_the_events_and_both_together_give_one_update() {
    for stage in both("").await {
        let [first, second] = waiting(&stage).await;
        let reply = stage.post("phoneContactEnded", hang_up(AGENT)).await;
        assert_eq!(reply.data(), &json!({ "outcome": "abandoned", "status": "Success" }));
        stage.tell([event("task:ended", "1", 240)]).await;
        stage.conclude(100).await;
        assert_eq!([&first, &second].map(|id| record(&stage, id).updates), [0, 1]);
    }
}

#[actix_web::test]
async fn a_second_part_that_an_agent_had_is_left_alone_in_whatever_order_the_events_come() {
    let more = [
        event("task:connected", "1", 220),
        agent_state("connected", 220, AGENT),
        event("task:ended", "1", 300),
    ];
    for backwards in [false, true] {
        for stage in both("").await {
            let [first, second] = waiting(&stage).await;
            let before = [&first, &second].map(|id| record(&stage, id));
            let mut told = more.to_vec();
            if backwards {
                told.reverse();
            }
            stage.tell(told).await;
            // The same agent has had both.
            assert_eq!(stage.post("phoneContactEnded", hang_up(AGENT)).await.data()["outcome"], "answered");
            stage.conclude(200).await;
            assert_eq!([&first, &second].map(|id| record(&stage, id)), before);
        }
    }
}

#[actix_web::test]
async fn what_is_told_late_of_the_first_agent_says_nothing_of_the_second_voice_call() {
    let mut wrap_up = agent_state("wrapup", 180, AGENT);
    // Clocks differ: the agent has left the call before the second flow run began.
    wrap_up["data"]["createdTime"] = json!(1_795_255_380_560_i64);
    let mut unnamed = event("task:hold-done", "1", 180);
    unnamed["data"]["createdTime"] = json!(1_795_255_380_520_i64);
    for (agent, early) in
        [(AGENT, [&wrap_up, &unnamed]), (AGENT, [&unnamed, &wrap_up]), ("", [&wrap_up, &unnamed])]
    {
        for by_flow in [true, false] {
            for stage in both("").await {
                let first = stage.call("wxcc_1").await;
                assert!(stage.org.agent_accepts(&first, "agent@example.com"));
                let at = "2026-11-21T10:01:00Z";
                stage.post("agentAnswered", answered("wxcc_1", at, agent)).await.data();
                let second = created(&stage, later("wxcc_1", SECOND)).await;
                assert_continues(&stage, &second, &first);
                stage.post("executeOmniFlow", omni_flow(&second)).await.data();
                stage.tell(early.map(Clone::clone)).await;
                stage.tell([event("task:connected", "1", 60)]).await;
                let before = record(&stage, &first);
                if by_flow {
                    let reply = stage.post("phoneContactEnded", hang_up(agent)).await;
                    assert_eq!(reply.data()["outcome"], "abandoned");
                } else {
                    stage.tell([event("task:ended", "1", 240)]).await;
                    stage.conclude(260).await;
                }
                stage.deliver(0).await;
                let call = record(&stage, &second);
                assert_eq!(call.call_disposition, Disposition::Completed);
                assert_eq!(call.disconnect_reason.as_deref(), Some("Abandoned in queue"));
                assert_eq!((call.pending_routing, call.updates), (None, 1));
                assert_eq!(record(&stage, &first), before);
            }
        }
    }
}

#[actix_web::test]
async fn a_second_part_that_the_same_agent_had_counts_as_answered_though_its_events_follow_the_hang_up() {
    for stage in both("").await {
        let [first, second] = waiting(&stage).await;
        let before = record(&stage, &first);
        assert_eq!(stage.post("phoneContactEnded", hang_up(AGENT)).await.data()["outcome"], "abandoned");
        stage.deliver(0).await;
        stage.tell([event("task:connected", "1", 220), agent_state("connected", 220, AGENT)]).await;
        stage.tell([event("task:ended", "1", 240)]).await;
        stage.conclude(100).await;
        stage.deliver(0).await;
        let call = record(&stage, &second);
        assert_eq!(
            (call.disconnect_reason.as_deref(), call.disconnect_is_error),
            (Some("Ended"), Some(false))
        );
        assert_eq!(call.call_accept_date_time.as_deref(), Some("2026-11-21T10:03:40.000Z"));
        assert_eq!((call.call_disposition, call.updates), (Disposition::Completed, 2));
        assert_eq!(record(&stage, &first), before);
    }
}

#[actix_web::test]
async fn a_call_that_went_on_before_an_agent_ends_as_transferred_where_the_next_begins() {
    for stage in both("").await {
        let first = stage.call("wxcc_1").await;
        stage.post("executeOmniFlow", omni_flow(&first)).await.data();
        let transfer = with(later("wxcc_1", SECOND), json!({ "initiationMethod": "Transfer" }));
        let second = created(&stage, transfer).await;
        stage.post("executeOmniFlow", omni_flow(&second)).await.data();
        stage.tell([event("task:new", "1", 0), event("task:parked", "1", 30)]).await;
        stage.tell([event("task:connected", "1", 220), event("task:ended", "1", 300)]).await;
        stage.conclude(311).await;
        let call = record(&stage, &first);
        assert_eq!(call.call_disposition, Disposition::Completed);
        assert_eq!(
            (call.disconnect_reason.as_deref(), call.disconnect_is_error),
            (Some("Transferred"), Some(false))
        );
        assert_eq!((call.call_end_date_time.as_deref(), call.pending_routing), (Some(SECOND), None));
        assert_eq!(record(&stage, &second).updates, 0, "its agent completes it");
    }
}

#[actix_web::test]
async fn each_voice_call_gets_its_own_final_update_where_it_is_to_be_enriched() {
    let enrichment = "enrichment.enabled = true\nenrichment.agents = { \"7d6a\" = \"one@example.com\", \"9e1b\" = \"two@example.com\" }\n\
        enrichment.recording_location = \"https://recordings.example.com/{taskId}/{fileName}\"";
    for stage in both(enrichment).await {
        let [first, second] = waiting(&stage).await;
        stage.tell([event("task:connected", "1", 220), agent_state("connected", 220, "9e1b")]).await;
        stage.tell([event("task:ended", "1", 300)]).await;
        stage.conclude(311).await;
        stage.deliver(0).await;
        let [one, two] = [&first, &second].map(|id| record(&stage, id));
        assert_eq!(
            (one.agent.as_deref(), two.agent.as_deref()),
            (Some("one@example.com"), Some("two@example.com"))
        );
        assert_eq!(one.call_end_date_time.as_deref(), Some(SECOND));
        assert_eq!(two.call_end_date_time.as_deref(), Some("2026-11-21T10:05:00.000Z"));
        assert_eq!((one.holds.number_of_holds, two.holds.number_of_holds), (Some(1), Some(0)));
        assert_eq!(two.call_accept_date_time.as_deref(), Some("2026-11-21T10:03:40.000Z"));
        assert_eq!((one.disconnect_reason.as_deref(), one.updates, two.updates), (Some("Transferred"), 1, 1));
    }
}

#[actix_web::test]
async fn what_webhooks_carry_fills_the_fields_of_the_voice_call_that_had_the_caller_then() {
    let keys = "enrichment.enabled = true\nattributes.Team__c = \"data.teamId\"\n\
        attributes.Queue__c = \"data.queueId\"";
    for stage in both(keys).await {
        let first = stage.call("wxcc_1").await;
        assert!(stage.org.agent_accepts(&first, "agent@example.com"));
        let mut connected = agent_state("connected", 60, AGENT);
        connected["data"]["teamId"] = json!("team-1");
        stage.tell([event("task:new", "1", 0), event("task:parked", "1", 30), connected]).await;
        stage.wait_seconds(181);
        let second = created(&stage, later("wxcc_1", SECOND)).await;
        let attributes = |id: &str| Value::from(record(&stage, id).attributes);
        assert_eq!(attributes(&second), json!({}), "nothing of the first part");
        let mut reserved = agent_state("available", 190, "another");
        reserved["data"]["teamId"] = json!("team-2");
        stage.tell([event("task:parked", "1", 200), reserved, event("task:ended", "1", 240)]).await;
        stage.conclude(100).await;
        assert_eq!(attributes(&first), json!({ "Queue__c": "queue-1", "Team__c": "team-1" }));
        assert_eq!(attributes(&second), json!({ "Queue__c": "queue-1", "Team__c": "team-2" }));
        let (text, _) = explain(&stage, &["wxcc_1", "--call-center", CENTER]).await;
        let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("wxcc_1 in")).collect();
        let head = format!("wxcc_1 in {CENTER}, VoiceCall");
        assert_eq!(
            heads,
            [
                format!("{head} {first}"),
                format!("{head} {second}, the flow run of {SECOND}, continues {first}")
            ]
        );
    }
}
