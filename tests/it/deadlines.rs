//! A Salesforce that does not answer: the flow gets its answer all the same.

use std::time::Duration;

use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::stage::{CENTER, Plan, Reply, Stage, create, ended, omni_flow, reference, silence};

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

/// What the bridge may take beside waiting for Salesforce.
const OWN: Duration = Duration::from_millis(50);
/// How often a request is repeated at most: this machine has other things to do.
const TRIES: usize = 20;

/// Every route, with a call of its own.
fn routes(call: &str) -> [(&'static str, Value); 6] {
    let answered = json!({ "callCenterDevName": CENTER, "vendorCallKey": call, "agentId": "7d6a" });
    [
        ("createVoiceCall", create(call)),
        ("executeOmniFlow", omni_flow(call)),
        ("updateVoiceCall", reference(call)),
        ("clearRouting", reference(call)),
        ("phoneContactEnded", ended(call)),
        ("agentAnswered", answered),
    ]
}

/// Sends a request of every route until it is answered within `limit`: a bridge that always takes longer fails.
async fn answered_within(limit: Duration, stage: &Stage) -> Vec<(&'static str, Reply)> {
    let mut replies = Vec::new();
    for (at, (route, _)) in routes("unused").into_iter().enumerate() {
        let mut times = Vec::new();
        let reply = loop {
            assert!(times.len() < TRIES, "{route} takes {times:?}, and may take {limit:?}");
            // Each try has a call of its own.
            let (_, body) = routes(&format!("wxcc_{route}-{}", times.len())).into_iter().nth(at).unwrap();
            let begun = Instant::now();
            let reply = stage.post(route, body).await;
            times.push(begun.elapsed());
            if times.last() <= Some(&limit) {
                break reply;
            }
        };
        replies.push((route, reply));
    }
    replies
}

/// What a flow is told while Salesforce is not there.
fn told(replies: &[(&'static str, Reply)]) -> Vec<(&'static str, u16, Value)> {
    replies.iter().map(|(route, reply)| (*route, reply.status, reply.body["data"].clone())).collect()
}

fn plans(sections: &str) -> [(Plan, bool); 3] {
    let telephony = Plan::telephony().sections(sections);
    let deferring = Plan::telephony().sections(sections).center("on_create_failure = \"defer\"");
    [(telephony, false), (deferring, true), (Plan::apex().sections(sections), false)]
}

#[actix_web::test]
async fn every_route_answers_at_its_deadline_whatever_salesforce_does() {
    let (_listener, url) = silence().await;
    for (plan, defers) in plans("[breaker]\nfailures = 1000\nslow_calls = 1000") {
        let stage = plan.salesforce_at(url.as_str()).deadline("400ms").start().await;
        let replies = answered_within(Duration::from_millis(400) + OWN, &stage).await;
        let pending = json!({ "status": "pending" });
        let told = told(&replies);
        if defers {
            assert_eq!(told[0].1, 200);
            assert!(told[0].2["voiceCallId"].as_str().unwrap().starts_with("wxcc_"));
        } else {
            assert_eq!(told[0], ("createVoiceCall", 504, Value::Null));
        }
        assert_eq!(told[1], ("executeOmniFlow", 504, Value::Null));
        assert_eq!(told[2], ("updateVoiceCall", 200, pending.clone()));
        assert_eq!(told[3], ("clearRouting", 200, pending));
        let abandoned = json!({ "outcome": "abandoned", "status": "pending" });
        assert_eq!(told[4], ("phoneContactEnded", 200, abandoned));
        assert_eq!(told[5], ("agentAnswered", 200, json!({ "status": "Success" })));
    }
}

#[actix_web::test]
async fn while_the_breaker_is_open_every_route_answers_at_once() {
    let (_listener, url) = silence().await;
    for (plan, defers) in
        plans("[breaker]\nfailures = 1\nslow = \"100ms\"\npause = \"10m\"\nlongest_pause = \"10m\"")
    {
        let stage = plan.salesforce_at(url.as_str()).deadline("400ms").start().await;
        let first = stage.post("createVoiceCall", create("wxcc_1")).await;
        assert_eq!(first.status, if defers { 200 } else { 504 });
        let replies = answered_within(OWN, &stage).await;
        let statuses: Vec<u16> = replies.iter().map(|(_, reply)| reply.status).collect();
        assert_eq!(statuses, [if defers { 200 } else { 503 }, 503, 200, 200, 200, 200]);
        for (route, reply) in &replies {
            assert_eq!(reply.status == 503, !reply.header("retry-after").is_empty(), "{route}");
        }
    }
}
