//! Answers that are none: pages of edges, garbage, halves, silence, redirects. Both ways, the same words.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{Plan, Stage, answer_once, create, omni_flow, reference, with};

/// What a flow is told when a create meets such a day, both ways.
async fn create_on(day: BadDay, times: u32, status: u16) -> Vec<String> {
    let mut errors = Vec::new();
    for stage in Stage::both().await {
        errors.push(create_of(&stage, day.clone(), times, status).await);
    }
    errors
}

async fn create_of(stage: &Stage, day: BadDay, times: u32, status: u16) -> String {
    stage.script_times(day, times, Operation::Create);
    let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
    reply.error(status).to_owned()
}

#[actix_web::test]
async fn a_page_of_an_edge_is_told_by_its_title_and_not_copied() {
    for stage in Stage::both().await {
        for (status, times, answered) in [(502, 1, 503), (503, 1, 503), (200, 1, 503), (403, 2, 424)] {
            let error = create_of(&stage, BadDay::Html { status }, times, answered).await;
            assert!(error.contains("an HTML page (Error)"), "{error}");
            assert!(!error.contains('<'), "{error}");
        }
    }
}

#[actix_web::test]
async fn garbage_with_200_gives_503() {
    for error in create_on(BadDay::Garbage, 1, 503).await {
        assert!(error.contains("not JSON"), "{error}");
    }
}

#[actix_web::test]
async fn json_that_is_no_object_is_not_called_something_else() {
    for error in create_on(BadDay::Body { body: json!([]) }, 1, 503).await {
        assert!(error.contains("its answer is JSON, and not the object"), "{error}");
    }
}

#[actix_web::test]
async fn an_answer_without_an_id_gives_503() {
    for error in create_on(BadDay::Body { body: json!({ "unexpected": 1 }) }, 1, 503).await {
        assert!(error.contains("lacks what was asked for"), "{error}");
    }
}

#[actix_web::test]
async fn a_huge_answer_is_not_read_to_its_end_and_gives_503() {
    create_on(BadDay::HugeBody { bytes: 8 * 1024 * 1024 }, 1, 503).await;
}

#[actix_web::test]
async fn half_an_answer_gives_503() {
    for error in create_on(BadDay::HalfBody, 1, 503).await {
        assert!(error.contains("the connection broke"), "{error}");
    }
}

#[actix_web::test]
async fn a_dropped_connection_gives_503_and_the_create_is_not_repeated() {
    for after_work in [false, true] {
        for stage in Stage::both().await {
            stage.script(BadDay::DropConnection { after_work }, Operation::Create);
            let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
            assert!(reply.error(503).contains("the connection broke"), "{}", reply.text);
            assert_eq!(stage.org.voice_calls().len(), usize::from(after_work));
            assert_eq!(stage.asked(Operation::Create).len(), 1);
        }
    }
}

#[actix_web::test]
async fn an_org_that_is_not_there_gives_503() {
    for stage in Stage::both().await {
        stage.org.stop().await;
        let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
        assert_eq!(reply.error(503), "Salesforce cannot do this now: it cannot be reached");
        assert_eq!(reply.header("retry-after"), "1");
    }
}

#[actix_web::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Stage::telephony().await;
    let location = format!("{}/telephony/v1/voiceCalls", elsewhere.org.url());
    for status in ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let answer = format!("HTTP/1.1 {status}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let (address, _) = answer_once(answer).await;
        let stage = Plan::telephony().salesforce_at(format!("http://{address}/telephony/v1")).start().await;
        let reply = stage.post("createVoiceCall", create("wxcc_1")).await;
        assert!(reply.error(424).contains("redirect"), "{}", reply.text);
    }
    assert_eq!(elsewhere.org.requests().len(), 0, "the token went nowhere else");
}

#[actix_web::test]
async fn a_success_is_exactly_200_whatever_2xx_salesforce_answers() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    stage.post("clearRouting", reference(&id)).await.data();
    let answered: Vec<_> = stage.org.requests().into_iter().map(|request| request.answered).collect();
    assert_eq!(answered, [Some(201), Some(204)]);
    for status in [200, 201, 202] {
        stage.script_answer(status, json!({ "status": "pending" }), Operation::Update);
        let update = with(reference(&id), json!({ "isActiveCall": true }));
        stage.post("updateVoiceCall", update).await.data();
        stage.script_answer(status, json!({ "queue": "Sales" }), Operation::OmniFlow);
        let reply = stage.post("executeOmniFlow", omni_flow(&id)).await;
        assert_eq!(reply.data(), &json!({ "queue": "Sales", "agent": null }));
    }
}

#[actix_web::test]
async fn an_agent_without_a_queue_is_an_answer_too() {
    let stage = Stage::telephony().await;
    let id = stage.call("wxcc_1").await;
    let body = json!({ "agent": "agent@example.com", "queue": null });
    stage.script(BadDay::Body { body }, Operation::OmniFlow);
    let reply = stage.post("executeOmniFlow", omni_flow(&id)).await;
    assert_eq!(reply.data(), &json!({ "queue": null, "agent": "agent@example.com" }));
}
