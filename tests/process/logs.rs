//! The log: one line a request, with the fields that docs/logging.md names.

use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use super::flow::{ANI, create};
use super::site::{SECRET, Site};

fn access_lines(said: &str) -> Vec<Value> {
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("every line is JSON"));
    lines.filter(|line| line["message"] == "request").collect()
}

/// The names of a line's fields, in their order.
fn names(line: &Value) -> Vec<&str> {
    line.as_object().unwrap().keys().map(String::as_str).collect()
}

#[actix_web::test]
async fn every_request_has_one_line_that_tells_what_came_of_it() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let flow = service.flow();
    flow.create("wxcc_1").await;
    flow.text("/voice/v1/createVoiceCall", "{".into()).await;
    flow.with_credentials("/voice/v1/clearRouting", "{}".into(), "webex-flow", "wrong").await;
    site.org.script(BadDay::TooMany { retry_after: None }.on(Operation::Create));
    flow.create("wxcc_2").await;
    flow.text("/nothing/here", "{}".into()).await;
    let (_, said) = service.stop().await;
    let lines = access_lines(&said);
    let told: Vec<_> = lines
        .iter()
        .map(|line| json!([line["level"], line["route"], line["client"], line["status"], line["outcome"]]))
        .collect();
    let expected = json!([
        ["INFO", "createVoiceCall", "webex-flow", 200, "ok"],
        ["INFO", "createVoiceCall", "webex-flow", 400, "invalid"],
        ["INFO", "clearRouting", null, 401, "unauthorized"],
        ["WARN", "createVoiceCall", "webex-flow", 503, "again"],
        ["INFO", null, null, 404, null],
    ]);
    assert_eq!(Value::from(told), expected);
    assert_eq!(
        names(&lines[0]),
        [
            "timestamp",
            "level",
            "message",
            "request_id",
            "route",
            "client",
            "call_center",
            "vendor_call_key",
            "voice_call_id",
            "status",
            "outcome",
            "milliseconds",
            "upstream_milliseconds"
        ]
    );
    assert_eq!(
        names(&lines[2]),
        [
            "timestamp",
            "level",
            "message",
            "request_id",
            "route",
            "status",
            "outcome",
            "milliseconds",
            "error"
        ]
    );
    assert_eq!(
        names(&lines[4]),
        ["timestamp", "level", "message", "request_id", "path", "status", "milliseconds"]
    );
}

#[actix_web::test]
async fn the_id_of_a_request_is_the_senders_or_ours_and_comes_back() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let http = reqwest::Client::new();
    let mut ids = Vec::new();
    for given in [Some("from-the-proxy"), None] {
        let url = format!("http://{}/voice/v1/createVoiceCall", service.public);
        let request = http.post(url).basic_auth("webex-flow", Some(SECRET));
        let request = request.body(create("WxCCContactCenterSCV", "wxcc_1").to_string());
        let request = given.iter().fold(request, |request, id| request.header("x-request-id", *id));
        let answer = request.send().await.unwrap();
        ids.push(answer.headers()["x-request-id"].to_str().unwrap().to_owned());
    }
    assert_eq!(ids[0], "from-the-proxy");
    let (_, said) = service.stop().await;
    let logged: Vec<_> = access_lines(&said).iter().map(|line| line["request_id"].clone()).collect();
    assert_eq!(logged, ids);
}

#[actix_web::test]
async fn as_text_it_holds_the_same() {
    let site = Site::open().await;
    let service = site.serve(&[("SCV_BRIDGE__LOGS__FORMAT", "text")]).await;
    service.flow().create("wxcc_1").await;
    let (_, said) = service.stop().await;
    let line = said.lines().find(|line| line.contains("INFO request ")).expect("a line in text");
    for part in
        ["route=\"createVoiceCall\"", "client=\"webex-flow\"", "vendor_call_key=\"wxcc_1\"", "status=200"]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[actix_web::test]
async fn a_phone_number_that_a_flow_took_for_the_key_is_not_logged() {
    let site = Site::open().await;
    for format in ["json", "text"] {
        let service = site.serve(&[("SCV_BRIDGE__LOGS__FORMAT", format)]).await;
        let body =
            json!({ "callCenterDevName": "WxCCContactCenterSCV", "vendorCallKey": ANI, "agentId": ANI });
        assert_eq!(service.flow().post("agentAnswered", &body).await.0, 200);
        let (_, said) = service.stop().await;
        assert!(said.contains("+***********"), "{said}");
        assert!(!said.contains(ANI.trim_start_matches("+1")), "{said}");
    }
}

#[actix_web::test]
async fn probes_are_told_only_to_those_who_want_to_know_everything() {
    let site = Site::open().await;
    for (level, lines) in [("info", 0), ("debug", 1)] {
        let service = site.serve(&[("SCV_BRIDGE__LOGS__LEVEL", level)]).await;
        reqwest::get(format!("http://{}/readyz", service.public)).await.unwrap();
        let (_, said) = service.stop().await;
        assert_eq!(access_lines(&said).len(), lines, "{level}: {said}");
    }
}
