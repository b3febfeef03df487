//! What is found in published exports, as text to look at; and each kind of fault by a flow that has it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

mod common;

use common::bridge;
use serde_json::{Value, json};
use webex_flow::findings::{Code, Severity, of_flow};
use webex_flow::model::read;

fn told(document: &str) -> String {
    let flow = read(document).unwrap();
    let lines = of_flow(&flow, &bridge()).into_iter().map(|finding| {
        let (code, severity) = (finding.code, finding.severity.name());
        format!("{code} {severity} {}: {} -> {}\n", finding.activity, finding.evidence, finding.remedy)
    });
    lines.collect()
}

macro_rules! exports {
    ($($name:ident $file:literal)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(told(include_str!(concat!("../../../tests/fixtures/flows/", $file))));
        })*
    };
}

exports! {
    the_vendors_flow "ServiceCloudVoice_Template.json"
    the_analyzer_lab "public/TeamCCEP_teamccep.github.io__AnalyzerLab_Flow.json"
    the_on_call_changer "public/TeamCCEP_teamccep.github.io__CC_OnCall_Changer_GlobalVariable.json"
    the_status_changer "public/TeamCCEP_teamccep.github.io__CC_Status_Changer_GlobalVariable.json"
    the_flow_template "public/TeamCCEP_teamccep.github.io__flow_template.json"
    the_main_flow "public/TeamCCEP_teamccep.github.io__mainflow.json"
    the_subflow "public/TeamCCEP_teamccep.github.io__subflow.json"
}

/// A flow with one create that is in order, changed by `change`; its fields are those of FlowV2.
fn codes(change: impl FnOnce(&mut Value)) -> Vec<Code> {
    let http = |name: &str, path: &str, timeout: u64, body: Value, outputs: Value| {
        json!({"id": name, "name": name, "activityType": "action", "group": "action", "properties": {
            "activityName": "http-request-v2", "authenticated": true, "connectorId": "c", "httpRequestPath": path,
            "httpRequestMethod": "POST", "httpContentType": "Application/JSON", "contentType": "JSON",
            "httpResponseTimeout": timeout, "retryAttempts": 1, "httpRequestBody": body.to_string(),
            "outputVariableArray": outputs,
        }})
    };
    let key = "wxcc_{{NewPhoneContact.InteractionId}}";
    let create = json!({"vendorCallKey": key, "from": "{{NewPhoneContact.ANI}}"});
    let outputs = json!([{"outputVariable": "Id", "jsonPathExp": "$.data.voiceCallId"}]);
    let event = |id: &str| {
        json!({"id": id, "name": id, "activityType": "event", "group": "event", "properties": {
            "activityName": "event", "eventSpecificationName": id,
        }})
    };
    let edge = |from: &str, to: &str, condition: &str| json!({"id": format!("{from}-{condition}"), "from": from, "to": to, "condition": condition, "properties": {}});
    let mut flow = json!({
        "name": "Right", "flowType": "FLOW",
        "variables": [{"name": "Id", "type": "STRING", "value": ""}, {"name": "Count", "type": "STRING", "value": "1"}],
        "nodes": [
            {"id": "s", "name": "NewPhoneContact", "activityType": "start", "group": "start", "properties": {"activityName": "start"}},
            http("Create", "/voice/v1/createVoiceCall", 5500, create, outputs),
            {"id": "If", "name": "If", "activityType": "action", "group": "enum-gateway", "properties": {
                "activityName": "condition-activity", "expression": "{{ Id is not empty }}"}},
            {"id": "Queue", "name": "Queue", "activityType": "action", "group": "action", "properties": {
                "activityName": "queue-contact", "queueId": "q"}},
        ],
        "edges": [edge("s", "Create", "out"), edge("Create", "If", "default"), edge("Create", "If", "error"),
            edge("If", "Queue", "true"), edge("If", "Queue", "false"), edge("If", "Queue", "error")],
        "eventFlows": {"GLOBAL_EVENTS": {"name": "events", "id": "GLOBAL_EVENTS",
            "onEvents": {"AgentContactAssigned": "AgentContactAssigned", "ContactEnded": "ContactEnded"},
            "nodes": [event("AgentContactAssigned"), event("ContactEnded"),
                http("Answered", "/voice/v1/agentAnswered", 2800, json!({"vendorCallKey": key}), json!([])),
                http("Ended", "/voice/v1/phoneContactEnded", 2800,
                    json!({"vendorCallKey": key, "agentId": "{{PhoneContactEnded.AgentID}}"}), json!([]))],
            "edges": [edge("AgentContactAssigned", "Answered", "out"), edge("ContactEnded", "Ended", "out")],
        }},
    });
    change(&mut flow);
    let flow = read(&flow.to_string()).unwrap();
    of_flow(&flow, &bridge()).into_iter().map(|finding| finding.code).collect()
}

fn create(flow: &mut Value) -> &mut Value {
    &mut flow["nodes"][1]["properties"]
}

