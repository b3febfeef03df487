//! Marked secrets and phone numbers go through everything that can happen to a call; none may come out in the log.

use scv_bridge::mock::{BadDay, MockOrg, Operation};
use serde_json::{Value, json};

use super::flow::{ANI, DNIS, Flow, create};
use super::site::{CONSUMER_KEY, PASSPHRASE, PASSWORD, SECRET, SIGNING_KEY, Service, Site};

const CENTERS: [&str; 2] = ["WxCCContactCenterSCV", "Sandbox"];
/// What somebody sends who is not let in.
const WRONG_SECRET: &str = "canary-wrong-secret-Vy07";
/// What Salesforce may say of its own and of ours.
const SAID_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.canarysaid.Tn55";
const SAID_SESSION: &str = "00D000000000001!AQcanarysaid.Rk66";

#[actix_web::test]
async fn no_secret_and_no_phone_number_is_ever_logged_as_json() {
    play("json", "\"message\":\"request\"").await;
}

#[actix_web::test]
async fn no_secret_and_no_phone_number_is_ever_logged_as_text() {
    play("text", " request request_id=").await;
}

/// The whole scenario. `line` stands in every access line.
async fn play(format: &str, line: &str) {
    let site = Site::open().await;
    let service = site.serve(&everything_logged(format)).await;
    let mut sent = 0;
    for center in CENTERS {
        sent += one_call(&service.flow(), center).await;
        sent += bad_requests(&service.flow(), center).await;
        sent += bad_days(&service, &site.org, center).await;
    }
    sent += bad_login(&service, &site.org).await;
    sent += strangers(&service).await;
    let given = token_requests(&service).await;
    sent += given.len() + REFUSED_TOKENS;
    let tokens: Vec<_> = site.org.requests().into_iter().filter_map(|request| request.token).collect();
    assert!(tokens.len() > 20, "the org has seen {} tokens", tokens.len());
    let (code, said) = service.stop().await;
    assert_eq!(code, Some(0));
    assert_eq!(said.matches(line).count(), sent, "a line for every request");
    let given = given.iter().map(|token| token.trim_start_matches("scvb_").to_owned());
    for mark in marks(&site, tokens).into_iter().chain(given) {
        let found = said.lines().find(|line| line.contains(&mark));
        assert_eq!(found, None, "{format}: {mark}");
    }
}

/// The lowest level, with deadlines that do not make this test slow.
fn everything_logged(format: &str) -> Vec<(&str, &str)> {
    vec![
        ("SCV_BRIDGE__LOGS__LEVEL", "trace"),
        ("SCV_BRIDGE__LOGS__FORMAT", format),
        ("SCV_BRIDGE__DEADLINES__CREATE_VOICE_CALL", "1s"),
        ("SCV_BRIDGE__BREAKER__FAILURES", "1000"),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
    ]
}

/// Everything that may stand in no line, in the forms in which it could.
fn marks(site: &Site, tokens: Vec<String>) -> Vec<String> {
    let own = [
        SECRET,
        PASSWORD,
        SIGNING_KEY,
        WRONG_SECRET,
        CONSUMER_KEY,
        PASSPHRASE,
        SAID_TOKEN,
        SAID_SESSION,
        "canarysaid",
    ];
    let credentials = openssl::base64::encode_block(format!("webex-flow:{SECRET}").as_bytes());
    let numbers = [ANI, DNIS].map(|number| number.trim_start_matches("+1").to_owned());
    let key = site.key_pem.lines().filter(|line| !line.starts_with('-')).map(str::to_owned);
    let signatures = tokens.iter().filter_map(|token| token.rsplit(['.', '!']).next()).map(str::to_owned);
    own.map(str::to_owned)
        .into_iter()
        .chain([credentials, "PRIVATE KEY".into(), "469) 555-0101".into(), "469 555 0101".into()])
        .chain(numbers)
        .chain(key)
        .chain(signatures.collect::<Vec<_>>())
        .chain(tokens)
        .collect()
}

/// Every route, as it should be. Returns how many requests it sent, as do the others.
async fn one_call(flow: &Flow, center: &str) -> usize {
    let (status, created) = flow.post("createVoiceCall", &create(center, "wxcc_whole")).await;
    assert_eq!(status, 200, "{created}");
    let id = created["data"]["voiceCallId"].clone();
    let steps = [
        ("executeOmniFlow", json!({ "voiceCallId": id, "dialedNumber": DNIS, "flowDevName": "Routing" })),
        ("agentAnswered", json!({ "vendorCallKey": "wxcc_whole", "agentId": "7f0a", "queueId": "5c2e" })),
        ("updateVoiceCall", json!({ "voiceCallId": id, "isActiveCall": true, "fromNumber": ANI })),
        ("clearRouting", json!({ "voiceCallId": id })),
        (
            "phoneContactEnded",
            json!({ "vendorCallKey": "wxcc_whole", "agentId": "", "from": ANI, "to": DNIS }),
        ),
    ];
    for (route, body) in &steps {
        let (status, answer) = flow.post(route, &at(center, body)).await;
        assert_eq!(status, 200, "{route}: {answer}");
    }
    1 + steps.len()
}

