//! The document against the code that reads bodies and answers, and against the documents of the sources.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use super::super::body::ASKED;
use super::super::{ApiError, rehearse};
use super::*;
use crate::certificate::issue;
use crate::clock::{Clock as _, ManualClock};
use crate::settings::{Settings, Source};

fn written() -> Value {
    serde_json::to_value(document(SAMPLE_URL)).unwrap()
}

fn file(name: &str) -> String {
    fs::read_to_string(format!("{}/docs/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// `UPDATE=1` writes it.
#[test]
fn the_document_of_the_sources_is_that_of_the_code() {
    let text = serde_json::to_string_pretty(&written()).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::write(format!("{}/docs/openapi.json", env!("CARGO_MANIFEST_DIR")), &text).unwrap();
    }
    assert!(file("openapi.json") == text, "docs/openapi.json is old: UPDATE=1 cargo test --lib openapi");
}

/// A contact center on the telephony way, made once.
fn settings() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(|| {
        let (folder, clock) =
            (tempfile::tempdir().unwrap(), ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap()));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let pair = issue("WebexCCSCV", 2048, 20, clock.now()).unwrap();
        let toml = r#"
            [[clients]]
            id = "webex-flow"
            secret_sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
            call_centers = ["*"]
            [certificates.WebexCCSCV]
            certificate = "DIR/crt"
            private_key = "DIR/key"
            [call_centers.WxCCContactCenterSCV]
            certificate = "WebexCCSCV"
            api = "telephony"
            org_id = "00D5g000007AbCdEAK"
            telephony_url = "https://acme.my.salesforce-scrt.com/telephony/v1"
        "#;
        let toml = toml.replace("DIR", &folder.path().display().to_string());
        let write = |name: &str, content: &[u8]| fs::write(folder.path().join(name), content).unwrap();
        write("key", &pair.key_pem);
        write("crt", &pair.certificate_pem);
        write("bridge.toml", toml.as_bytes());
        let file = Some(folder.path().join("bridge.toml"));
        Settings::load(&Source { file, environment: Vec::new() }, &clock).unwrap()
    })
}

#[test]
fn every_example_of_a_request_is_read_without_a_problem() {
    for body in &BODIES {
        let Value::Object(fields) = examples::request(body.route) else { panic!("no object") };
        assert_eq!(read(body, fields).0, Vec::<String>::new(), "{}", body.schema);
    }
}

/// What a body of these fields is told, and which fields were asked for.
fn read(body: &Body, fields: Map<String, Value>) -> (Vec<String>, BTreeSet<String>) {
    let settings = settings();
    let client = settings.clients.first().unwrap();
    ASKED.take();
    let bytes = Value::Object(fields).to_string();
    let now = "2026-11-21T10:00:00Z".parse().unwrap();
    let problems = match rehearse(body.route, bytes.as_bytes(), settings, client, now) {
        Err(ApiError::Invalid(problems)) => problems,
        Err(error) => panic!("{error:?}"),
        Ok(()) => Vec::new(),
    };
    (problems, ASKED.take())
}

/// Fields that are read only to be dropped, and those of objects in the body.
const UNTOLD: [&str; 5] = ["callCenterApiName", "value", "isError", "participantKey", "type"];

#[test]
fn the_fields_of_each_body_are_those_that_its_route_reads() {
    for body in &BODIES {
        let (_, asked) = read(body, Map::new());
        let told: BTreeSet<String> = body.fields.iter().map(|field| field.0.to_owned()).collect();
        let asked: BTreeSet<String> =
            asked.into_iter().filter(|name| !UNTOLD.contains(&name.as_str())).collect();
        // A create drops the voiceCallId of a flow that has one body for all its requests.
        let dropped =
            if body.schema == "CreateVoiceCall" { vec!["voiceCallId".to_owned()] } else { Vec::new() };
        assert_eq!(
            told,
            asked.into_iter().filter(|name| !dropped.contains(name)).collect(),
            "{}",
            body.schema
        );
    }
}

#[test]
fn a_value_that_no_field_takes_is_a_problem_of_each() {
    for body in &BODIES {
        for (name, ..) in body.fields {
            let (problems, _) = read(body, Map::from_iter([((*name).to_owned(), json!([[1]]))]));
            let named = problems.iter().any(|problem| problem.starts_with(name));
            assert!(named, "{} {name}: {problems:?}", body.schema);
        }
    }
}

#[test]
fn the_statuses_are_those_of_the_table_of_errors() {
    let document = written();
    let rows = file("errors.md");
    let table = rows.lines().filter_map(|line| line.strip_prefix("| "));
    let told: BTreeSet<String> = table
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|cell| cell.split(", "))
        .filter(|cell| cell.len() == 3 && cell.bytes().all(|byte| byte.is_ascii_digit()))
        .map(str::to_owned)
        .collect();
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.values().flat_map(|item| item.as_object().unwrap().values());
    let mut answered: BTreeSet<String> = operations
        .filter_map(|operation| operation.get("responses")?.as_object())
        .flat_map(|responses| responses.keys().cloned())
        .collect();
    // Other methods belong to no operation, and a fault of the bridge to no table.
    assert!(answered.remove("500"));
    answered.insert("405".to_owned());
    assert_eq!(answered, told);
}

#[test]
fn every_reference_leads_somewhere() {
    fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = written();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(!found.is_empty());
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
}

#[test]
fn the_outcomes_of_a_hang_up_are_those_of_the_decision() {
    use crate::domain::{AbandonmentStage, HangUpDecision};
    let all = [
        HangUpDecision::Abandoned { stage: AbandonmentStage::Unknown },
        HangUpDecision::Answered,
        HangUpDecision::Callback,
        HangUpDecision::Duplicate,
    ];
    assert_eq!(all.map(HangUpDecision::label), schemas::OUTCOMES);
}

#[test]
fn the_page_has_every_operation_and_no_script() {
    let document = written();
    let page = page::render(&document);
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(page.contains(path), "{path}");
        for operation in item.as_object().unwrap().values() {
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                assert!(page.contains(&format!("id=\"{id}\"")), "{id}");
            }
        }
    }
    for word in ["<script", "javascript:", "style=\"", "http://"] {
        assert!(!page.contains(word), "{word}");
    }
    let hostile = json!({ "info": { "title": "<img src=x onerror=alert(1)>" }, "tags": [] });
    assert!(!page::render(&hostile).contains("<img"));
}
