//! Each rule by a flow with exactly that one fault; and anything at all.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use webex_flow::rules::{Severity, check};

/// A flow in which nothing is wrong.
fn right() -> Value {
    let node = |name: &str, kind: &str, group: &str, fields: Value| {
        let mut properties = json!({"description": "What it does"});
        let given = fields.as_object().unwrap().clone();
        properties.as_object_mut().unwrap().extend(given);
        json!({"id": name, "name": name, "activityType": kind, "group": group, "properties": properties})
    };
    let edge = |from: &str, to: &str, condition: &str| json!({"id": format!("{from} {condition}"), "from": from, "to": to, "condition": condition, "properties": {}});
    let row = json!({
        "setTo": "set-to-literal", "srcVariableType": "STRING", "srcVariable": "Key",
        "literal": "wxcc_{{NewContact.InteractionId}}", "expr": "wxcc_{{NewContact.InteractionId}}",
    });
    let mut set = row.clone();
    set["activityName"] = json!("set-variable");
    set["setVariablesArray"] = json!([row]);
    let event =
        json!({"eventSourceName": "WebexContactCenter", "eventClassificationName": "VoiceInteractions"});
    let mut start = event.clone();
    start["eventSpecificationName"] = json!("ContactStartWorkflow");
    let mut ended = event;
    ended["activityName"] = json!("event");
    ended["eventSpecificationName"] = json!("ContactEnded");
    let http = json!({
        "activityName": "http-request-v2", "authenticated": true, "httpRequestPath": "/voice/v1/createVoiceCall",
        "connectorId": "c", "connectorId:name": "c", "connectorId_name": "c",
        "httpRequestMethod": "POST", "httpRequestMethod:name": "POST", "httpRequestMethod_name": "POST",
        "httpContentType": "Application/JSON", "httpContentType:name": "Application/JSON",
        "httpContentType_name": "Application/JSON", "contentType": "JSON", "contentType_name": "JSON",
        "httpRequestBody": "{\"key\": \"{{Key}}\"}", "httpResponseTimeout": "5500", "retryAttempts": 1,
        "outputVariableArray": [{"outputVariable": "Id", "jsonPathExp": "$.data.voiceCallId"}],
    });
    let condition = json!({"activityName": "condition-activity", "expression": "{{ Id is not empty }}"});
    let variable = |name: &str| json!({"name": name, "type": "STRING", "value": ""});
    json!({
        "name": "Flow", "flowType": "FLOW", "variables": [variable("Key"), variable("Id")],
        "nodes": [
            node("NewContact", "start", "", json!({"activityName": "start", "flowType": start})),
            node("Set", "action", "set-variable", set),
            node("Create", "action", "http-request", http),
            node("Has", "action", "enum-gateway", condition),
            node("Queue", "action", "action", json!({"activityName": "queue-contact", "queueId": "q"})),
            node("Bye", "end", "terminating-action", json!({"activityName": "disconnect-contact"})),
        ],
        "edges": [
            edge("NewContact", "Set", "out"), edge("Set", "Create", "out"), edge("Create", "Has", "default"),
            edge("Has", "Queue", "true"), edge("Has", "Bye", "false"), edge("Queue", "Bye", "failure"),
        ],
        "eventFlows": {"GLOBAL_EVENTS": {
            "name": "Events", "id": "GLOBAL_EVENTS", "onEvents": {"ContactEnded": "ContactEnded"},
            "nodes": [
                node("ContactEnded", "event", "", ended),
                node("End", "end", "", json!({"activityName": "end"})),
            ],
            "edges": [edge("ContactEnded", "End", "out")],
        }},
    })
}

fn told(flow: &Value) -> Vec<String> {
    check(flow)
        .into_iter()
        .map(|one| format!("{} {} {}: {}", one.code, one.severity.name(), one.node, one.message))
        .collect()
}

/// What is said of the right flow with one thing changed.
fn with(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut flow = right();
    change(&mut flow);
    told(&flow)
}

/// With one property of a node of the main flow set, or taken out by null.
fn property(node: usize, name: &str, value: Value) -> Vec<String> {
    with(|flow| {
        let properties = flow["nodes"][node]["properties"].as_object_mut().unwrap();
        if value.is_null() {
            properties.remove(name).map(drop)
        } else {
            properties.insert(name.to_owned(), value).map(drop)
        };
    })
}

