//! The log: one line a request, with the fields that docs/logging.md names.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use scv_bridge::mock::{BadDay, Operation};
use serde_json::{Value, json};

use super::flow::{ANI, create};
use super::site::{SECRET, Site};

fn lines(said: &str) -> Vec<Value> {
    said.lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect()
}

fn access_lines(said: &str) -> Vec<Value> {
    lines(said).into_iter().filter(|line| line["message"] == "request").collect()
}

/// The line with these words.
fn line<'a>(lines: &'a [Value], words: &str) -> &'a Value {
    let is_it = |line: &&Value| line["message"].as_str().is_some_and(|message| message.starts_with(words));
    lines.iter().find(is_it).unwrap_or(&Value::Null)
}

const CENTER: &str = "WxCCContactCenterSCV";
const GONE: BadDay = BadDay::Unavailable { retry_after: None };

/// The signature of a webhook.
fn sign(secret: &str, body: &str) -> String {
    let key = PKey::hmac(secret.as_bytes()).unwrap();
    let signed = Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(body.as_bytes());
    signed.unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The body of a phoneContactEnded.
fn ended(key: &str) -> Value {
    json!({ "callCenterDevName": CENTER, "vendorCallKey": key, "endTime": "2026-11-21T10:01:00Z" })
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
        ["INFO", "clearRouting", "webex-flow", 401, "unauthorized"],
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
            "client",
            "status",
            "outcome",
            "milliseconds",
            "address",
            "error"
        ]
    );
    assert_eq!(
        names(&lines[4]),
        ["timestamp", "level", "message", "request_id", "path", "status", "milliseconds"]
    );
}

#[actix_web::test]
async fn all_lines_of_a_call_are_found_by_its_key_those_of_the_worker_and_of_salesforce_too() {
    let site = Site::open().await;
    let mut service = site.serve(&[]).await;
    let flow = service.flow();
    let (_, created) = flow.create("wxcc_1").await;
    for operation in [Operation::ClearRouting, Operation::Update] {
        site.org.script(GONE.on(operation));
    }
    assert_eq!(flow.post("phoneContactEnded", &ended("wxcc_1")).await.1["data"]["status"], "pending");
    let mut heard = Vec::new();
    for _ in 0..2 {
        heard.push(service.program.line_with("delivered from the outbox").await);
    }
    let id = &created["data"]["voiceCallId"];
    let body = json!({ "callCenterDevName": CENTER, "voiceCallId": id });
    assert_eq!(flow.post("clearRouting", &body).await.0, 200);
    let (_, said) = service.stop().await;
    let all = lines(&said);
    let about = |line: &&Value| line["level"] != "INFO" || line["message"] != "ready";
    let of_call = |line: &Value| line["vendor_call_key"] == "wxcc_1" && line["call_center"] == CENTER;
    let strange: Vec<&Value> =
        all.iter().filter(about).filter(|line| !of_call(line) && line.get("entry").is_some()).collect();
    assert!(strange.is_empty(), "{strange:?}");
    let kept: Vec<&Value> =
        all.iter().filter(|line| line["message"] == "Salesforce did not take it; kept for later").collect();
    let request = access_lines(&said).into_iter().find(|line| line["route"] == "phoneContactEnded").unwrap();
    assert_eq!(request["outcome"], "pending");
    assert_eq!(kept.len(), 2, "{said}");
    for (line, kind) in kept.iter().zip(["clear", "update"]) {
        assert!(of_call(line) && line["request_id"] == request["request_id"], "{line}");
        assert_eq!((&line["kind"], &line["level"]), (&json!(kind), &json!("WARN")));
        assert!(line["entry"].is_u64() && line["attempts"].is_u64(), "{line}");
    }
    let delivered: Vec<&Value> =
        all.iter().filter(|line| line["message"] == "delivered from the outbox").collect();
    assert_eq!(delivered.len(), 2, "{heard:?}");
    assert!(delivered.iter().all(|line| of_call(line) && line.get("request_id").is_none()), "{delivered:?}");
    let by_id = access_lines(&said).into_iter().find(|line| line["route"] == "clearRouting").unwrap();
    assert!(of_call(&by_id), "a flow that names the VoiceCall only: {by_id}");
}

