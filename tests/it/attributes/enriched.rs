//! With enrichment the bridge sends final updates of its own, and corrects them.

use super::*;

#[actix_web::test]
async fn with_enrichment_an_answered_call_is_filled_too_and_what_comes_late_is_added() {
    for way in [Plan::telephony(), Plan::apex()] {
        let keys = "enrichment.enabled = true\nattributes.Code__c = \"segments.wrapUp.code\"";
        let stage = plan(way, keys).start().await;
        let first = json!({ "note": "n", "callAttributes": { "Own__c": "o" } });
        stage.post("createVoiceCall", with(create("wxcc_1"), first)).await.data();
        let tier = json!({ "flowInputParameters": { "tier": "gold" } });
        stage.post("executeOmniFlow", with(omni_flow("wxcc_1"), tier)).await.data();
        let mut connected = event("task:connected", "1", -20);
        connected["data"]["agentId"] = "agent-1".into();
        let events = [event("task:new", "1", -60), event("task:parked", "1", -50), connected];
        stage.tell(events.into_iter().chain([event("task:ended", "1", 0)])).await;
        stage.conclude(11).await;
        let expected = json!({ "Tier__c": "gold", "Queue_Id__c": "queue-1", "Waited__c": "30" });
        assert_eq!(sent(&stage, Operation::Update), std::slice::from_ref(&expected));
        assert_eq!(outcomes(&stage, "wxcc_1", "final").await["Code__c"], "missing");
        let mut wrap_up = event("agent:state_change", "1", 5);
        wrap_up["data"]["agentId"] = "agent-1".into();
        wrap_up["data"]["currentState"] = "wrapup".into();
        wrap_up["data"]["wrapUpAuxCodeId"] = "sale".into();
        stage.tell([wrap_up]).await;
        stage.conclude(30).await;
        let more = with(expected, json!({ "Code__c": "sale" }));
        assert_eq!(sent(&stage, Operation::Update)[1], more);
        assert_eq!(outcomes(&stage, "wxcc_1", "final").await["Code__c"], "sent");
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!((call.attributes.len(), call.updates), (6, 2));
    }
}

#[actix_web::test]
async fn with_enrichment_a_create_that_failed_loses_nothing() {
    let stage = plan(Plan::telephony(), "enrichment.enabled = true").start().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
    let body = with(create("wxcc_1"), json!({ "note": "n", "callAttributes": { "Own__c": "o" } }));
    stage.post("createVoiceCall", body).await.error(503);
    stage.tell([event("task:new", "1", -60), event("task:ended", "1", 0)]).await;
    stage.conclude(11).await;
    let _nothing_to_clear = stage.refusals();
    let expected = json!({ "Own__c": "o", "Note__c": "n", "Queue_Id__c": "queue-1", "Waited__c": "0" });
    assert_eq!(attributes_of(&stage, "wxcc_1"), expected);
}

/// An answered call whose flow names a field itself, and what Webex tells of it.
async fn concluded(stage: &Stage) {
    let own = json!({ "note": "n", "callAttributes": { "Waited__c": "the flow's" } });
    stage.post("createVoiceCall", with(create("wxcc_1"), own)).await.data();
    let tier = json!({ "flowInputParameters": { "tier": "gold" } });
    stage.post("executeOmniFlow", with(omni_flow("wxcc_1"), tier)).await.data();
    let before = [("new", -60), ("parked", -50), ("connected", -20), ("ended", 0)];
    stage.tell(before.map(|(name, second)| event(&format!("task:{name}"), "1", second))).await;
    stage.conclude(11).await;
}

#[actix_web::test]
async fn what_is_learned_after_values_were_removed_changes_no_field() {
    for way in [Plan::telephony(), Plan::apex(), Plan::telephony().store(Postgres::shared().database())] {
        let stage = plan(way, "enrichment.enabled = true").start().await;
        concluded(&stage).await;
        let expected = json!({ "Tier__c": "gold", "Queue_Id__c": "queue-1" });
        assert_eq!(sent(&stage, Operation::Update), std::slice::from_ref(&expected));
        let told = outcomes(&stage, "wxcc_1", "final").await;
        let held = |second| ["on-hold", "hold-done"].map(|name| (name, second));
        // A correction repeats what is known to be told, while that is known.
        stage.tell(held(-15).map(|(name, at)| event(&format!("task:{name}"), "1", at))).await;
        stage.conclude(11).await;
        assert_eq!(sent(&stage, Operation::Update), [expected.clone(), expected.clone()]);
        stage.wait_seconds(25 * 3600);
        stage.handle.tidy_store().await.unwrap();
        stage.tell([event("capture:available", "1", 9)]).await;
        stage.conclude(11).await;
        assert_eq!(stage.asked(Operation::Update).len(), 2, "nothing has changed");
        let resumed = [event("task:on-hold", "1", -10), event("task:hold-done", "1", -5)];
        stage.tell(resumed).await;
        stage.conclude(11).await;
        assert_eq!(sent(&stage, Operation::Update), [expected.clone(), expected, Value::Null]);
        let call = stage.org.voice_call("wxcc_1").unwrap();
        assert_eq!(call.holds.number_of_holds, Some(2));
        assert_eq!(
            attributes_of(&stage, "wxcc_1"),
            json!({ "Note__c": "n", "Waited__c": "the flow's", "Tier__c": "gold", "Queue_Id__c": "queue-1" })
        );
        assert_eq!(outcomes(&stage, "wxcc_1", "final").await, told, "what became of them is still told");
    }
}

#[actix_web::test]
async fn fields_are_in_the_one_final_update_whoever_sends_it() {
    for way in [Plan::telephony(), Plan::apex()] {
        let stage = plan(way, "enrichment.enabled = true").start().await;
        let id = stage.call("wxcc_1").await;
        stage.tell([event("task:new", "1", -60), event("task:connected", "1", -20)]).await;
        let own = json!({ "note": "n", "callAttributes": { "Own__c": "o" } });
        stage.post("updateVoiceCall", with(reference(&id), own)).await.data();
        stage.tell([event("task:ended", "1", 0)]).await;
        stage.conclude(11).await;
        stage.tell([event("task:on-hold", "1", -10), event("task:hold-done", "1", -5)]).await;
        stage.conclude(30).await;
        let once = json!({ "Own__c": "o", "Note__c": "n", "Queue_Id__c": "queue-1", "Waited__c": "0" });
        assert_eq!(sent(&stage, Operation::Update), [once]);
    }
}