const START: usize = 0;
const SET: usize = 1;
const HTTP: usize = 2;
const CONDITION: usize = 3;
const QUEUE: usize = 4;

#[test]
fn nothing_is_said_of_a_right_flow() {
    assert_eq!(told(&right()), Vec::<String>::new());
}

#[test]
fn there_is_one_start() {
    let without = with(|flow| flow["nodes"][START]["activityType"] = json!("action"));
    assert!(
        without.iter().any(|one| one.contains("exactly one start activity, this one has 0")),
        "{without:?}"
    );
}

#[test]
fn a_header_with_a_line_break_is_told() {
    let told = property(HTTP, "httpRequestHeaders", json!({"X-A": "a", "X-B": "b\r\nX-C: c"}));
    assert_eq!(told, ["FC1000 WARNING Create: The header 'X-B' of Create holds a line break"]);
}

#[test]
fn retries_are_a_number_from_0_on() {
    for retries in [json!(-1), json!("-1"), json!("many"), json!(1.5)] {
        let told = property(HTTP, "retryAttempts", retries);
        assert_eq!(told, ["FC1015 ERROR Create: retryAttempts of Create is no number"]);
    }
}

#[test]
fn names_and_ids_are_unique() {
    let node = with(|flow| flow["nodes"][QUEUE]["id"] = json!("Bye"));
    assert_eq!(node, ["FC1000 ERROR : The node id 'Bye' is used more than once"]);
    let edge = with(|flow| flow["edges"][0]["id"] = json!("Has true"));
    assert_eq!(edge, ["FC1000 ERROR : The edge id 'Has true' is used more than once"]);
    let variable = with(|flow| {
        let again = flow["variables"][0].clone();
        flow["variables"].as_array_mut().unwrap().push(again);
    });
    assert_eq!(variable, ["FC1000 ERROR : The variable 'Key' is used more than once"]);
}

#[test]
fn an_edge_leads_to_a_node_of_its_own_flow() {
    let main = with(|flow| flow["edges"][4]["to"] = json!("Nowhere"));
    assert_eq!(
        main,
        ["FC1012 ERROR Has: A broken link was found at activity Has in the Main Flow: there is no 'Nowhere'"]
    );
    let event = with(|flow| {
        flow["eventFlows"]["GLOBAL_EVENTS"]["edges"][0]["to"] = json!("Bye");
        flow["eventFlows"]["GLOBAL_EVENTS"]["nodes"].as_array_mut().unwrap().pop();
    });
    assert_eq!(
        event,
        [
            "FC1012 ERROR ContactEnded: A broken link was found at activity ContactEnded in the Event Flow: there is no 'Bye'"
        ]
    );
}

#[test]
fn an_edge_begins_at_a_port_of_its_activity() {
    let http = with(|flow| flow["edges"][2]["condition"] = json!("error"));
    assert_eq!(http, ["FC1000 ERROR Create: Create has no way out by 'error'; it has: default"]);
    let end = with(|flow| flow["edges"][5]["from"] = json!("Bye"));
    assert_eq!(end, ["FC1000 ERROR Bye: Bye has no way out by 'failure'; it has: none"]);
    let twice = with(|flow| flow["edges"][4]["condition"] = json!("true"));
    assert_eq!(twice, ["FC1000 ERROR Has: Two edges leave Has by 'true'"]);
}

#[test]
fn an_event_is_named_with_its_node() {
    let unnamed = with(|flow| flow["eventFlows"]["GLOBAL_EVENTS"]["onEvents"] = json!({}));
    assert_eq!(
        unnamed,
        ["FC1012 ERROR ContactEnded: onEvents of 'GLOBAL_EVENTS' does not name 'ContactEnded'"]
    );
    let other = with(|flow| {
        flow["eventFlows"]["GLOBAL_EVENTS"]["onEvents"]["ContactPredial"] = json!("End");
    });
    assert_eq!(
        other,
        ["FC1012 ERROR End: The event 'ContactPredial' names 'End', which is no node of that event"]
    );
}

