use std::time::Duration;

use reqwest::{Method, Response};
use serde_json::json;

use super::{Caller, create_body};
use crate::{BadDay, Operation};

async fn create(caller: &Caller) -> reqwest::Result<Response> {
    caller.request(Method::POST, "/voiceCalls").body(create_body("wxcc_1").to_string()).send().await
}

async fn status(caller: &Caller) -> u16 {
    create(caller).await.unwrap().status().as_u16()
}

#[actix_web::test]
async fn a_bad_day_ends_after_its_times_and_keeps_to_its_operation() {
    let caller = Caller::new().await;
    caller.org.script(BadDay::Unavailable { retry_after: Some(7) }.times(2).on(Operation::Create));
    caller.org.script(BadDay::Unauthorized.on(Operation::Update));
    let answer = create(&caller).await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].to_str().unwrap()), (503, "7"));
    assert_eq!(status(&caller).await, 503);
    assert_eq!(status(&caller).await, 201);
    assert_eq!(caller.patch("/voiceCalls/wxcc_1", &json!({})).await.0, 401);
    assert_eq!(caller.patch("/voiceCalls/wxcc_1", &json!({})).await.0, 200);
    assert_eq!((caller.org.refusals(), caller.org.scripted()), (vec![], vec![]));
    let answered: Vec<_> = caller.org.requests().iter().map(|request| request.answered).collect();
    assert_eq!(answered, [Some(503), Some(503), Some(201), Some(401), Some(200)]);
}

#[actix_web::test]
async fn statuses_and_bodies_come_as_scripted_and_nothing_is_done() {
    let caller = Caller::new().await;
    for (day, wanted) in [
        (BadDay::Forbidden { body: json!([{ "errorCode": "REQUEST_LIMIT_EXCEEDED" }]) }, 403),
        (BadDay::TooMany { retry_after: None }, 429),
        (BadDay::Html { status: 502 }, 502),
        (BadDay::Status { status: 418, body: json!({}) }, 418),
        (BadDay::Body { body: json!({ "errors": ["no"] }) }, 200),
        (BadDay::HugeBody { bytes: 1 << 20 }, 200),
    ] {
        caller.org.script(day);
        assert_eq!(status(&caller).await, wanted);
    }
    assert_eq!(caller.org.voice_calls(), []);
}

#[actix_web::test]
async fn a_dropped_connection_gives_no_byte_with_or_without_the_work_done() {
    let caller = Caller::new().await;
    caller.org.script(BadDay::DropConnection { after_work: false });
    assert!(create(&caller).await.is_err());
    assert_eq!(caller.org.voice_calls().len(), 0);
    caller.org.script(BadDay::DropConnection { after_work: true });
    assert!(create(&caller).await.is_err());
    assert_eq!(caller.org.voice_calls().len(), 1);
    assert_eq!(status(&caller).await, 201);
}

#[actix_web::test]
async fn half_a_body_has_a_whole_head() {
    let caller = Caller::new().await;
    caller.org.script(BadDay::HalfBody);
    let mut answer = create(&caller).await.unwrap();
    assert_eq!(answer.status().as_u16(), 201);
    let promised = answer.content_length().unwrap();
    let first = answer.chunk().await.unwrap().unwrap();
    assert!((first.len() as u64) < promised);
    assert!(answer.chunk().await.is_err());
}

#[actix_web::test]
async fn garbage_is_not_json_and_a_complaint_comes_with_the_record() {
    let caller = Caller::new().await;
    caller.org.script(BadDay::Garbage);
    let text = create(&caller).await.unwrap().text().await.unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_err());
    let errors = json!("A trigger failed");
    caller.org.script(BadDay::Complaint { errors: errors.clone() });
    let (status, body) = caller.post("/voiceCalls", &create_body("wxcc_2")).await;
    assert_eq!((status, &body["errors"]), (201, &errors));
    assert!(caller.org.voice_call(body["voiceCallId"].as_str().unwrap()).is_some());
}

#[actix_web::test]
async fn a_silent_org_outlasts_its_caller_and_a_slow_one_has_done_the_work() {
    let caller = Caller::new().await;
    let impatient = async |patience| {
        let request = caller.request(Method::POST, "/voiceCalls").body(create_body("wxcc_1").to_string());
        request.timeout(Duration::from_millis(patience)).send().await.unwrap_err().is_timeout()
    };
    caller.org.script(BadDay::NeverAnswers);
    assert!(impatient(200).await);
    assert_eq!(caller.org.voice_calls().len(), 0);
    caller.org.script(BadDay::Slow { milliseconds: 60_000 });
    assert!(impatient(1_000).await);
    assert_eq!(caller.org.voice_calls().len(), 1);
    caller.org.script(BadDay::Slow { milliseconds: 1 });
    assert_eq!(status(&caller).await, 201);
}

#[actix_web::test]
async fn a_stopped_org_answers_nobody_and_frees_its_port() {
    let caller = Caller::new().await;
    assert_eq!(status(&caller).await, 201);
    caller.org.stop().await;
    assert!(create(&caller).await.is_err());
    assert_eq!(caller.org.voice_calls().len(), 1);
    let port = caller.org.url().rsplit_once(':').unwrap().1.parse().unwrap();
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
}