#[actix_web::test]
async fn what_webex_says_of_a_call_is_told_with_the_call_and_with_what_still_waits() {
    const SECRET: &str = "s3cret-of-the-subscription-32chars";
    let site = Site::open().await;
    let section = format!("[webex]\nwebhook_secrets = [\"{SECRET}\"]\ngrace = \"0s\"\n");
    site.write("bridge.toml", site.configuration() + &section);
    let mut service = site.serve(&[]).await;
    let flow = service.flow();
    for task in ["done", "late"] {
        flow.create(&format!("wxcc_{task}")).await;
        if task == "late" {
            for operation in [Operation::ClearRouting, Operation::Update] {
                site.org.script(GONE.on(operation));
            }
        }
        for (kind, second) in [("task:new", 0), ("task:ended", 30)] {
            let event = json!({
                "id": format!("{kind}-{task}"),
                "specversion": "1.0",
                "type": kind,
                "source": "/com/cisco/wxcc/a1b2c3d4",
                "comciscoorgid": "f2b1d1f0-1111-4222-8333-444455556666",
                "datacontenttype": "application/json",
                "data": {
                    "createdTime": 1_795_255_200_000_i64 + second * 1000,
                    "taskId": task,
                    "direction": "INBOUND",
                    "channelType": "telephony",
                },
            });
            assert_eq!(flow.webhook(&event, &sign(SECRET, &event.to_string())).await.0, 200);
        }
        let concluded = format!("a call has ended\",\"task\":\"{task}\"");
        service.program.line_with(&concluded).await;
    }
    let (_, said) = service.stop().await;
    let all = lines(&said);
    let concluded: Vec<_> = all
        .iter()
        .filter(|line| line["message"] == "Webex says that a call has ended")
        // A second look finds nothing more to do.
        .filter(|line| line["conclusion"] != "duplicate")
        .map(|line| {
            json!([line["vendor_call_key"], line["call_center"], line["conclusion"], line["pending"]])
        })
        .collect();
    let expected =
        json!([["wxcc_done", CENTER, "abandoned", null], ["wxcc_late", CENTER, "abandoned", true]]);
    assert_eq!(Value::from(concluded), expected, "{said}");
    let kept = line(&all, "Salesforce did not take it");
    assert_eq!((&kept["vendor_call_key"], &kept["call_center"]), (&json!("wxcc_late"), &json!(CENTER)));
}

#[actix_web::test]
async fn what_salesforce_does_not_answer_is_told_with_the_call_and_a_pause_in_numbers() {
    let site = Site::open().await;
    let service = site.serve(&[("SCV_BRIDGE__BREAKER__FAILURES", "1")]).await;
    site.org.script(BadDay::DropConnection { after_work: false }.on(Operation::Create));
    service.flow().create("wxcc_1").await;
    let (_, said) = service.stop().await;
    let (all, request) = (lines(&said), access_lines(&said).remove(0));
    for words in ["no answer from Salesforce", "Salesforce fails or is slow"] {
        let line = line(&all, words);
        for field in ["request_id", "call_center", "vendor_call_key"] {
            assert_eq!(line[field], request[field], "{field} of {line}");
        }
    }
    assert!(line(&all, "Salesforce fails or is slow")["milliseconds"].is_u64(), "{said}");
}

#[actix_web::test]
async fn a_first_refusal_that_buries_is_an_error_with_the_request_and_the_call() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let flow = service.flow();
    let id = flow.create("wxcc_1").await.1["data"]["voiceCallId"].clone();
    let refusal = BadDay::Status { status: 422, body: json!({ "code": "PERM_MISSING" }) };
    site.org.script(refusal.on(Operation::Update));
    let update = json!({ "callCenterDevName": CENTER, "voiceCallId": id, "isActiveCall": true });
    assert_eq!(flow.post("updateVoiceCall", &update).await.0, 422);
    let (_, said) = service.stop().await;
    let all = lines(&said);
    let buried = line(&all, "buried");
    assert_eq!((&buried["level"], &buried["kind"]), (&json!("ERROR"), &json!("update")), "{said}");
    assert_eq!(buried["vendor_call_key"], "wxcc_1");
    assert_eq!(buried["request_id"], access_lines(&said)[1]["request_id"]);
    assert!(buried["words"].as_str().unwrap().contains("PERM_MISSING"));
}

#[actix_web::test]
async fn a_refused_login_names_the_client_if_there_is_one_and_the_address() {
    let site = Site::open().await;
    let service = site.serve(&[]).await;
    let flow = service.flow();
    for id in ["webex-flow", "a-secret-in-the-wrong-place"] {
        let refused = flow.with_credentials("/voice/v1/clearRouting", "{}".into(), id, "wrong").await;
        assert_eq!(refused.0, 401);
    }
    let form = "grant_type=client_credentials&client_id=webex-flow&client_secret=wrong".to_owned();
    flow.send("/oauth2/token", "application/x-www-form-urlencoded", form).await;
    let metrics = service.text("/metrics").await;
    for (way, count) in [("basic", 2), ("token_endpoint", 1)] {
        let line = format!("scv_bridge_failed_logins_total{{way=\"{way}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line}");
    }
    let (_, said) = service.stop().await;
    let named: Vec<_> =
        access_lines(&said).iter().map(|line| json!([line["client"], line["address"]])).collect();
    let expected = ["webex-flow", "(unknown)", "webex-flow"].map(|client| json!([client, "127.0.0.1"]));
    assert_eq!(named, expected);
    assert!(!said.contains("a-secret-in"));
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
    site.org.script(BadDay::DropConnection { after_work: false }.on(Operation::Create));
    service.flow().create("wxcc_2").await;
    let (_, said) = service.stop().await;
    let line = said.lines().find(|line| line.contains("INFO request ")).expect("a line in text");
    for part in
        ["route=\"createVoiceCall\"", "client=\"webex-flow\"", "vendor_call_key=\"wxcc_1\"", "status=200"]
    {
        assert!(line.contains(part), "{part} in {line}");
    }
    let line = said.lines().find(|line| line.contains("no answer from Salesforce")).expect("a line of it");
    for part in ["request_id=\"", "call_center=\"WxCCContactCenterSCV\"", "vendor_call_key=\"wxcc_2\""] {
        assert!(line.matches(part).count() == 1, "{part} in {line}");
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