#[test]
fn set_variable_wants_its_fields_twice() {
    let rows = property(SET, "setVariablesArray", Value::Null);
    assert_eq!(rows, ["FC1015 ERROR Set: Required field 'setVariablesArray' is not configured in Set"]);
    let top = property(SET, "expr", Value::Null);
    assert_eq!(top, ["FC1015 ERROR Set: Required field 'expr' is not configured in Set"]);
    let row = with(|flow| flow["nodes"][SET]["properties"]["setVariablesArray"][0]["setTo"] = json!(""));
    assert_eq!(row, ["FC1015 ERROR Set: Required field 'setTo in row 1' is not configured in Set"]);
    let kind = with(|flow| flow["variables"][0]["type"] = json!("INTEGER"));
    assert_eq!(kind.first().unwrap(), "FC1015 ERROR Set: 'Key' is of type INTEGER, not STRING");
}

#[test]
fn queue_contact_wants_its_queue_alone() {
    let none = property(QUEUE, "queueId", Value::Null);
    assert_eq!(none, ["FC1015 ERROR Queue: Required field 'queueId' is not configured in Queue"]);
    let editor = property(QUEUE, "queueRadioGroup", json!("staticQueue"));
    assert_eq!(editor, ["FC1015 ERROR Queue: queueRadioGroup makes Queue ask for the fields of the editor"]);
    let variable = property(QUEUE, "queueId", json!("{{Key}}"));
    assert_eq!(variable, ["FC1015 ERROR Queue: Required field 'fallbackQueue' is not configured in Queue"]);
}

#[test]
fn a_request_wants_its_connector_and_forms() {
    for field in [
        "connectorId",
        "connectorId:name",
        "connectorId_name",
        "httpRequestMethod",
        "httpRequestMethod:name",
        "httpRequestMethod_name",
        "httpContentType",
        "httpContentType:name",
        "httpContentType_name",
        "httpRequestPath",
        "contentType_name",
    ] {
        let message = format!("FC1015 ERROR Create: Required field '{field}' is not configured in Create");
        assert_eq!(property(HTTP, field, Value::Null), [message]);
    }
    let open = property(HTTP, "authenticated", json!(false));
    assert_eq!(open, ["FC1015 ERROR Create: Required field 'Connector' is not configured in Create"]);
    assert_eq!(
        property(HTTP, "httpRequestMethod", json!("SEND")),
        ["FC1015 ERROR Create: 'SEND' is no method"]
    );
    assert_eq!(
        property(HTTP, "httpContentType", json!("JSON")),
        ["FC1015 ERROR Create: 'JSON' is no content type"]
    );
    let path = property(HTTP, "httpRequestPath", json!("voice"));
    assert_eq!(path, ["FC1015 ERROR Create: The path of Create begins with no '/'"]);
    let timeout = property(HTTP, "httpResponseTimeout", json!("soon"));
    assert_eq!(timeout, ["FC1015 ERROR Create: httpResponseTimeout of Create is no number"]);
    let output =
        property(HTTP, "outputVariableArray", json!([{"outputVariable": "Other", "jsonPathExp": "$"}]));
    assert_eq!(output, ["FC1038 ERROR Create: Variable 'Other' is referenced but not declared"]);
}

#[test]
fn expressions_speak_of_what_is_declared() {
    let told =
        |name: &str| vec![format!("FC1038 ERROR Has: Variable '{name}' is referenced but not declared")];
    for (expression, name) in [
        ("{{Create.httpStatusCode == 200}}", "Create"),
        ("{{ Idd is not empty }}", "Idd"),
        ("{{ Id == 'x' and not Other }}", "Other"),
        ("{{ Id | default(Third) }}", "Third"),
        // What an event tells is there in its own flow alone.
        ("{{ContactEnded.AgentID is empty}}", "ContactEnded"),
    ] {
        assert_eq!(property(CONDITION, "expression", json!(expression)), told(name), "{expression}");
    }
    for expression in [
        "{{NewContact.ANI | slice(0, 3) == '+49'}}",
        "{{ now() | date(format=\"yyyy {{Other}}\", timeZone='Etc/UTC') is not empty }}",
        "{{ Id | replace({'a': 'b \\' Other'}) | length > 1e3 }}",
        "{{ Id is not null or Key is even }}",
        "{% set x = 1 %}{{ x }}",
        "no expression",
        "{{ 'open",
    ] {
        assert_eq!(
            property(CONDITION, "expression", json!(expression)),
            Vec::<String>::new(),
            "{expression}"
        );
    }
}

