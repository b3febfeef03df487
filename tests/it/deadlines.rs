//! A Salesforce that does not answer: the flow gets its answer all the same.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::Value;

use crate::stage::{Plan, create, ended, omni_flow, reference};

const LATE: &str = "Salesforce did not answer before the deadline of this route passed";

fn requests() -> [(Operation, &'static str, Value); 4] {
    [
        (Operation::Create, "createVoiceCall", create("wxcc_1")),
        (Operation::OmniFlow, "executeOmniFlow", omni_flow("wxcc_1")),
        (Operation::Update, "updateVoiceCall", reference("wxcc_1")),
        (Operation::ClearRouting, "clearRouting", reference("wxcc_2")),
    ]
}

#[actix_web::test]
async fn silence_is_answered_at_the_deadline_of_every_route() {
    for plan in [Plan::telephony(), Plan::apex()] {
        let stage = plan.deadline("300ms").start().await;
        for (operation, route, body) in requests() {
            stage.script(BadDay::NeverAnswers, operation);
            let reply = stage.post(route, body).await;
            match operation {
                // They are kept.
                Operation::Update | Operation::ClearRouting => assert_eq!(reply.data()["status"], "pending"),
                _ => assert_eq!(reply.error(504), LATE, "{route}"),
            }
        }
    }
}

#[actix_web::test]
async fn a_silent_login_gives_504_at_the_deadline() {
    let stage = Plan::apex().deadline("300ms").start().await;
    stage.script(BadDay::NeverAnswers, Operation::Token);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    assert_eq!(reply.error(504), LATE);
}

#[actix_web::test]
async fn a_slow_answer_within_the_deadline_is_an_answer() {
    let stage = Plan::telephony().deadline("10s").start().await;
    stage.script(BadDay::Slow { milliseconds: 100 }, Operation::Create);
    stage.call("wxcc_1").await;
}

#[actix_web::test]
async fn a_silent_clear_routing_leaves_time_for_the_final_update() {
    let stage = Plan::telephony().deadline("2s").start().await;
    let id = stage.call("wxcc_1").await;
    stage.script(BadDay::NeverAnswers, Operation::ClearRouting);
    stage.post("phoneContactEnded", ended("wxcc_1")).await.data();
    assert_eq!(stage.org.voice_call(&id).unwrap().updates, 1);
}

#[actix_web::test]
async fn a_silent_update_after_a_hang_up_is_kept() {
    let stage = Plan::telephony().deadline("300ms").start().await;
    stage.call("wxcc_1").await;
    stage.script(BadDay::NeverAnswers, Operation::Update);
    let reply = stage.post("phoneContactEnded", ended("wxcc_1")).await;
    assert_eq!(reply.data()["status"], "pending");
}
