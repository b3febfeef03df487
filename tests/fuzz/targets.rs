//! What is fuzzed: one function for each target, used by the bounded run of `cargo test --test fuzz` and by libFuzzer
//! (`make fuzz`). To add one: the function, its line in [`TARGETS`], and at least one file in `tests/fuzz/corpus/NAME`.
//!
//! A target fails by a panic: one of the code's own, or an assertion here about what must hold for any input.

use std::hint::black_box;

use actix_web::body::{BodySize, MessageBody as _};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use scv_bridge::api::{Peer, Route, rehearse, rehearse_token};
use scv_bridge::domain::{PickedValues as Picked, ValuePath};
use scv_bridge::phone::{Translation, mask};
use scv_bridge::salesforce::{HttpAnswer as Answer, Operation, SalesforceApi as Way, judge};
use scv_bridge::webex::Webhook;

use super::flows;
use super::installation::{Installation, NOW};

/// One input through one reader.
pub type Target = fn(&Installation, &[u8]);

/// All of them. The name is the folder of the corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("create_voice_call", |on, body| request_body(on, Route::CreateVoiceCall, body)),
    ("update_voice_call", |on, body| request_body(on, Route::UpdateVoiceCall, body)),
    ("execute_omni_flow", |on, body| request_body(on, Route::ExecuteOmniFlow, body)),
    ("clear_routing", |on, body| request_body(on, Route::ClearRouting, body)),
    ("phone_contact_ended", |on, body| request_body(on, Route::PhoneContactEnded, body)),
    ("agent_answered", |on, body| request_body(on, Route::AgentAnswered, body)),
    ("basic_header", basic_header),
    ("token_request", token_request),
    ("webhook", webhook),
    ("translation_rules", translation_rules),
    ("phone_number", phone_number),
    ("configuration", configuration),
    ("salesforce_answer", salesforce_answer),
    ("flow_export", |_, export| flows::flow_export(export)),
    ("flow_expression", |_, lines| flows::flow_expression(lines)),
    ("flow_path", |_, lines| flows::flow_path(lines)),
    ("flow_rules", |_, flow| flows::flow_rules(flow)),
];

/// The most that reaches a reader of bodies.
const BODY_LIMIT: usize = 64 * 1024;
/// What an error body may have at most: flows copy it into a variable that agents see.
const ERROR_LIMIT: u64 = 1024;

/// A body of a voice route. An error is an answer that fits, and is no fault of ours.
fn request_body(on: &Installation, route: Route, body: &[u8]) {
    let body = body.get(..BODY_LIMIT).unwrap_or(body);
    if let Err(error) = rehearse(route, body, &on.settings, &on.settings.clients[0], NOW) {
        let answer = error.response();
        assert!(answer.status().is_client_error(), "{error:?}");
        let BodySize::Sized(size) = answer.body().size() else { panic!("a body without a length") };
        assert!(size <= ERROR_LIMIT, "{size} bytes for {error:?}");
    }
}

/// The header `Authorization`. Only the right credentials open.
fn basic_header(on: &Installation, header: &[u8]) {
    // Anything else does not get through the server's reader of heads.
    let Ok(value) = HeaderValue::from_bytes(header) else { return };
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value);
    let peer = Peer { address: None, headers: &headers, names: &[] };
    let known = on.callers.identify(&peer, NOW).is_ok();
    assert!(!known || header.windows(5).any(|word| word.eq_ignore_ascii_case(b"basic")));
}

/// A body of the token endpoint, as a form and as JSON. Nobody guesses a secret.
fn token_request(on: &Installation, body: &[u8]) {
    for kind in ["application/x-www-form-urlencoded", "application/json"] {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        let peer = Peer { address: None, headers: &headers, names: &[] };
        let error = rehearse_token(&on.callers, peer, body, NOW).unwrap_err();
        let answer = error.response();
        assert!(answer.status().is_client_error() || answer.status() == 503, "{error:?}");
    }
}

/// The body of a webhook, its signature being right.
fn webhook(_: &Installation, body: &[u8]) {
    let body = body.get(..BODY_LIMIT).unwrap_or(body);
    match Webhook::parse(body) {
        Ok(webhook) => {
            assert!(!webhook.label().is_empty());
            let paths = ["data.queueId", "data.a.0.b", "reason"].map(|path| ValuePath::parse(path).unwrap());
            let told = Webhook::data(body).map(|data| Picked::by_webhook(&data, paths.iter(), 255));
            assert!(told.is_none_or(|told| told.arrived().len() <= 100));
        }
        Err(problem) => assert!(problem.to_string().len() < 200, "{problem}"),
    }
}

/// Rules on all lines but the last, a number on the last.
fn translation_rules(_: &Installation, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (rules, number) = text.rsplit_once('\n').unwrap_or((&text, "+14695550101"));
    match Translation::parse(rules) {
        Ok(rules) => translate(&rules, number),
        Err(problems) => assert!(!problems.is_empty()),
    }
}

/// A number through the rules of the installation.
fn phone_number(on: &Installation, input: &[u8]) {
    let number = String::from_utf8_lossy(input);
    let shown = mask(&number).to_string();
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    assert!(digits(&shown) == 0 || digits(&shown) + 4 <= digits(&number), "{shown}");
    for center in on.settings.call_centers.values() {
        translate(&center.translations.from, &number);
        translate(&center.translations.to, &number);
    }
}

fn translate(rules: &Translation, number: &str) {
    let translated = rules.translate(number);
    let explained = rules.explain(number).map(|explained| explained.result);
    assert_eq!(translated, explained, "explaining a rule set does not change what it does");
}

/// A configuration file: settings, or problems that say what and where.
fn configuration(on: &Installation, file: &[u8]) {
    match on.load(file) {
        Ok(settings) => drop(black_box(settings.summary(NOW))),
        Err(problems) => assert!(!problems.to_string().is_empty()),
    }
}

/// What Salesforce answers: the status in three digits, then the body.
fn salesforce_answer(_: &Installation, input: &[u8]) {
    let (status, body) = input.split_at_checked(3).unwrap_or((b"200", input));
    let status = std::str::from_utf8(status).ok().and_then(|digits| digits.parse().ok()).unwrap_or(200);
    let html = body.first() == Some(&b'<');
    let answer = Answer { status, retry_after: None, html, body: body.to_vec() };
    for operation in Operation::ALL {
        for way in [Way::Telephony, Way::Apex] {
            black_box(judge(way, operation, &answer)).into_result().map_or_else(drop, drop);
        }
    }
}