#[test]
fn unknown_activities_are_warned_of() {
    let told = with(|flow| flow["nodes"][QUEUE]["properties"]["activityName"] = json!("queue-everybody"));
    assert_eq!(told, ["FC1000 WARNING Queue: The activity 'queue-everybody' is unknown"]);
    let kind = with(|flow| flow["nodes"][QUEUE]["activityType"] = json!("end"));
    assert_eq!(kind, ["FC1000 ERROR Queue: activityType of queue-contact is 'action', not 'end'"]);
    let group = with(|flow| flow["nodes"][CONDITION]["group"] = json!("action"));
    assert_eq!(group, ["FC1000 ERROR Has: group of condition-activity is 'enum-gateway', not 'action'"]);
}

#[test]
fn required_fields_are_asked_for() {
    assert_eq!(
        property(CONDITION, "expression", Value::Null),
        ["FC1015 ERROR Has: Required field 'expression' is not configured in Has"]
    );
    let message = with(|flow| {
        let properties = flow["nodes"][QUEUE]["properties"].as_object_mut().unwrap();
        *properties = json!({"description": "d", "activityName": "play-message", "toggle": true,
            "promptsTts": [{"type": "tts", "value": "Hello", "name": "Hello"}], "connector": "c",
            "connector_name": "c", "connector:name": "c", "connector_type": "c"})
        .as_object()
        .unwrap()
        .clone();
        flow["edges"][5]["condition"] = json!("error");
    });
    assert_eq!(message, ["FC1015 ERROR Queue: Required field 'connector:type' is not configured in Queue"]);
}

#[test]
fn every_activity_is_reached() {
    let told = with(|flow| {
        flow["edges"].as_array_mut().unwrap().remove(3);
    });
    assert_eq!(told, ["FC1004 WARNING Queue: Flow has isolated activities: Queue"]);
    let described = property(QUEUE, "description", Value::Null);
    assert_eq!(described, ["FC1007 RECOMMENDATION Queue: Add descriptions for activities"]);
}

#[test]
fn the_flow_has_a_type_and_a_name() {
    assert_eq!(
        with(|flow| flow["flowType"] = json!("MAIN")),
        ["FC1000 ERROR : flowType is neither FLOW nor SUBFLOW"]
    );
    assert_eq!(with(|flow| flow["name"] = json!("")), ["FC1000 ERROR : The flow has no name"]);
    assert_eq!(told(&json!([])), ["FC1000 ERROR : The flow is no JSON object"]);
    assert!(check(&json!({})).iter().all(|finding| finding.severity == Severity::Error));
}

fn any_json() -> impl Strategy<Value = Value> {
    let words = ["nodes", "edges", "a", "{{", "{{a.b|", "}}", "start", "*", "é'"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..4)
                .prop_map(|all| Value::Object(all.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Every place of a document, as the keys that lead there.
fn places(value: &Value, path: &mut Vec<String>, all: &mut Vec<String>) {
    all.push(path.iter().map(|key| format!("/{}", key.replace('~', "~0").replace('/', "~1"))).collect());
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(number, value)| (number.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (key, child) in children {
        path.push(key);
        places(child, path, all);
        path.pop();
    }
}

proptest! {
    #[test]
    fn anything_is_judged(value in any_json()) {
        check(&value);
    }

    #[test]
    fn a_flow_with_anything_anywhere_is_judged(place in any::<prop::sample::Index>(), value in any_json()) {
        let mut flow = right();
        let mut all = Vec::new();
        places(&flow, &mut Vec::new(), &mut all);
        *flow.pointer_mut(place.get::<String>(&all).as_str()).unwrap() = value;
        check(&flow);
    }

    #[test]
    fn any_expression_is_read(text in "[{}'\"|.a-c é0-9\\\\=(]{0,40}") {
        property(CONDITION, "expression", json!(format!("{{{{{text}")));
    }
}
