//! What a flow names goes to Salesforce as one segment of a path or as text of a body, and never as anything else.

use scv_bridge::mock::Operation;
use serde_json::json;

use crate::stage::{Plan, Reply, Stage, answer_each, create, omni_flow, reference, with};

/// Names that mean something in a path, a header or a log line, and how each must be spelled in a path.
const NAMES: [(&str, &str); 12] = [
    ("wxcc_a/../../b", "wxcc_a%2F..%2F..%2Fb"),
    ("../voiceCalls", "..%2FvoiceCalls"),
    ("...", "..."),
    ("wxcc_%2f..%2F", "wxcc_%252f..%252F"),
    ("wxcc_?a=1#b", "wxcc_%3Fa%3D1%23b"),
    ("wxcc_a%0d%0aX-Evil: 1", "wxcc_a%250d%250aX-Evil%3A%201"),
    ("wxcc_a\\..\\b", "wxcc_a%5C..%5Cb"),
    ("wxcc_;a=b", "wxcc_%3Ba%3Db"),
    ("wxcc_@evil.example:80", "wxcc_%40evil.example%3A80"),
    ("wxcc_\u{fc}\u{202e}\u{ff0f}", "wxcc_%C3%BC%E2%80%AE%EF%BC%8F"),
    ("//evil.example/", "%2F%2Fevil.example%2F"),
    ("%2e%2e", "%252e%252e"),
];

#[actix_web::test]
async fn a_name_is_one_segment_of_the_path_whatever_it_holds() {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    let (address, mut seen) = answer_each(answer).await;
    let stage = Plan::telephony().salesforce_at(format!("http://{address}/telephony/v1")).start().await;
    for (name, segment) in NAMES {
        stage.post("executeOmniFlow", omni_flow(name)).await;
        let request = seen.recv().await.unwrap();
        let line = request.lines().next().unwrap();
        assert_eq!(line, format!("PATCH /telephony/v1/voiceCalls/{segment}/omniFlow HTTP/1.1"), "{name}");
        let provider: Vec<_> =
            request.lines().filter(|line| line.starts_with("telephony-provider-name: ")).collect();
        assert_eq!(provider, ["telephony-provider-name: webex-contact-center"]);
        assert!(!request.to_ascii_lowercase().contains("\r\nx-evil"), "{request}");
    }
}

#[actix_web::test]
async fn dots_alone_and_line_breaks_never_leave_the_bridge() {
    for stage in Stage::both().await {
        for name in [".", "..", "a\r\nX-Evil: 1", "a\u{0}b", "a\u{85}b"] {
            for route in ["executeOmniFlow", "clearRouting", "updateVoiceCall"] {
                let body = with(reference(name), json!({ "dialedNumber": "+18005550100" }));
                stage.post(route, body).await.errors(400);
            }
        }
        assert_eq!(stage.org.requests().len(), 0);
    }
}

#[actix_web::test]
async fn what_a_request_says_of_its_host_or_headers_does_not_reach_salesforce() {
    let stage = Stage::telephony().await;
    let request = stage
        .flow("createVoiceCall", create("wxcc_1"))
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("telephony-provider-name", "evil")
        .header("x-http-method-override", "DELETE");
    Reply::of(request).await.data();
    let asked = stage.asked_once(Operation::Create);
    assert!(!format!("{asked:?}").contains("evil"), "{asked:?}");
}