#[test]
fn nothing_is_found_in_a_flow_that_is_in_order() {
    assert_eq!(codes(|_| {}), []);
}

#[test]
fn each_fault_is_found_and_nothing_else() {
    let body = |text: &'static str| move |flow: &mut Value| create(flow)["httpRequestBody"] = text.into();
    let condition = |text: &'static str| {
        move |flow: &mut Value| flow["nodes"][2]["properties"]["expression"] = text.into()
    };
    assert_eq!(codes(body("{\"a\": {{Id}}}")), [Code::BodyNoJson]);
    assert_eq!(codes(body("{\"a\": \"{{Nobody}}\"}")), [Code::NeverSet]);
    assert_eq!(codes(condition("{{ Count == 1 }}")), [Code::Comparison]);
    assert_eq!(codes(condition("{{ Count > 1 }}")), [Code::Comparison]);
    assert_eq!(codes(condition("{{ Create.httpStatusCode == \"200\" }}")), [Code::Comparison]);
    assert_eq!(codes(condition("{{ Create.httpStatusCode == 201 }}")), [Code::Status]);
    let short = "{{ NewPhoneContact.ANI | slice(NewPhoneContact.ANI.length - 10, NewPhoneContact.ANI.length) == '4693150217' }}";
    assert_eq!(codes(condition(short)), [Code::ExpressionFails; 2], "anonymous, extension");
    assert_eq!(codes(condition("{{ Id | nosuch }}")), [Code::NotUnderstood]);
    assert_eq!(codes(condition("{{ Id")), [Code::ExpressionFails]);
    assert_eq!(
        codes(|flow| {
            flow["edges"].as_array_mut().unwrap().remove(2);
        }),
        [Code::NoErrorEdge]
    );
    assert_eq!(
        codes(|flow| {
            let ended = &mut flow["eventFlows"]["GLOBAL_EVENTS"]["nodes"][3]["properties"];
            ended["httpRequestBody"] = "{\"vendorCallKey\": \"k\"}".into();
        }),
        [Code::AnsweredAsAbandoned]
    );
    assert_eq!(codes(|flow| create(flow)["httpResponseTimeout"] = "2000".into()), [Code::Timeout]);
    let path = |text: &'static str| move |flow: &mut Value| create(flow)["httpRequestPath"] = text.into();
    for misspelt in ["/voice/v1/creatVoiceCall", "/voice/v1/CREATEVOICECALL", "/somewhere"] {
        let found = codes(path(misspelt));
        assert!(
            found.contains(&Code::Refused) && found.contains(&Code::QueueBeforeCreate),
            "{misspelt}: {found:?}"
        );
    }
    assert_eq!(codes(path("https://b.example.com/voice/v1/createVoiceCall")), [Code::Refused]);
    assert_eq!(
        codes(path("https://u:p@b.example.com/voice/v1/createVoiceCall")),
        [Code::Secret, Code::Refused],
        "credentials besides"
    );
    assert_eq!(codes(|flow| create(flow)["httpRequestMethod"] = "PUT".into()), [Code::Refused]);
    assert!(
        codes(|flow| {
            flow["nodes"].as_array_mut().unwrap().remove(0);
        })
        .contains(&Code::NotUnderstood),
        "no start"
    );
    assert_eq!(codes(|flow| create(flow)["retryAttempts"] = 3.into()), [Code::Retries]);
    for path in ["$.data.id", "$.*", "$..id"] {
        assert_eq!(
            codes(|flow| create(flow)["outputVariableArray"][0]["jsonPathExp"] = path.into()),
            [Code::Path],
            "{path}"
        );
    }
    assert_eq!(codes(|flow| flow["edges"][0]["to"] = "Queue".into()), [Code::QueueBeforeCreate]);
    assert_eq!(
        codes(|flow| {
            create(flow)["httpRequestHeaders"] = json!({"Content-Type": "application/json"});
        }),
        [Code::Header]
    );
    assert_eq!(
        codes(|flow| {
            create(flow)["httpRequestHeaders"] = json!({"X-Api-Key": "0123456789"});
        }),
        [Code::Secret]
    );
    for headers in [json!({"X-Trace": "a\r\nX-Other: b"}), json!({"X-Trace\n": "a"})] {
        assert_eq!(codes(|flow| create(flow)["httpRequestHeaders"] = headers), [Code::Refused]);
    }
    let copy = |value: &'static str, is_secure: bool| {
        codes(|flow| {
            let variables = flow["variables"].as_array_mut().unwrap();
            variables.push(json!({"name": "Token", "type": "STRING", "value": "t", "isSecure": true}));
            variables.push(json!({"name": "Copy", "type": "STRING", "value": "", "isSecure": is_secure}));
            let row =
                json!({"setTo": "set-to-expression", "srcVariable": "Copy", "expr": value, "literal": ""});
            flow["nodes"].as_array_mut().unwrap().push(json!({"id": "Set", "name": "Set", "activityType": "action",
                "group": "set-variable", "properties": {"activityName": "set-variable", "setVariablesArray": [row]}}));
        })
    };
    assert_eq!(copy("Bearer {{ Token }}", false), [Code::Secret]);
    assert_eq!(copy("Bearer {{ Token }}", true), []);
    assert_eq!(copy("{{ Token is not empty }}", false), []);
    assert_eq!(codes(body("{\"vendorCallKey\": \"wxcc_\"}")), [Code::BareKey]);
    assert_eq!(codes(body("{\"callAttributes\": \"{\\\"Name\\\": \\\"{{Id}}\\\"}\"}")), [Code::Attributes]);
    assert_eq!(
        codes(|flow| {
            flow["eventFlows"]["GLOBAL_EVENTS"]["nodes"][2]["properties"]["httpRequestPath"] =
                "/voice/v1/updateVoiceCall".into();
        }),
        [Code::EndsCall, Code::AnsweredAsAbandoned, Code::Timeout]
    );
}

