//! The model, read from the published exports and from small flows of our own.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};
use webex_flow::model::{
    ActivityKind, Branch, Change, Choice, Event, Exit, Flow, FlowKind, Format, NotAFlow, Prompt, Scope, diff,
    read, templates,
};

const VENDOR: &str = include_str!("../../../tests/fixtures/flows/ServiceCloudVoice_Template.json");
const ANALYZER: &str =
    include_str!("../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__AnalyzerLab_Flow.json");
const ON_CALL: &str = include_str!(
    "../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__CC_OnCall_Changer_GlobalVariable.json"
);
const STATUS: &str = include_str!(
    "../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__CC_Status_Changer_GlobalVariable.json"
);
const TEMPLATE: &str =
    include_str!("../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__flow_template.json");
const MAIN: &str =
    include_str!("../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__mainflow.json");
const SUBFLOW: &str =
    include_str!("../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__subflow.json");
const EXPORTS: [(&str, &str); 7] = [
    ("vendor", VENDOR),
    ("analyzer_lab", ANALYZER),
    ("on_call_changer", ON_CALL),
    ("status_changer", STATUS),
    ("flow_template", TEMPLATE),
    ("mainflow", MAIN),
    ("subflow", SUBFLOW),
];

/// What was read, for people.
fn outline(flow: &Flow) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} ({}, {})", flow.name, flow.kind, flow.format);
    for variable in &flow.variables {
        let default = variable.default.as_ref().map_or(0, |default| default.chars().count());
        let _ = writeln!(
            text,
            "variable {}: {} {:?}, {default} characters, viewable {}, secure {}",
            variable.name,
            variable.value_type,
            variable.scope,
            variable.is_agent_viewable,
            variable.is_secure
        );
    }
    for (name, process) in flow.processes() {
        let (activities, links) = (process.activities().len(), process.links().len());
        let _ = writeln!(text, "{name}: {activities} activities, {links} links");
        for activity in process.walk() {
            let _ = writeln!(text, "  {}: {}", activity.name, activity.kind.label());
            for template in templates(activity) {
                let line: String = template.text.replace('\n', "|").chars().take(70).collect();
                let _ = writeln!(text, "      {} = {line}", template.field);
            }
            for link in process.outgoing(&activity.id) {
                let to = process.activity(&link.to).map_or("?", |activity| &activity.name);
                let _ = writeln!(text, "    {} -> {to}", link.exit);
            }
        }
    }
    for events in &flow.events {
        for (event, entry) in &events.on_events {
            let name = events.process.activity(entry).map_or("?", |activity| &activity.name);
            let _ = writeln!(text, "on {event} ({}): {name}", event.specification_name());
        }
    }
    for activity in flow.unknowns() {
        let _ = writeln!(text, "unknown {}: {}", activity.name, activity.kind.label());
    }
    for gap in &flow.gaps {
        let _ = writeln!(text, "gap {gap}");
    }
    text
}

fn sentences(before: &Flow, after: &Flow) -> String {
    diff(before, after).iter().map(|change| format!("{change}\n")).collect()
}

#[test]
fn each_published_export_is_understood() {
    for (name, export) in EXPORTS {
        let flow = read(export).unwrap();
        insta::assert_snapshot!(name, outline(&flow));
        assert_eq!(flow.unknowns().count(), 0, "{name}");
    }
}

#[test]
fn an_export_is_the_same_as_itself() {
    for (_, export) in EXPORTS {
        let flow = read(export).unwrap();
        assert_eq!(sentences(&flow, &flow), "");
    }
}

#[test]
fn an_http_request_has_its_fields_in_both_spellings_of_numbers() {
    let flow = read(VENDOR).unwrap();
    let (_, create) = flow.activity_by_name("CreateVoiceCall").unwrap();
    let ActivityKind::HttpRequest(request) = &create.kind else { panic!("{:?}", create.kind) };
    assert_eq!((request.timeout_ms, request.retries, request.method.as_str()), (5000, 1, "POST"));
    assert_eq!(request.connector_name.as_deref(), Some("Webex Contact Center Salesforce Cloud Voice"));
    assert_eq!(request.content_type.as_deref(), Some("Application/JSON"));
    assert_eq!(request.parse_type.as_deref(), Some("JSON"));
    assert_eq!(request.outputs[0].path, "$.data.voiceCallId");
    let flow = read(MAIN).unwrap();
    let (process, person) = flow.activity_by_name("GetPersonDetails").unwrap();
    let ActivityKind::HttpRequest(request) = &person.kind else { panic!("{:?}", person.kind) };
    assert_eq!((request.timeout_ms, request.is_authenticated), (2000, false));
    assert_eq!(request.query[1], ("callingData".to_owned(), "true".to_owned()));
    assert_eq!(process.next(&person.id, &Exit::Default).unwrap().name, "RequestOutcome");
    assert!(process.error(&person.id).is_none());
}

