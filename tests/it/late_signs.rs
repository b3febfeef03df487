//! An agent of whom is told only after the call was told as abandoned, by whomever.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::enrichment::{ENRICHMENT, assert_told, call, end, history, updates, waiting};
use crate::postgres::Postgres;
use crate::stage::{CENTER, Plan, Stage, ended, event, reference, webex, with};

/// The names of queues and agents, with enrichment or without.
fn center(enriched: bool, more: &str) -> String {
    format!("{}{more}", ENRICHMENT.replace("= true", &format!("= {enriched}")))
}

/// With and without enrichment, both ways to Salesforce, both engines.
async fn all(more: &str) -> Vec<Stage> {
    let mut all = Vec::new();
    for plan in [Plan::telephony(), Plan::apex(), Plan::telephony().store(Postgres::shared().database())] {
        all.push(plan.center(&center(false, more)).sections(&webex("")).start().await);
    }
    all.push(Plan::telephony().center(&center(true, more)).sections(&webex("")).start().await);
    all
}

/// Who tells that a call was abandoned.
#[derive(Debug, Clone, Copy)]
enum Teller {
    PhoneContactEnded,
    VendorsFlow,
    Webhooks,
}

/// A call that was told as abandoned.
async fn abandoned(stage: &Stage, teller: Teller) {
    let id = waiting(stage, "1").await;
    match teller {
        Teller::PhoneContactEnded => {
            stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
        }
        Teller::VendorsFlow => {
            stage.post("clearRouting", reference(&id)).await.data();
            let reason = json!({ "disconnectReason": { "value": "Abandoned in queue", "isError": true },
                "startTime": "2026-11-21T09:58:20Z", "endTime": "2026-11-21T10:00:00Z" });
            stage.post("updateVoiceCall", with(reference(&id), reason)).await.data();
        }
        Teller::Webhooks => {
            stage.tell([event("task:new", "1", -100), end("1", 0)]).await;
            stage.conclude(11).await;
        }
    }
    stage.deliver(0).await;
    let told = call(stage, "1");
    assert_eq!((told.disconnect_reason.as_deref(), told.updates), (Some("Abandoned in queue"), 1));
}

#[actix_web::test]
async fn a_late_sign_of_an_agent_takes_an_abandonment_back_whoever_told_it() {
    for teller in [Teller::PhoneContactEnded, Teller::VendorsFlow, Teller::Webhooks] {
        for stage in all("").await {
            abandoned(&stage, teller).await;
            stage.tell(history("1", "agent-1")).await;
            stage.conclude(11).await;
            stage.deliver(0).await;
            assert_told(&call(&stage, "1"));
            let active: Vec<bool> =
                stage.sent(Operation::Update).iter().map(|sent| sent["isActiveCall"] == true).collect();
            assert_eq!(active, [false, true], "{teller:?}");
            stage.tell(history("1", "agent-1")).await;
            stage.conclude(30).await;
            assert_eq!(updates(&stage), 2, "what comes twice tells nothing new");
        }
    }
}

#[actix_web::test]
async fn what_comes_in_parts_is_told_in_the_end_without_anything_becoming_0_again() {
    for stage in all("").await {
        abandoned(&stage, Teller::PhoneContactEnded).await;
        let (first, then): (Vec<_>, Vec<_>) =
            history("1", "agent-1").into_iter().enumerate().partition(|(at, _)| [0, 3, 4, 5, 8].contains(at));
        stage.tell(first.into_iter().map(|(_, event)| event)).await;
        stage.conclude(11).await;
        assert_eq!(call(&stage, "1").holds.number_of_holds, Some(1));
        stage.tell(then.into_iter().map(|(_, event)| event)).await;
        stage.conclude(11).await;
        assert_told(&call(&stage, "1"));
        assert_eq!(updates(&stage), 3);
    }
}

#[actix_web::test]
async fn it_may_be_turned_off() {
    for teller in [Teller::PhoneContactEnded, Teller::VendorsFlow, Teller::Webhooks] {
        let keys = center(false, "abandonment.take_back = false");
        let stage = Plan::telephony().center(&keys).sections(&webex("")).start().await;
        abandoned(&stage, teller).await;
        stage.tell(history("1", "agent-1")).await;
        stage.conclude(11).await;
        assert_eq!(updates(&stage), 1, "{teller:?}");
    }
}