/// What a flow can do wrong, each with a number in it.
async fn bad_requests(flow: &Flow, center: &str) -> usize {
    let bodies = [
        format!("{{\"from\": \"{ANI}\" \"to\": 1}}"),
        format!("{{\"from\": {ANI}}}"),
        format!("{} stray {ANI}", create(center, "wxcc_stray")),
        at(center, &json!({ "from": ANI.repeat(9), "startTime": ANI, "initiationMethod": DNIS })).to_string(),
        at(center, &json!({ "certDevName": ANI, "participants": DNIS, "callAttributes": ANI })).to_string(),
        create(ANI, "wxcc_nowhere").to_string(),
        ANI.repeat(10_000),
    ];
    let sent = bodies.len() + 1;
    for body in bodies {
        flow.text("/voice/v1/createVoiceCall", body).await;
    }
    let (status, _) = flow.text(&format!("/voice/v1/calls/{ANI}?from={DNIS}"), "{}".into()).await;
    assert_eq!(status, 404);
    sent
}

/// What Salesforce can do wrong, with words that hold tokens and numbers.
async fn bad_days(service: &Service, org: &MockOrg, center: &str) -> usize {
    let (words, said) = words_of_salesforce();
    let days = [
        BadDay::Unauthorized.times(2),
        BadDay::Forbidden { body: said.clone() }.times(2),
        BadDay::Unavailable { retry_after: None }.times(1),
        BadDay::NeverAnswers.times(1),
        BadDay::DropConnection { after_work: true }.times(1),
        BadDay::Html { status: 502 }.times(1),
        BadDay::HalfBody.times(1),
        BadDay::Garbage.times(1),
        BadDay::Status { status: 400, body: said.clone() }.times(1),
        BadDay::Status { status: 500, body: json!(words) }.times(1),
        BadDay::Body { body: json!({ "errors": words }) }.times(1),
        BadDay::Complaint { errors: json!([words]) }.times(1),
        BadDay::HugeBody { bytes: 200_000 }.times(1),
    ];
    let count = days.len();
    for (number, day) in days.into_iter().enumerate() {
        org.script(day.on(Operation::Create));
        let key = format!("wxcc_bad{number}");
        service.flow().post("createVoiceCall", &create(center, &key)).await;
    }
    count
}

/// The session is over, and the login refused.
async fn bad_login(service: &Service, org: &MockOrg) -> usize {
    let (_, said) = words_of_salesforce();
    org.revoke_sessions();
    org.script(BadDay::Status { status: 400, body: said }.on(Operation::Token));
    let (status, _) = service.flow().post("createVoiceCall", &create("Sandbox", "wxcc_login")).await;
    assert_eq!(status, 424);
    1
}

fn words_of_salesforce() -> (String, Value) {
    let words = format!("Bearer {SAID_TOKEN} of {SAID_SESSION} may not call {ANI} or +1 (469) 555-0101");
    let said = json!([{ "message": words, "errorCode": "CANARY" }]);
    (words, said)
}

/// How many of the requests for a token are refused.
const REFUSED_TOKENS: usize = 4;

/// Tokens that are given and refused, in every encoding. Returns those that were given.
async fn token_requests(service: &Service) -> Vec<String> {
    let form = |grant: &str, secret: &str| {
        format!(
            "{grant}&client_id=webex-flow&client_secret={secret}&username=webex%40example.com&password={PASSWORD}"
        )
    };
    let (credentials, password) = ("grant_type=client_credentials", "grant_type=password");
    let json = json!({
        "grant_type": "password", "client_id": "webex-flow", "client_secret": SECRET,
        "username": "webex@example.com", "password": PASSWORD,
    });
    let assertion = format!("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion={SAID_TOKEN}");
    let mut given = Vec::new();
    let mut refused = 0;
    for (kind, body) in [
        ("application/x-www-form-urlencoded", form(credentials, SECRET)),
        ("application/x-www-form-urlencoded", form(password, SECRET)),
        ("application/json", json.to_string()),
        ("application/x-www-form-urlencoded", form(password, WRONG_SECRET)),
        ("application/x-www-form-urlencoded", form("grant_type=none", SECRET)),
        ("application/json", json.to_string().replace('{', "{\"password\":1,")),
        ("application/x-www-form-urlencoded", assertion),
    ] {
        let url = format!("http://{}/services/oauth2/token", service.public);
        let request = reqwest::Client::new().post(url).header("content-type", kind).body(body);
        let answer = request.send().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        match answer["access_token"].as_str() {
            Some(token) => given.push(token.to_owned()),
            None => refused += 1,
        }
    }
    assert_eq!((given.len(), refused), (3, REFUSED_TOKENS));
    given
}

/// Who is not let in.
async fn strangers(service: &Service) -> usize {
    let body = create("WxCCContactCenterSCV", "wxcc_stranger").to_string();
    let path = "/voice/v1/createVoiceCall";
    let (status, _) = service.flow().with_credentials(path, body.clone(), "webex-flow", WRONG_SECRET).await;
    assert_eq!(status, 401);
    let (status, _) = service.flow().with_credentials(path, body, WRONG_SECRET, SECRET).await;
    assert_eq!(status, 401);
    let url = format!("http://{}{path}", service.public);
    let answer = reqwest::Client::new().post(url).bearer_auth(SAID_TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    3
}

fn at(center: &str, fields: &Value) -> Value {
    let mut body = fields.clone();
    body["callCenterDevName"] = center.into();
    body
}