#[test]
fn cases_menus_queues_and_subflows_have_their_fields() {
    let flow = read(MAIN).unwrap();
    let (process, outcome) = flow.activity_by_name("RequestOutcome").unwrap();
    let ActivityKind::Case { cases, .. } = &outcome.kind else { panic!("{:?}", outcome.kind) };
    assert_eq!(cases[2], Branch { exit: "2".to_owned(), value: "{{OK}}".to_owned() });
    assert_eq!(process.next(&outcome.id, &Exit::Branch("2".to_owned())).unwrap().name, "NameAndStatus");
    let (_, refresh) = flow.activity_by_name("RefreshTheToken").unwrap();
    let ActivityKind::Subflow { outputs, name, .. } = &refresh.kind else { panic!("{:?}", refresh.kind) };
    assert_eq!(
        (outputs[0].variable.as_str(), outputs[0].target.as_str()),
        ("WEBEX_ACCESS_TOKEN", "access_token")
    );
    assert_eq!(name.as_deref(), Some("webex_api_refresh_token"));
    let flow = read(VENDOR).unwrap();
    let (_, queue) = flow.activity_by_name("Queue").unwrap();
    let ActivityKind::QueueContact(queue) = &queue.kind else { panic!("{:?}", queue.kind) };
    assert!(matches!(&queue.queue, Some(Choice::Static { name: Some(name), .. }) if name == "Q_Billing_SBR"));
    let flow = read(STATUS).unwrap();
    let (_, menu) = flow.activity_by_name("menu").unwrap();
    let ActivityKind::Menu { digits, prompts, entry_timeout_seconds, .. } = &menu.kind else {
        panic!("{:?}", menu.kind)
    };
    assert_eq!((digits.len(), *entry_timeout_seconds), (5, Some(3)));
    assert!(matches!(prompts.as_slice(), [Prompt::Text(text)] if text.contains("press 4")));
    assert_eq!(read(SUBFLOW).unwrap().kind, FlowKind::Subflow);
    assert_eq!(read(SUBFLOW).unwrap().variable("access_token").unwrap().scope, Scope::Output);
}

#[test]
fn events_are_found_by_any_of_their_names() {
    for (event, names) in [
        (Event::NewPhoneContact, vec!["NewPhoneContact", "NewContact", "ContactStartWorkflow"]),
        (Event::AgentOffered, vec!["AgentOffered", "AgentOfferContact"]),
        (Event::AgentAnswered, vec!["AgentAnswered", "AgentAccepted", "AgentContactAssigned"]),
        (Event::AgentDisconnected, vec!["AgentDisconnected", "FCAsk(ContactLastAgentRemoved)"]),
        (Event::PhoneContactEnded, vec!["PhoneContactEnded", "ContactEnded"]),
        (Event::OnGlobalError, vec!["OnGlobalError", "GlobalErrorHandling"]),
        (Event::PreDial, vec!["PreDial", "ContactPredial"]),
        (Event::CallbackFailed, vec!["CallbackFailed", "ContactCallbackFailed"]),
        (Event::Other("Something".to_owned()), vec!["Something"]),
    ] {
        for name in names {
            assert_eq!(Event::from_name(name), event);
        }
        assert_eq!(Event::from_name(event.ui_name()), event);
        assert_eq!(Event::from_name(event.specification_name()), event);
    }
    let flow = read(VENDOR).unwrap();
    assert_eq!(flow.on_event(&Event::PhoneContactEnded).unwrap().1.name, "ContactEnded");
    assert!(flow.on_event(&Event::ContactReservationStarted).is_none());
}