#[actix_web::test]
async fn an_agent_whom_the_flow_names_late_takes_it_back_and_events_tell_the_rest() {
    for stage in all("").await {
        abandoned(&stage, Teller::PhoneContactEnded).await;
        let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1", "agentId": "agent-1",
            "acceptTime": "2026-11-21T09:58:55Z" });
        for _ in 0..2 {
            stage.post("agentAnswered", answered.clone()).await.data();
        }
        stage.deliver(0).await;
        let told = call(&stage, "1");
        assert_eq!(
            (told.disconnect_reason.as_deref(), told.disconnect_is_error),
            (Some("Ended"), Some(false))
        );
        assert_eq!(told.call_accept_date_time.as_deref(), Some("2026-11-21T09:58:55.000Z"));
        assert_eq!(told.updates, 2);
        let taken_back = stage.sent(Operation::Update).pop().unwrap();
        assert_eq!(taken_back.get("numberOfHolds"), None, "no event tells of holds: {taken_back}");
        stage.tell(history("1", "agent-1")).await;
        stage.conclude(11).await;
        assert_told(&call(&stage, "1"));
    }
}

/// The flow hears of the hang-up first, and its two events may be milliseconds apart.
#[actix_web::test]
async fn an_acceptance_that_is_told_for_after_the_end_is_not_sent() {
    for stage in all("").await {
        abandoned(&stage, Teller::PhoneContactEnded).await;
        let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": "wxcc_1", "agentId": "agent-1",
            "acceptTime": "2026-11-21T10:00:59Z" });
        stage.post("agentAnswered", answered).await.data();
        stage.deliver(0).await;
        let told = call(&stage, "1");
        assert_eq!((told.disconnect_reason.as_deref(), told.call_accept_date_time), (Some("Ended"), None));
    }
}

#[actix_web::test]
async fn a_hang_up_or_an_update_that_names_an_agent_takes_it_back() {
    for stage in all("").await {
        abandoned(&stage, Teller::Webhooks).await;
        let named = with(ended("wxcc_1"), json!({ "agentId": "agent-1" }));
        assert_eq!(stage.post("phoneContactEnded", named).await.data()["outcome"], "duplicate");
        stage.deliver(0).await;
        assert_eq!(call(&stage, "1").disconnect_reason.as_deref(), Some("Ended"));
    }
    let stage = Plan::telephony().center(&center(false, "")).sections(&webex("")).start().await;
    abandoned(&stage, Teller::Webhooks).await;
    let named = json!({ "isActiveCall": true, "acceptTime": "2026-11-21T09:58:55Z" });
    stage.post("updateVoiceCall", with(reference("wxcc_1"), named)).await.data();
    stage.deliver(0).await;
    assert_eq!(call(&stage, "1").disconnect_reason.as_deref(), Some("Ended"));
}

#[actix_web::test]
async fn an_abandonment_that_was_never_sent_needs_no_taking_back() {
    for (enriched, told) in [(false, 0), (true, 1)] {
        let stage = Plan::telephony().center(&center(enriched, "")).sections(&webex("")).start().await;
        waiting(&stage, "1").await;
        stage.script(BadDay::Unavailable { retry_after: Some(60) }, Operation::Update);
        stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
        stage.tell(history("1", "agent-1").into_iter().take(8)).await;
        stage.deliver(61).await;
        stage.org.forget_requests();
        stage.tell([end("1", 0)]).await;
        stage.conclude(11).await;
        stage.deliver(0).await;
        assert_eq!(updates(&stage), told, "{:?}", stage.sent(Operation::Update));
        if enriched {
            assert_told(&call(&stage, "1"));
            assert_ne!(stage.sent(Operation::Update)[0]["isActiveCall"], true);
        }
    }
}

#[actix_web::test]
async fn what_a_flow_has_told_otherwise_is_left_alone() {
    for stage in all("").await {
        let id = waiting(&stage, "1").await;
        let done = json!({ "startTime": "2026-11-21T09:58:20Z", "endTime": "2026-11-21T10:00:00Z",
            "numberOfHolds": 7, "disconnectReason": { "value": "Done", "isError": false } });
        stage.post("updateVoiceCall", with(reference(&id), done)).await.data();
        stage.tell(history("1", "agent-1")).await;
        stage.conclude(11).await;
        let call = call(&stage, "1");
        assert_eq!((call.updates, call.holds.number_of_holds), (1, Some(7)));
    }
}
