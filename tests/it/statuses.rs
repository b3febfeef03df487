//! The statuses that the bridge gives by itself: credentials, paths, methods, sizes and content types.

use reqwest::Method;
use serde_json::json;

use crate::stage::{CENTER, CONNECTOR, Plan, RESTRICTED, Reply, Stage, create, exchange, with};

const ROUTES: [&str; 6] = [
    "createVoiceCall",
    "updateVoiceCall",
    "executeOmniFlow",
    "clearRouting",
    "phoneContactEnded",
    "agentAnswered",
];
const PREFIXES: [&str; 2] = ["/voice/v1", "/services/apexrest/cisco_wxcc_scv/voice/v1"];

#[actix_web::test]
async fn credentials_that_are_missing_or_wrong_give_401_on_every_route() {
    let stage = Stage::telephony().await;
    for prefix in PREFIXES {
        for route in ROUTES {
            // So that these are not yet too many.
            stage.wait_seconds(60);
            let request = || stage.request(Method::POST, &format!("{prefix}/{route}")).body("{}");
            for request in [
                request(),
                request().basic_auth(CONNECTOR.0, Some("wrong")),
                request().basic_auth(CONNECTOR.0, None::<&str>),
                request().basic_auth("nobody", Some(CONNECTOR.1)),
                request().bearer_auth(CONNECTOR.1),
                request().header("authorization", "Basic !"),
            ] {
                let reply = Reply::of(request).await;
                assert!(reply.error(401).starts_with("credentials: "));
                assert!(reply.header("www-authenticate").starts_with("Basic "));
            }
            // Else there would soon have been too many from one address.
            stage.wait_seconds(60);
        }
    }
}

#[actix_web::test]
async fn a_client_of_another_contact_center_gets_403() {
    let stage = Stage::telephony().await;
    let (id, secret) = RESTRICTED;
    let send = |body: serde_json::Value| {
        let request = stage.request(Method::POST, "/voice/v1/createVoiceCall");
        Reply::of(request.basic_auth(id, Some(secret)).body(body.to_string()))
    };
    let reply = send(create("wxcc_1")).await;
    assert!(reply.error(403).contains(CENTER));
    assert_eq!(stage.org.requests().len(), 0);
    // A name that nobody configured is no secret to be found out by this client either.
    send(with(create("wxcc_1"), json!({ "callCenterDevName": "Nowhere" }))).await.error(403);
    send(with(create("wxcc_1"), json!({ "callCenterDevName": "Sandbox" }))).await.data();
}

#[actix_web::test]
async fn every_route_is_there_under_both_prefixes_and_ignores_the_query() {
    let stage = Stage::telephony().await;
    for prefix in PREFIXES {
        for route in ROUTES {
            let reply = Reply::of(stage.connector(&format!("{prefix}/{route}?any=thing")).body("{}")).await;
            let errors = reply.errors(400);
            assert_eq!(errors[0], "callCenterDevName: missing or empty", "{prefix}/{route}");
        }
    }
}

#[actix_web::test]
async fn other_paths_give_404_and_other_methods_405_in_the_same_shape() {
    let stage = Stage::telephony().await;
    for path in [
        "/",
        "/voice/v1",
        "/voice/v1/createvoicecall",
        "/voice/v2/createVoiceCall",
        "/metrics",
        "/4693150217",
    ] {
        let reply = Reply::of(stage.connector(path)).await;
        assert!(reply.error(404).starts_with("path: "), "{path}");
    }
    for method in [Method::GET, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS] {
        let reply = Reply::of(stage.request(method.clone(), "/voice/v1/createVoiceCall")).await;
        assert!(reply.error(405).starts_with("method: "), "{method}");
        assert_eq!(reply.header("allow"), "POST");
    }
}

#[actix_web::test]
async fn a_probe_takes_get_and_head_only_and_says_so_in_the_same_shape() {
    let stage = Stage::telephony().await;
    for path in ["/livez", "/readyz"] {
        let reply = Reply::of(stage.connector(path)).await;
        assert_eq!(reply.error(405), "method: this path takes GET, HEAD only", "{path}");
        assert_eq!(reply.header("allow"), "GET, HEAD");
    }
}

#[actix_web::test]
async fn a_body_over_64_kib_gives_413() {
    let stage = Stage::telephony().await;
    let small = create("wxcc_1").to_string();
    let body = |length: usize| format!("{small}{}", " ".repeat(length - small.len()));
    stage.post("createVoiceCall", body(64 * 1024)).await.data();
    let reply = stage.post("createVoiceCall", body(64 * 1024 + 1)).await;
    assert_eq!(reply.error(413), "body: longer than 64 KiB");
    assert_eq!(stage.org.requests().len(), 1);
}

#[actix_web::test]
async fn a_body_over_64_kib_without_a_length_gives_413_too() {
    let stage = Stage::telephony().await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    let answer =
        exchange(&stage.public, &head("transfer-encoding: chunked", &format!("{chunk}1\r\nx\r\n0\r\n\r\n")))
            .await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.ends_with(r#"{"data":null,"errors":["body: longer than 64 KiB"],"success":false}"#),
        "{answer}"
    );
}

#[actix_web::test]
async fn a_chunked_body_is_as_good_as_any() {
    let stage = Stage::telephony().await;
    let body = create("wxcc_1").to_string();
    let (front, back) = body.split_at(17);
    let chunks = format!("11\r\n{front}\r\n{:x}\r\n{back}\r\n0\r\n\r\n", back.len());
    let answer = exchange(&stage.public, &head("transfer-encoding: chunked", &chunks)).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
}

#[actix_web::test]
async fn a_body_that_does_not_come_gives_504_at_the_deadline() {
    let stage = Plan::telephony().deadline("150ms").start().await;
    let answer = exchange(&stage.public, &head("content-length: 100", "{\"callCenterDevName\":")).await;
    assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    assert!(answer.contains("body: did not arrive before the deadline"), "{answer}");
}

/// A createVoiceCall by hand, on a connection that is closed after it.
fn head(header: &str, body: &str) -> Vec<u8> {
    // "webex-flow:s3cret-of-the-flow"
    let credentials = "d2ViZXgtZmxvdzpzM2NyZXQtb2YtdGhlLWZsb3c=";
    format!(
        "POST /voice/v1/createVoiceCall HTTP/1.1\r\nhost: bridge\r\nconnection: close\r\nauthorization: Basic {credentials}\r\n\
         content-type: application/json\r\n{header}\r\n\r\n{body}"
    )
    .into_bytes()
}

#[actix_web::test]
async fn a_body_that_is_not_json_by_its_content_type_gives_415() {
    let stage = Stage::telephony().await;
    for kind in ["text/plain", "application/xml", "application/x-www-form-urlencoded"] {
        let request = stage.connector("/voice/v1/createVoiceCall").header("content-type", kind);
        let reply = Reply::of(request.body(create("wxcc_1").to_string())).await;
        assert_eq!(reply.error(415), "content type: expected application/json", "{kind}");
    }
}

#[actix_web::test]
async fn json_by_content_type_is_taken_in_every_spelling() {
    let stage = Stage::telephony().await;
    let kinds: [&[&str]; 5] = [
        &["Application/JSON"],
        &["application/json;charset=UTF-8"],
        &["application/json, Application/JSON"],
        &["application/json", "application/json"],
        &[],
    ];
    for kinds in kinds {
        let mut request = stage.connector("/voice/v1/createVoiceCall");
        for kind in kinds {
            request = request.header("content-type", *kind);
        }
        Reply::of(request.body(create("wxcc_1").to_string())).await.data();
    }
}