/// A flow of FlowV2 with one of each activity that no published export has.
fn flow_v2() -> Value {
    let node = |id: &str, activity: &str, properties: Value| {
        let mut properties = properties;
        if let Some(properties) = properties.as_object_mut() {
            properties.insert("activityName".to_owned(), json!(activity));
        }
        json!({"id": id, "name": format!("{activity} {id}"), "activityType": "action", "properties": properties})
    };
    let nodes = vec![
        json!({"id": "s", "name": "NewPhoneContact", "activityType": "start", "group": "start",
            "properties": {"activityName": "start", "flowType": {"eventSpecificationName": "ContactStartWorkflow"}}}),
        node("q", "queue-contact", json!({"queueId": "{{queue}}"})),
        node("c", "case-statement", json!({"expression": "{{x}}"})),
        node(
            "m",
            "ivr-menu",
            json!({"toggle": true, "promptsTts": [{"type": "tts", "value": "Press 1", "name": "Press 1"}],
            "menuOptions": [{"digit": "1", "label": "Sales"}], "entryTimeout": "5"}),
        ),
        node("bh", "business-hours", json!({"businessHoursId": "b"})),
        node(
            "pa",
            "percent-allocation",
            json!({"allocations": [{"percent": 70, "desc": "A"}, {"percent": "30", "desc": "B"}]}),
        ),
        node("bt", "blind-transfer", json!({"transfertodn": "{{to}}"})),
        node("br", "bridged-transfer", json!({"transfertodn": "1001", "timeout": 30})),
        node("ho", "hand-off", json!({"handOffFlow": "e"})),
        node(
            "sc",
            "scheduled-callback",
            json!({"callbackQueue": "q", "scheduleDate": "{{d}}", "scheduleStartTime": "{{a}}",
            "scheduleEndTime": "{{b}}", "scheduleTimezone": "UTC"}),
        ),
        node(
            "fn",
            "fn-activity",
            json!({"fnVersionConfig": {"id": "f", "tag": "Latest"},
            "fnOutputVariables": [{"outputVariable": "v", "jsonPathExp": "$.r"}]}),
        ),
        node("gq", "queue-lookup", json!({"destination": "q", "ewtLookbackMinutes": 5})),
        node("aq", "advanced-queue-info", json!({"destination": "q"})),
        node("ec", "escalate-cdg", json!({"callDistributionGroup": "nextGroup"})),
        node("ci", "SetCallerID", json!({"callerId": "{{ani}}"})),
        node("cp", "set-contact-priority", json!({"priority": 1})),
        node("re", "record", json!({"maxRecordingTime": 30})),
        node("rc", "RecordingControl", json!({"enableRecording": "{{r}}"})),
        node(
            "sp",
            "screen-pop",
            json!({"screenPopUrl": "https://x/{{id}}", "queryParameters": {"a": "{{b}}"}}),
        ),
        node("f1", "Feedback", json!({})),
        node("f2", "Feedback-V2", json!({"surveyMethod": "inlineSurvey"})),
        node("w", "wait-activity", json!({"duration": "00:00:05"})),
        node("sa", "set-announcement", json!({})),
        node("sw", "set-whisperannouncement", json!({"prompts": [{"type": "audioFile", "value": "a.wav"}]})),
        node("sd", "send-digits", json!({"transferoutdigits": "1,2"})),
        node("va", "ivr-virtualassistantvoice", json!({"virtualAgentId": "v"})),
        node("br2", "bre-request", json!({"httpQueryParameters": {"k": "{{v}}"}})),
        node("u", "teleport", json!({"somewhere": "{{there}}"})),
        node("e", "end", json!({})),
    ];
    json!({
        "name": "V2", "flowType": "FLOW",
        "variables": [{"name": "Global_Language", "type": "STRING", "value": "en-US", "source": "GLOBAL_TM", "isCAD": true}],
        "nodes": nodes,
        "edges": [
            {"id": "1", "from": "NewPhoneContact", "to": "c", "condition": "out"},
            {"id": "2", "from": "c", "to": "queue-contact q", "condition": "gold"},
            {"id": "3", "from": "case-statement c", "to": "m", "condition": "default"},
            {"id": "4", "from": "m", "to": "nowhere", "condition": "1"},
            {"id": "5", "from": "m", "to": "d", "condition": "error"},
            {"id": "6", "from": "q", "to": "e", "condition": "failure"},
        ],
        "eventFlows": {"GLOBAL_EVENTS": {
            "name": "x", "onEvents": {"GlobalErrorHandling": "OnGlobalError", "ContactEnded": "gone"},
            "nodes": [
                {"id": "ev", "name": "OnGlobalError", "activityType": "event", "properties": {"activityName": "event",
                    "eventSpecificationName": "GlobalErrorHandling"}},
                {"id": "d", "name": "Disconnect", "activityType": "end", "properties": {"activityName": "disconnect-contact"}},
            ],
            "edges": [{"id": "7", "from": "ev", "to": "d", "condition": "out"}],
        }},
    })
}

#[test]
fn flow_v2_is_read_into_the_same_model() {
    let flow = read(&flow_v2().to_string()).unwrap();
    insta::assert_snapshot!("flow_v2", outline(&flow));
    assert_eq!(flow.format, Format::V2);
    let unknown: Vec<&str> = flow.unknowns().map(|activity| activity.name.as_str()).collect();
    assert_eq!(unknown, ["teleport u"]);
    let reachable: Vec<&str> = flow.main.reachable("s").iter().map(|activity| activity.id.as_str()).collect();
    assert_eq!(reachable, ["s", "c", "q", "e", "m"]);
}

