//! What can happen to a call, failures included.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use scv_bridge::mock::{BadDay, MockOrg, Operation};
use serde_json::{Value, json};

use super::super::flow::{ANI, DNIS, create};
use super::super::site::Service;
use super::{CENTERS, Flow, SAID_SESSION, SAID_TOKEN, SECRET, WRONG_SECRET};

/// All of it; gives what was said outside the flow's answers.
pub async fn play(flow: &Flow, service: &Service, org: &MockOrg) -> Vec<(&'static str, String)> {
    for center in CENTERS {
        one_call(flow, center).await;
        bad_requests(flow, center).await;
        bad_days(flow, org, center).await;
    }
    bad_login(flow, org).await;
    strangers(flow).await;
    no_http(service)
}

/// Every caller hangs up, so that no call is open any more. Gives how many requests that took.
pub async fn hang_up(flow: &Flow) -> usize {
    let before = flow.count();
    for center in CENTERS {
        let bad = (0..bad_days_of_salesforce().len()).map(|number| format!("bad{number}"));
        for call in bad.chain(["stray", "login", "pending", "buried"].map(str::to_owned)) {
            let body = json!({ "vendorCallKey": key(center, &call), "from": ANI, "to": DNIS });
            let (status, answer) = flow.post("phoneContactEnded", &at(center, &body)).await;
            assert_eq!(status, 200, "{center}, {call}: {answer}");
        }
    }
    flow.count() - before
}

/// Words that hold tokens and numbers, as a text and as a body of Salesforce's errors.
pub fn words_of_salesforce() -> (String, Value) {
    let words = format!("Bearer {SAID_TOKEN} of {SAID_SESSION} may not call {ANI} or +1 (469) 555-0101");
    let said = json!([{ "message": words, "errorCode": "CANARY" }]);
    (words, said)
}

/// The key of a call: both contact centers are in one org.
pub fn key(center: &str, call: &str) -> String {
    format!("wxcc_{center}_{call}")
}

/// Every route, as it should be.
async fn one_call(flow: &Flow, center: &str) {
    let (status, created) = flow.post("createVoiceCall", &create(center, &key(center, "whole"))).await;
    assert_eq!(status, 200, "{created}");
    let id = created["data"]["voiceCallId"].clone();
    for (route, body) in [
        ("executeOmniFlow", json!({ "voiceCallId": id, "dialedNumber": DNIS, "flowDevName": "Routing" })),
        (
            "agentAnswered",
            json!({ "vendorCallKey": key(center, "whole"), "agentId": "7f0a", "queueId": "5c2e" }),
        ),
        ("updateVoiceCall", json!({ "voiceCallId": id, "isActiveCall": true, "fromNumber": ANI })),
        ("clearRouting", json!({ "voiceCallId": id })),
        (
            "phoneContactEnded",
            json!({ "vendorCallKey": key(center, "whole"), "agentId": "", "from": ANI, "to": DNIS }),
        ),
    ] {
        let (status, answer) = flow.post(route, &at(center, &body)).await;
        assert_eq!(status, 200, "{route}: {answer}");
    }
}

/// What a flow can do wrong, each with a number in it.
async fn bad_requests(flow: &Flow, center: &str) {
    for body in [
        format!("{{\"from\": \"{ANI}\" \"to\": 1}}"),
        format!("{{\"from\": {ANI}}}"),
        format!("{} stray {ANI}", create(center, &key(center, "stray"))),
        at(center, &json!({ "from": ANI.repeat(9), "startTime": ANI, "initiationMethod": DNIS })).to_string(),
        at(center, &json!({ "certDevName": ANI, "participants": DNIS, "callAttributes": ANI })).to_string(),
        create(ANI, "wxcc_nowhere").to_string(),
        ANI.repeat(10_000),
    ] {
        flow.text("/voice/v1/createVoiceCall", body).await;
    }
    let (status, _) = flow.text(&format!("/voice/v1/calls/{ANI}?from={DNIS}"), "{}".into()).await;
    assert_eq!(status, 404);
}

fn bad_days_of_salesforce() -> [BadDay; 13] {
    let (words, said) = words_of_salesforce();
    [
        BadDay::Unauthorized,
        BadDay::Forbidden { body: said.clone() },
        BadDay::Unavailable { retry_after: None },
        BadDay::NeverAnswers,
        BadDay::DropConnection { after_work: true },
        BadDay::Html { status: 502 },
        BadDay::HalfBody,
        BadDay::Garbage,
        BadDay::Status { status: 400, body: said },
        BadDay::Status { status: 500, body: json!(words) },
        BadDay::Body { body: json!({ "errors": words }) },
        BadDay::Complaint { errors: json!([words]) },
        BadDay::HugeBody { bytes: 200_000 },
    ]
}

/// What Salesforce can do wrong.
async fn bad_days(flow: &Flow, org: &MockOrg, center: &str) {
    for (number, day) in bad_days_of_salesforce().into_iter().enumerate() {
        // A token that was refused is renewed, and the request sent once more.
        let refuses_us = matches!(day, BadDay::Unauthorized | BadDay::Forbidden { .. });
        org.script(day.times(if refuses_us { 2 } else { 1 }).on(Operation::Create));
        flow.post("createVoiceCall", &create(center, &key(center, &format!("bad{number}")))).await;
    }
}

/// The session is over, and the login refused.
async fn bad_login(flow: &Flow, org: &MockOrg) {
    let (_, said) = words_of_salesforce();
    org.revoke_sessions();
    org.script(BadDay::Status { status: 400, body: said }.on(Operation::Token));
    let (status, _) = flow.post("createVoiceCall", &create("Sandbox", &key("Sandbox", "login"))).await;
    assert_eq!(status, 424);
}

/// Who is not let in.
async fn strangers(flow: &Flow) {
    let body = create("WxCCContactCenterSCV", "wxcc_stranger").to_string();
    let path = "/voice/v1/createVoiceCall";
    for (id, secret) in [("webex-flow", WRONG_SECRET), (WRONG_SECRET, SECRET), (ANI, SECRET)] {
        let (status, _) = flow.with_credentials(path, body.clone(), id, secret).await;
        assert_eq!(status, 401);
    }
    assert_eq!(flow.with_bearer(path, SAID_TOKEN).await.0, 401);
}

/// What is not quite HTTP, and so reaches no route.
fn no_http(service: &Service) -> Vec<(&'static str, String)> {
    let heads = [
        format!("{SECRET} {ANI}\r\n\r\n"),
        format!("POST /{ANI} HTTP/9.9\r\nAuthorization: Basic {SECRET}\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\nAuthorization {SECRET}\r\nContent-Length: {ANI}x\r\n\r\n"),
        format!("POST / HTTP/1.1\r\nHost: x\r\nX-Number: {}\r\n\r\n", ANI.repeat(20_000)),
    ];
    let answer = |head: &String| {
        let mut connection = TcpStream::connect(service.public).unwrap();
        let mut answer = Vec::new();
        // The bridge may hang up before all is written or read; what it said until then counts.
        let _ = connection.write_all(head.as_bytes());
        let _ = connection.shutdown(Shutdown::Write);
        let _ = connection.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    heads.iter().map(|head| ("an answer to what is no HTTP", answer(head))).collect()
}

fn at(center: &str, fields: &Value) -> Value {
    let mut body = fields.clone();
    body["callCenterDevName"] = center.into();
    body
}
