//! Webhooks field by field, as the vendor documents them, in both versions.

use std::fmt::Write as _;
use std::path::PathBuf;

use proptest::prelude::*;

use super::{InvalidWebhook, Webhook, WebhookSubject};

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/webex/events");
    let mut all: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    all.sort();
    all
}

#[test]
fn every_documented_webhook_is_read_field_by_field() {
    let mut read = String::new();
    for (name, body) in fixtures() {
        let webhook = Webhook::parse(&body).unwrap();
        writeln!(read, "# {name} ({})\n{webhook:?}\n", webhook.label()).unwrap();
        assert_ne!(webhook.label(), "other", "{name}");
    }
    assert!(!read.contains("14693150217") && !read.contains("18005550100"));
    insta::assert_snapshot!(read);
}

#[test]
fn both_spellings_of_the_organisation_and_both_of_the_time_are_read() {
    for key in ["comciscoorgid", "comciscocorgid"] {
        for time in ["1795000000040", "\"1795000000040\""] {
            let body = format!(
                r#"{{"id":"1","type":"task:new","{key}":"org","comciscotimestamp":{time},"data":{{"taskId":"t"}}}}"#
            );
            let webhook = Webhook::parse(body.as_bytes()).unwrap();
            assert_eq!(webhook.org.as_deref(), Some("org"));
            assert_eq!(webhook.sent_at.unwrap().as_millisecond(), 1_795_000_000_040);
            let WebhookSubject::Task { event, .. } = webhook.about else { panic!("no task") };
            assert_eq!(event.at, webhook.sent_at, "an event without a time has that of its webhook");
        }
    }
}

#[test]
fn what_is_not_known_is_kept_and_what_is_not_telephony_is_left() {
    let about = |kind: &str, data: &str| {
        let body = format!(r#"{{"id":"1","type":"{kind}","data":{data}}}"#);
        Webhook::parse(body.as_bytes()).unwrap()
    };
    let unknown =
        about("task:teleported", r#"{"taskId":"t","createdTime":1795000000000,"deep":[{"x":[1]}]}"#);
    assert_eq!(unknown.label(), "other");
    let WebhookSubject::Task { event, .. } = unknown.about else { panic!("no task") };
    assert_eq!(event.kind.name(), "task:teleported");
    assert_eq!(
        about("task:new", r#"{"taskId":"t","channelType":"chat"}"#).about,
        WebhookSubject::OtherChannel
    );
    assert_eq!(about("agent:login", r#"{"agentId":"a"}"#).about, WebhookSubject::NoTask);
    assert_eq!(about("anything", "null").about, WebhookSubject::NoTask);
}

#[test]
fn what_is_no_webhook_is_an_error_that_does_not_quote_it() {
    let long = format!(r#"{{"id":"1","type":"task:new","data":{{"taskId":"{}"}}}}"#, "x".repeat(251));
    let deep = format!(r#"{{"id":"1","data":{}"#, "{\"a\":".repeat(60_000));
    for (body, problem) in [
        ("", InvalidWebhook::Unreadable { line: 1, column: 1 }),
        ("{\"id\":\"+14693150217\"", InvalidWebhook::Unreadable { line: 1, column: 20 }),
        (r#"{"type":"task:new"}"#, InvalidWebhook::NoId),
        (r#"{"id":"1","type":" "}"#, InvalidWebhook::NoType),
        (long.as_str(), InvalidWebhook::TaskId),
    ] {
        assert_eq!(Webhook::parse(body.as_bytes()), Err(problem), "{body}");
    }
    assert!(matches!(Webhook::parse(deep.as_bytes()), Err(InvalidWebhook::Unreadable { .. })));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = Webhook::parse(&bytes);
    }

    #[test]
    fn no_values_in_known_places_make_it_panic(
        id in ".*", kind in ".*", task in ".*", time in any::<f64>(), value in "\\PC*"
    ) {
        let body = serde_json::json!({ "id": id, "type": kind, "comciscotimestamp": value,
            "data": { "taskId": task, "createdTime": time, "reason": value, "currentState": [value] } });
        let _ = Webhook::parse(body.to_string().as_bytes());
    }
}