#[test]
fn a_number_of_retries_that_is_none_is_told_where_the_flow_is_read() {
    for retries in [json!(-1), json!("-1"), json!("many"), json!(1.5)] {
        let node = json!({"id": "n", "name": "Ask", "activityType": "action", "group": "action", "properties": {
            "activityName": "http-request-v2", "authenticated": false, "httpRequestUrl": "https://example.com/",
            "httpRequestMethod": "GET", "retryAttempts": retries}});
        let document =
            json!({"name": "f", "flowType": "FLOW", "variables": [], "nodes": [node], "edges": []});
        let flow = read(&document.to_string()).unwrap();
        let told = flow.gaps.iter().any(|gap| gap.to_string().contains("no whole number"));
        assert!(told, "{retries}: {:?}", flow.gaps);
    }
}

#[test]
fn expressions_are_tried_out_within_an_allowance_for_the_whole_flow() {
    let heavy = "{{ NewPhoneContact.ANI }}{{ range(1, 2000) | length }}";
    let fails = "{{ NewPhoneContact.ANI | slice(0, 10) }}";
    let flow = |heavy_ones: usize| {
        let condition = |id: usize, text: &str| {
            json!({"id": id.to_string(), "name": id.to_string(), "activityType": "action", "group": "enum-gateway",
                "properties": {"activityName": "condition-activity", "expression": text}})
        };
        let start = json!({"id": "s", "name": "NewPhoneContact", "activityType": "start", "group": "start", "properties": {"activityName": "start"}});
        let heavy_ones = (0..heavy_ones).map(|id| condition(id, heavy));
        let nodes: Vec<Value> =
            std::iter::once(start).chain(heavy_ones).chain([condition(1_000, fails)]).collect();
        let document = json!({"name": "f", "flowType": "FLOW", "variables": [], "nodes": nodes, "edges": []});
        let flow = read(&document.to_string()).unwrap();
        of_flow(&flow, &bridge()).into_iter().filter(|one| one.code == Code::ExpressionFails).count()
    };
    assert_eq!((flow(0), flow(1)), (2, 2), "an anonymous caller and an extension");
    assert_eq!(flow(60), 0, "nothing is left for the last");
}

#[test]
fn paths_are_tried_out_within_the_same_allowance() {
    let told = |outputs: usize| {
        let row =
            |id: usize| json!({"outputVariable": format!("v{id}"), "jsonPathExp": "$[?(@ =~ /a{1000}/)]"});
        let rows: Vec<Value> = (0..outputs).map(row).collect();
        codes(|flow| create(flow)["outputVariableArray"] = rows.into())
            .iter()
            .filter(|code| **code == Code::Path)
            .count()
    };
    assert_eq!(told(3), 3);
    assert!(told(500) < 100);
}

#[test]
fn serious_ones_come_first() {
    let flow = read(include_str!("../../../tests/fixtures/flows/ServiceCloudVoice_Template.json")).unwrap();
    let severities: Vec<Severity> =
        of_flow(&flow, &bridge()).into_iter().map(|finding| finding.severity).collect();
    assert!(severities.is_sorted() && severities[0] == Severity::Serious, "{severities:?}");
}

#[test]
fn names_of_an_export_stay_on_their_line_and_large_exports_are_refused() {
    let hostile = "A\u{1b}[2J\nF1  serious  Fake\u{202e}";
    let node = json!({"id": "n", "name": hostile, "activityType": "mystery", "group": "action", "properties": {"activityName": "mystery"}});
    let document =
        json!({"name": hostile, "flowType": "FLOW", "variables": [], "nodes": [node], "edges": []});
    let flow = read(&document.to_string()).unwrap();
    for text in of_flow(&flow, &bridge()).iter().flat_map(|one| [one.activity.clone(), one.evidence.clone()])
    {
        assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
    let nodes: Vec<Value> =
        (0..10_001).map(|id| json!({"id": id.to_string(), "name": id.to_string()})).collect();
    let document = json!({"name": "large", "flowType": "FLOW", "nodes": nodes, "edges": []});
    assert!(read(&document.to_string()).unwrap_err().to_string().contains("at most 10000 are read"));
}
