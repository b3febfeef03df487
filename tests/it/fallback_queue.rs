//! executeOmniFlow with a fallback queue: the caller is not left in silence because Salesforce is.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use crate::stage::{Plan, Stage, omni_flow, with};

fn with_fallback(plan: Plan) -> Plan {
    plan.center("fallback_queue = \"Overflow\"")
}

async fn both() -> [Stage; 2] {
    [with_fallback(Plan::telephony()).start().await, with_fallback(Plan::apex()).start().await]
}

fn fallback() -> Value {
    json!({ "queue": "Overflow", "agent": null, "fallback": true })
}

#[actix_web::test]
async fn an_answer_of_salesforce_goes_before_the_fallback() {
    for stage in both().await {
        let id = stage.call("wxcc_1").await;
        let reply = stage.post("executeOmniFlow", omni_flow(&id)).await;
        assert_eq!(reply.data(), &json!({ "queue": "Service", "agent": null }));
    }
}

#[actix_web::test]
async fn the_fallback_answers_whenever_salesforce_cannot() {
    let bad_days = [
        (BadDay::Unavailable { retry_after: None }, 1),
        (BadDay::TooMany { retry_after: Some(60) }, 1),
        (BadDay::DropConnection { after_work: false }, 1),
        (BadDay::Html { status: 200 }, 1),
        (BadDay::Garbage, 1),
        (BadDay::Unauthorized, 2),
    ];
    for stage in both().await {
        let id = stage.call("wxcc_1").await;
        for (day, times) in bad_days.clone() {
            stage.script_times(day.clone(), times, Operation::OmniFlow);
            let reply = stage.post("executeOmniFlow", omni_flow(&id)).await;
            assert_eq!(reply.data(), &fallback(), "{day:?}");
        }
    }
}

#[actix_web::test]
async fn the_fallback_answers_when_the_org_is_not_there() {
    for stage in both().await {
        stage.org.stop().await;
        assert_eq!(stage.post("executeOmniFlow", omni_flow("wxcc_1")).await.data(), &fallback());
    }
}

#[actix_web::test]
async fn the_fallback_answers_at_the_deadline() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = with_fallback(plan).deadline("300ms").start().await;
        stage.script(BadDay::NeverAnswers, Operation::OmniFlow);
        assert_eq!(stage.post("executeOmniFlow", omni_flow("wxcc_1")).await.data(), &fallback());
    }
}

#[actix_web::test]
async fn the_fallback_answers_when_the_login_is_down() {
    let stage = with_fallback(Plan::apex()).start().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::Token);
    assert_eq!(stage.post("executeOmniFlow", omni_flow("wxcc_1")).await.data(), &fallback());
}

#[actix_web::test]
async fn what_salesforce_refuses_is_told_and_not_covered_up() {
    for stage in both().await {
        stage.script_answer(400, json!({ "errors": ["no such flow"] }), Operation::OmniFlow);
        let reply = stage.post("executeOmniFlow", omni_flow("wxcc_1")).await;
        assert_eq!(reply.error(422), "Salesforce refused: no such flow");
        let wrong = with(omni_flow("wxcc_1"), json!({ "dialedNumber": null }));
        stage.post("executeOmniFlow", wrong).await.error(400);
    }
}

#[actix_web::test]
async fn without_a_fallback_queue_the_failure_is_told() {
    let stage = Plan::telephony().center("fallback_queue = \"\"").start().await;
    stage.script(BadDay::Unavailable { retry_after: None }, Operation::OmniFlow);
    stage.post("executeOmniFlow", omni_flow("wxcc_1")).await.error(503);
}