#[test]
fn what_is_no_flow_is_told_with_what_was_expected() {
    assert!(matches!(read("{"), Err(NotAFlow::Json(_))));
    assert_eq!(read("[]").unwrap_err().to_string(), "a flow is a JSON object, and this is a list");
    let message = read(r#"{"openapi": 1, "paths": {}}"#).unwrap_err().to_string();
    assert!(message.starts_with("neither `process` nor `nodes` is there"), "{message}");
    assert!(message.ends_with("found openapi, paths"), "{message}");
    assert_eq!(read(r#"{"process": 1}"#).unwrap_err().to_string(), "`process` holds no activities");
    assert_eq!(read(r#"{"nodes": {}}"#).unwrap_err().to_string(), "`nodes` holds no activities");
    assert!(read(&format!("{}1{}", "[".repeat(5000), "]".repeat(5000))).is_err());
}

#[test]
fn a_diff_tells_in_sentences_what_changed_and_shows_no_secret() {
    let before = read(MAIN).unwrap();
    let mut changed: Value = serde_json::from_str(MAIN).unwrap();
    changed["name"] = json!("second");
    changed["variables"][0]["value"] = json!("busy");
    changed["variables"].as_array_mut().unwrap().remove(1);
    let activities = changed["process"]["activities"].as_object_mut().unwrap();
    for activity in activities.values_mut() {
        match activity["name"].as_str().unwrap() {
            "GetPersonDetails" => {
                activity["properties"]["httpRequestHeaders"] =
                    json!({"Authorization": "Bearer abcdefgh", "X": "1"});
                activity["properties"]["httpResponseTimeout"] = json!("9000");
                activity["properties"]["httpRequestBody"] =
                    json!("{\n  \"client_secret\": \"abc\",\n  \"a\": 1\n}");
            }
            "TryAgain" => activity["properties"]["setVariablesArray"][0]["expr"] = json!("Later."),
            "Greeting" => activity["name"] = json!("Welcome"),
            "Success" => activity["properties"]["activityName"] = json!("end"),
            _ => {}
        }
    }
    let links = changed["process"]["links"].as_array_mut().unwrap();
    links.pop();
    changed["eventFlows"]["eventsMap"]["GLOBAL_EVENTS"]["onEvents"]
        .as_object_mut()
        .unwrap()
        .shift_remove("ContactPredial");
    let after = read(&changed.to_string()).unwrap();
    let text = sentences(&before, &after);
    insta::assert_snapshot!("diff", text);
    assert!(!text.contains("abc"), "{text}");
    assert!(diff(&before, &after).iter().any(|change| matches!(change, Change::ActivityRenamed { .. })));
}

#[test]
fn a_long_body_differs_by_its_lines_only() {
    let before = read(VENDOR).unwrap();
    let changed = VENDOR.replacen(
        "\\\"initiationMethod\\\": \\\"Inbound\\\"",
        "\\\"initiationMethod\\\": \\\"Outbound\\\"",
        1,
    );
    assert_ne!(changed, VENDOR);
    let text = sentences(&before, &read(&changed).unwrap());
    insta::assert_snapshot!("diff_of_a_body", text);
}

/// Replaces one value of a document; places are counted through all its values.
fn replace(value: &mut Value, place: &mut usize, by: &Value) {
    if *place == 0 {
        *value = by.clone();
        *place = usize::MAX;
        return;
    }
    *place -= 1;
    match value {
        Value::Array(items) => {
            for item in items {
                if *place != usize::MAX {
                    replace(item, place, by);
                }
            }
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                if *place != usize::MAX {
                    replace(member, place, by);
                }
            }
        }
        _ => {}
    }
}

fn use_all(flow: &Flow, other: &Flow) {
    let _ = outline(flow);
    let _ = sentences(other, flow);
    let _ = sentences(flow, other);
    for (process, activity) in flow.activities() {
        let _ = (
            process.success(&activity.id),
            process.error(&activity.id),
            process.reachable(&activity.id).len(),
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_an_export_panics(
        export in 0..8_usize,
        place in any::<prop::sample::Index>(),
        by in prop::sample::select(vec![
            json!(null), json!(true), json!(-1), json!(1e300), json!(""), json!("{{"), json!([]), json!({}), json!([[1]]),
            json!({"id": 1}), json!([{"from": "s"}, null]), json!("s"),
        ]),
    ) {
        let original = EXPORTS.get(export).map_or_else(flow_v2, |(_, text)| serde_json::from_str(text).unwrap());
        let before = read(&original.to_string()).unwrap();
        let mut changed = original;
        for member in ["diagram", "validationResults"] {
            changed.as_object_mut().unwrap().shift_remove(member);
        }
        let mut place = place.index(1500);
        replace(&mut changed, &mut place, &by);
        if let Ok(flow) = read(&changed.to_string()) {
            use_all(&flow, &before);
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = read(&text);
    }
}
