//! A dead or busy Salesforce costs a caller nothing: the gate in front of it.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{Plan, Stage, at_once, create, omni_flow};

/// Five creates fail, which is as many as the default lets pass.
async fn break_it(stage: &Stage) {
    for n in 0..5 {
        stage.script(BadDay::Unavailable { retry_after: None }, Operation::Create);
        stage.post("createVoiceCall", create(&format!("wxcc_{n}"))).await.error(503);
    }
}

#[actix_web::test]
async fn an_org_that_failed_five_times_is_left_alone() {
    for stage in Stage::both().await {
        break_it(&stage).await;
        let asked = stage.org.requests().len();
        let reply = stage.post("createVoiceCall", create("wxcc_6")).await;
        assert!(reply.error(503).contains("left alone for a moment"));
        assert!(reply.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert_eq!(stage.org.requests().len(), asked, "nobody asked");
    }
}

#[actix_web::test]
async fn a_caller_goes_to_the_fallback_queue_while_the_org_is_left_alone() {
    let stage = Plan::telephony().center("fallback_queue = \"Reception\"").start().await;
    break_it(&stage).await;
    let reply = stage.post("executeOmniFlow", omni_flow("wxcc_1")).await;
    assert_eq!(*reply.data(), json!({ "queue": "Reception", "agent": null, "fallback": true }));
}

#[actix_web::test]
async fn an_org_that_is_back_is_asked_again() {
    let stage =
        Plan::telephony().sections("[breaker]\npause = \"10ms\"\nlongest_pause = \"10ms\"").start().await;
    break_it(&stage).await;
    // One of these comes after the pause and finds the org well; none may take longer than the pause to say so.
    let mut tries = 0;
    while stage.post("createVoiceCall", create("wxcc_7")).await.status != 200 {
        tries += 1;
        assert!(tries < 10_000, "the gate stays closed");
    }
}

#[actix_web::test]
async fn no_more_creates_are_sent_than_salesforce_takes() {
    let stage = Plan::telephony().sections("[limits]\ncreates_per_second = 2").start().await;
    stage.call("wxcc_1").await;
    stage.call("wxcc_2").await;
    let reply = stage.post("createVoiceCall", create("wxcc_3")).await;
    assert!(reply.error(503).contains("no more creates"));
    assert_eq!(stage.org.voice_calls().len(), 2);
}

#[actix_web::test]
async fn no_more_requests_wait_than_there_are_places() {
    let stage =
        Plan::telephony().deadline("300ms").sections("[limits]\nconcurrent_requests = 1").start().await;
    stage.script(BadDay::NeverAnswers, Operation::Create);
    let requests = ["wxcc_1", "wxcc_2"].map(|key| stage.flow("createVoiceCall", create(key)));
    let mut statuses: Vec<_> = at_once(requests).await.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [503, 504]);
}
