//! What operators and probes see, and how the service stops.

use reqwest::Method;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::json;

use crate::stage::{CANARIES, Reply, Stage, create, with};

#[actix_web::test]
async fn both_listeners_say_that_they_live_and_are_ready() {
    let stage = Stage::telephony().await;
    for path in ["/livez", "/readyz"] {
        let public = Reply::of(stage.request(Method::GET, path)).await;
        assert_eq!((public.status, stage.ask(path).await.status), (200, 200), "{path}");
    }
    let configuration = json!({ "status": "current", "problems": [], "after_restart": [] });
    let details = json!({ "status": "ready", "not_ready": [], "configuration": configuration });
    assert_eq!(stage.ask("/readyz").await.body, details);
}

#[actix_web::test]
async fn head_is_answered_as_get_is_without_a_body() {
    let stage = Stage::telephony().await;
    let of_operations =
        ["/livez", "/readyz", "/version", "/metrics", "/openapi.json", "/docs", "/docs/style.css"];
    let of_operations = of_operations.map(|path| format!("{}{path}", stage.operations));
    let of_all = ["/livez", "/readyz"].map(|path| format!("{}{path}", stage.public));
    for url in of_operations.into_iter().chain(of_all) {
        let http = reqwest::Client::new();
        let get = Reply::of(http.get(&url)).await;
        let head = Reply::of(http.head(&url)).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{url}");
        assert_eq!(head.header("content-type"), get.header("content-type"), "{url}");
    }
}

#[actix_web::test]
async fn the_version_is_that_of_the_program() {
    let stage = Stage::telephony().await;
    let version = stage.ask("/version").await.body;
    assert_eq!(version, json!({ "name": "scv-bridge", "version": env!("CARGO_PKG_VERSION") }));
}

#[actix_web::test]
async fn a_path_that_the_operations_listener_has_not_is_answered_with_those_it_has() {
    let stage = Stage::telephony().await;
    let told = stage.ask("/foo").await;
    assert_eq!(
        told.error(404),
        "path: there is nothing here; this listener has GET /livez, /readyz, /version, /metrics, /docs and /openapi.json"
    );
    let lost = stage.ask("/voice/v1/createVoiceCall").await;
    assert!(
        lost.error(404).ends_with("; what flows call is on the other one, server.listen"),
        "{}",
        lost.text
    );
}

#[actix_web::test]
async fn requests_are_counted_by_route_and_status() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_1").await;
    stage.call("wxcc_2").await;
    stage.post("createVoiceCall", "{").await.error(400);
    Reply::of(stage.request(Method::GET, "/nowhere")).await.error(404);
    let metrics = stage.ask("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        "scv_bridge_requests_total{call_center=\"WxCCContactCenterSCV\",route=\"createVoiceCall\",status=\"200\"} 2",
        "scv_bridge_requests_total{call_center=\"\",route=\"createVoiceCall\",status=\"400\"} 1",
        "scv_bridge_requests_total{call_center=\"\",route=\"other\",status=\"404\"} 1",
        "scv_bridge_request_seconds_count{route=\"createVoiceCall\"} 3",
        "# TYPE scv_bridge_requests_total counter",
    ] {
        assert!(metrics.text.lines().any(|given| given == line), "{line} is not in\n{}", metrics.text);
    }
}

#[actix_web::test]
async fn metrics_hold_no_key_and_no_number() {
    let stage = Stage::telephony().await;
    stage.call("wxcc_canary").await;
    Reply::of(stage.connector("/voice/v1/4693150217")).await.error(404);
    stage.post("createVoiceCall", with(create("wxcc_canary"), json!({ "to": 1 }))).await.error(400);
    let metrics = stage.ask("/metrics").await.text;
    for canary in CANARIES.iter().chain(&["wxcc_canary", "webex-flow"]) {
        assert!(!metrics.contains(canary), "{canary} in {metrics}");
    }
}

#[actix_web::test]
async fn what_is_for_operators_is_not_for_the_world() {
    let stage = Stage::telephony().await;
    for path in ["/metrics", "/version", "/openapi.json", "/docs", "/console/"] {
        Reply::of(stage.request(Method::GET, path)).await.error(404);
    }
    let ready = Reply::of(stage.request(Method::GET, "/readyz")).await;
    assert_eq!(ready.body, json!({ "status": "ready" }));
}

#[actix_web::test]
async fn what_the_operations_listener_does_not_have_is_answered_in_the_same_shape() {
    let stage = Stage::telephony().await;
    stage.ask("/voice/v1/createVoiceCall").await.error(404);
}

#[actix_web::test]
async fn a_service_that_stops_says_so_and_lets_calls_end() {
    let stage = Stage::telephony().await;
    stage.script(BadDay::Slow { milliseconds: 300 }, Operation::Create);
    let call = tokio::spawn(Reply::of(stage.flow("createVoiceCall", create("wxcc_1"))));
    while stage.asked(Operation::Create).is_empty() {
        tokio::task::yield_now().await;
    }
    // The first step of stopping is to be not ready; it is done before the question is sent.
    let ((), ready) = tokio::join!(stage.handle.stop(), stage.ask("/readyz"));
    assert_eq!(ready.status, 503);
    assert_eq!(ready.body["status"], "not ready");
    assert_eq!(ready.body["not_ready"], json!(["the service is stopping"]));
    call.await.unwrap().data();
    assert!(stage.flow("createVoiceCall", create("wxcc_2")).send().await.is_err(), "nobody listens any more");
}

#[actix_web::test]
async fn the_description_of_the_api_names_this_bridge_and_its_page_allows_no_script() {
    let stage = Stage::telephony().await;
    let document = stage.ask("/openapi.json").await;
    assert_eq!((document.status, document.header("content-type")), (200, "application/json"));
    assert_eq!(document.body["openapi"], "3.1.0");
    assert_eq!(document.body["servers"][0]["url"], stage.public);
    let page = stage.ask("/docs").await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
    let policy = page.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'self';") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(page.text.contains("href=\"/docs/style.css\"") && page.text.contains(&stage.public));
    assert_eq!(stage.ask("/docs/style.css").await.header("content-type"), "text/css; charset=utf-8");
}

/// The examples of docs/openapi.json are what flows send and get.
#[actix_web::test]
async fn the_examples_of_the_description_work_as_they_stand() {
    let stage = Stage::telephony().await;
    let document = stage.ask("/openapi.json").await.body;
    let routes = [
        "createVoiceCall",
        "executeOmniFlow",
        "clearRouting",
        "phoneContactEnded",
        "updateVoiceCall",
        "agentAnswered",
    ];
    for route in routes {
        let operation = &document["paths"][format!("/voice/v1/{route}")]["post"];
        let example = |part: &serde_json::Value| part["content"]["application/json"]["example"].clone();
        let answer = stage.post(route, example(&operation["requestBody"])).await;
        let mut told = example(&operation["responses"]["200"]);
        if route == "createVoiceCall" {
            told["data"]["voiceCallId"] = answer.body["data"]["voiceCallId"].clone();
        }
        assert_eq!(answer.body, told, "{route}: {}", answer.text);
    }
}
