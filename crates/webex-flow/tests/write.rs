//! The flow that is written: valid by Webex's rules, without a finding of ours, and with bodies that are JSON for every caller.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

mod common;

use std::time::Duration;

use common::bridge;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use webex_flow::findings::of_flow;
use webex_flow::model::{Event, read};
use webex_flow::pebble::{Environment, Template};
use webex_flow::play::{Demand, Ending, HttpAnswer, HttpOutcome, Play, Scenario, Script};
use webex_flow::rules;
use webex_flow::write::{Deadlines, NewFlow, OmniFlow, Reference, Spelling, UiError};

const VENDOR: &str = include_str!("../../../tests/fixtures/flows/ServiceCloudVoice_Template.json");

fn reference(id: &str, name: &str) -> Reference {
    Reference { id: id.to_owned(), name: name.to_owned() }
}

fn new_flow() -> NewFlow {
    let milliseconds = Duration::from_millis;
    NewFlow {
        name: "Service".to_owned(),
        call_center: "WxCCContactCenterSCV".to_owned(),
        certificate: "WebexCCSCV".to_owned(),
        base_path: "/voice/v1".to_owned(),
        connector: reference("0c8a5c5e-0000-4000-8000-000000000001", "scv-bridge"),
        queue: reference("0c8a5c5e-0000-4000-8000-000000000002", "Sales"),
        fallback_queue: Some(reference("0c8a5c5e-0000-4000-8000-000000000003", "Everybody")),
        omni_flow: Some(OmniFlow {
            name: "WxCC_Routing_Flow".to_owned(),
            fallback_queue: Some("Sales_Queue".to_owned()),
            input: vec![("param1".to_owned(), "EN".to_owned())],
        }),
        call_attributes: vec![("Call_Origin__c".to_owned(), "Webex \"Contact\" Center".to_owned())],
        deadlines: Deadlines {
            create_voice_call: milliseconds(4500),
            execute_omni_flow: milliseconds(4500),
            phone_contact_ended: milliseconds(1800),
            agent_answered: milliseconds(1800),
        },
        retries: 1,
        music: "defaultmusic_on_hold.wav".to_owned(),
        has_media_stream: true,
        spelling: Spelling::New,
    }
}

/// All that one can ask for, and the least.
fn flows() -> Vec<NewFlow> {
    let least = NewFlow {
        fallback_queue: None,
        omni_flow: None,
        call_attributes: Vec::new(),
        has_media_stream: false,
        spelling: Spelling::Old,
        ..new_flow()
    };
    vec![new_flow(), NewFlow { spelling: Spelling::Old, ..new_flow() }, least]
}

fn found(document: &Value) -> Vec<String> {
    let flow = read(&document.to_string()).unwrap();
    let told = of_flow(&flow, &bridge()).into_iter();
    told.map(|one| format!("{} {}: {}", one.code, one.activity, one.evidence)).collect()
}

#[test]
fn webex_takes_it() {
    for flow in flows() {
        assert_eq!(rules::check(&flow.to_v2()), Vec::new());
    }
}

#[test]
fn there_is_nothing_to_find_in_it() {
    for flow in flows() {
        assert_eq!(found(&flow.to_v2()), Vec::<String>::new());
    }
}

#[test]
fn the_same_parameters_give_the_same_document() {
    assert_eq!(new_flow().to_v2().to_string(), new_flow().to_v2().to_string());
    insta::assert_snapshot!(format!("{:#}", new_flow().to_v2()));
}

#[test]
fn the_bodies_to_paste_are_shown() {
    let told = new_flow().bodies().into_iter().map(|one| {
        let edges: Vec<_> = one.edges.iter().map(|edge| format!("{} -> {}", edge.port, edge.to)).collect();
        format!(
            "{} {} {} ms, {} more\n{}\n{:?}\n{}\n",
            one.name,
            one.path,
            one.timeout_ms,
            one.retries,
            one.body,
            one.outputs,
            edges.join(", ")
        )
    });
    insta::assert_snapshot!(told.collect::<String>());
}

/// The variables of a call once `SetCall` has run.
fn variables(flow: &NewFlow, ani: &str) -> Map<String, Value> {
    let contact =
        json!({"ANI": ani, "DNIS": "+14695550100", "InteractionId": "7d3c1c3e-1b1f-4a52-9e4e-0a7b3a1c9d10"});
    let mut variables = Map::new();
    variables.insert(flow.spelling.new_contact().to_owned(), contact);
    let document = flow.to_v2();
    let nodes = document["nodes"].as_array().unwrap();
    let set = nodes.iter().find(|node| node["name"] == "SetCall").unwrap();
    for row in set["properties"]["setVariablesArray"].as_array().unwrap() {
        let value = render(row["literal"].as_str().unwrap(), &variables);
        variables.insert(row["srcVariable"].as_str().unwrap().to_owned(), Value::from(value));
    }
    variables
}

fn render(text: &str, variables: &Map<String, Value>) -> String {
    let now = Environment::at("2026-11-27T10:00:00.123Z".parse::<Timestamp>().unwrap());
    Template::parse(text).unwrap().render(variables, &now).unwrap()
}

#[test]
fn bodies_are_json_for_every_caller() {
    for flow in flows() {
        for ani in ["+14695550101", "anonymous", "", "2041", "\"Anna\" <sip:anna@example.com>"] {
            let variables = variables(&flow, ani);
            for activity in flow.bodies() {
                let body: Value = serde_json::from_str(&render(&activity.body, &variables)).unwrap();
                let key = body.get("vendorCallKey").unwrap_or(&Value::Null);
                let is_by_id = activity.name == "ExecuteOmniFlow";
                assert!(is_by_id || key == "wxcc_7d3c1c3e-1b1f-4a52-9e4e-0a7b3a1c9d10", "{body}");
                if activity.name == "CreateVoiceCall" {
                    assert_eq!(body["startTime"], "2026-11-27T10:00:00.123Z");
                    assert_eq!(body["from"], ani.replace('"', ""));
                }
            }
        }
    }
}

#[test]
fn bodies_are_json_when_nothing_is_set() {
    for flow in flows() {
        for activity in flow.bodies() {
            serde_json::from_str::<Value>(&render(&activity.body, &Map::new())).unwrap();
        }
    }
}

#[test]
fn every_timeout_is_a_second_over_the_deadline() {
    let timeouts: Vec<_> = new_flow().bodies().into_iter().map(|one| (one.name, one.timeout_ms)).collect();
    let expected = [
        ("CreateVoiceCall", 5500),
        ("ExecuteOmniFlow", 5500),
        ("TellAgentAnswered", 2800),
        ("TellContactEnded", 2800),
        ("TellCallbackFailed", 2800),
    ];
    assert_eq!(timeouts, expected.map(|(name, timeout)| (name.to_owned(), timeout)));
}

#[test]
fn every_way_out_of_an_activity_leads_on() {
    for flow in flows() {
        let document = flow.to_v2();
        for process in [&document, &document["eventFlows"]["GLOBAL_EVENTS"]] {
            for node in process["nodes"].as_array().unwrap() {
                let ports: &[&str] = match node["properties"]["activityName"].as_str().unwrap() {
                    "start" | "event" => &["out"],
                    "set-variable" => &["out", "error"],
                    "condition-activity" => &["true", "false", "error"],
                    "queue-contact" | "start-media-stream" => &["default", "failure"],
                    "play-music" | "play-message" => &["default", "error"],
                    "http-request-v2" => &["default"],
                    _ => &[],
                };
                let edges = process["edges"].as_array().unwrap().iter();
                let left: Vec<_> = edges
                    .filter(|edge| edge["from"] == node["name"])
                    .map(|edge| edge["condition"].as_str().unwrap())
                    .collect();
                assert_eq!(left, ports, "{}", node["name"]);
            }
        }
    }
}

fn vendor() -> Value {
    serde_json::from_str(VENDOR).unwrap()
}

/// Main flow and event flow of an export: process and widgets.
fn drawings(export: &Value) -> [(&Value, &Map<String, Value>); 2] {
    let events = &export["eventFlows"]["eventsMap"]["GLOBAL_EVENTS"];
    [export, events].map(|flow| (&flow["process"], flow["diagram"]["widgets"].as_object().unwrap()))
}

#[test]
fn an_export_has_a_widget_for_each_activity_and_link() {
    const TYPES: [&str; 8] =
        ["start", "action", "set-variable", "enum-gateway", "terminating-action", "end", "event", "arrow"];
    for flow in flows() {
        let export = flow.to_ui(&vendor()).unwrap();
        for (process, widgets) in drawings(&export) {
            let activities = process["activities"].as_object().unwrap();
            let links = process["links"].as_array().unwrap();
            let link_ids = links.iter().map(|link| link["id"].as_str().unwrap().to_owned());
            let mut ids: Vec<String> = activities.keys().cloned().chain(link_ids).collect();
            let mut drawn: Vec<String> = widgets.keys().cloned().collect();
            ids.sort();
            drawn.sort();
            assert_eq!(ids, drawn);
            for (id, widget) in widgets {
                assert!(TYPES.contains(&widget["type"].as_str().unwrap()));
                if let Some(activity) = activities.get(id) {
                    assert_eq!(widget["properties"], activity["properties"]);
                    assert_eq!(widget["type"], activity["group"]);
                }
            }
            for link in links {
                let arrow = &widgets[link["id"].as_str().unwrap()];
                for (end, activity) in
                    [("sourcePort", "sourceActivityId"), ("targetPort", "targetActivityId")]
                {
                    let widget = &widgets[link[activity].as_str().unwrap()];
                    assert_eq!(arrow[end]["activeWidgetId"], widget["id"]);
                    let ports = widget["ports"].as_array().unwrap();
                    let port = ports.iter().find(|port| port["portId"] == arrow[end]["id"]).unwrap();
                    assert!(port["links"].as_array().unwrap().contains(&arrow["id"]));
                }
            }
        }
    }
}

#[test]
fn nothing_of_the_vendors_organisation_is_left() {
    let vendor = vendor();
    let text = new_flow().to_ui(&vendor).unwrap().to_string();
    for place in [
        "/orgId",
        "/id",
        "/flowId",
        "/createdBy",
        "/lastModifiedBy",
        "/name",
        "/createdDate",
        "/lastModifiedDate",
    ] {
        let old = vendor.pointer(place).unwrap().as_str().unwrap();
        assert!(!text.contains(old), "{place}: {old}");
    }
    for (process, widgets) in drawings(&vendor) {
        for id in widgets.keys() {
            assert!(!text.contains(id), "{id}");
        }
        for activity in process["activities"].as_object().unwrap().values() {
            for field in
                ["connectorId", "connectorId:name", "destination", "destination:name", "destination_name"]
            {
                if let Some(old) = activity["properties"][field].as_str() {
                    assert!(!text.contains(old), "{field}: {old}");
                }
            }
        }
    }
}

#[test]
fn both_formats_send_the_same() {
    for flow in flows() {
        let bodies = |document: &Value| {
            let flow = read(&document.to_string()).unwrap();
            let requests = flow.activities().filter_map(|(_, activity)| match &activity.kind {
                webex_flow::model::ActivityKind::HttpRequest(request) => Some(format!("{request:?}")),
                _ => None,
            });
            let mut requests: Vec<String> = requests.collect();
            requests.sort();
            requests
        };
        assert_eq!(bodies(&flow.to_ui(&vendor()).unwrap()), bodies(&flow.to_v2()));
    }
}

#[test]
fn there_is_nothing_to_find_in_the_export() {
    for flow in flows() {
        let export = flow.to_ui(&vendor()).unwrap();
        assert_eq!(found(&export), Vec::<String>::new());
        assert_eq!(export.to_string(), flow.to_ui(&vendor()).unwrap().to_string());
    }
}

#[test]
fn an_export_without_its_parts_does_not_serve() {
    assert_eq!(new_flow().to_ui(&json!([])), Err(UiError::Missing("activities")));
    let mut vendor = vendor();
    vendor["process"]["activities"] = json!({});
    assert_eq!(new_flow().to_ui(&vendor), Err(UiError::NoActivity("start")));
}

/// The flow with a callback that every caller chooses, as docs/flow.md says to add one.
fn with_callback() -> Value {
    let mut document = new_flow().to_v2();
    let node = |name: &str, properties: Value| json!({"id": name, "name": name, "activityType": "action", "group": "action", "properties": properties});
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes.push(node(
        "SetCallback",
        json!({"activityName": "set-variable", "setVariablesArray": [
            {"srcVariable": "SCV_Stage", "srcVariableType": "STRING", "expr": "callback"}]}),
    ));
    nodes.push(node("Callback", json!({"activityName": "callback", "callbackDn": "{{NewContact.ANI}}"})));
    let edges = document["edges"].as_array_mut().unwrap();
    edges.retain(|edge| edge["from"] != "Queue" || edge["condition"] != "default");
    for (from, to, condition) in [
        ("Queue", "SetCallback", "default"),
        ("SetCallback", "Callback", "out"),
        ("Callback", "End_Music", "default"),
    ] {
        edges.push(json!({"id": from, "from": from, "to": to, "condition": condition, "properties": {}}));
    }
    document
}

/// The requests of a play: the last parts of their paths, and their bodies.
fn requests(document: &Value, scenario: Scenario) -> (Ending, Vec<(String, Value)>) {
    let flow = read(&document.to_string()).unwrap();
    let bridge = bridge();
    let routes: Vec<&str> = bridge.routes.iter().map(|route| route.name).collect();
    let script = Script {
        scenario,
        caller: "+14693150217".to_owned(),
        dialed: "+18005550100".to_owned(),
        interaction_id: "fc4ec7d8-4c91-49aa-b764-081fbba344a8".to_owned(),
        digits: Vec::new(),
        stubs: &Map::new(),
        subflows: &[],
        routes: &routes,
        timeout_is_error: false,
    };
    let (mut play, mut sent) = (Play::new(&flow, script), Vec::new());
    loop {
        match play.next(Timestamp::UNIX_EPOCH) {
            Demand::Done => return (play.into_played().ending, sent),
            Demand::Send(request) => {
                let route = bridge.routes.iter().find(|route| route.name == request.route()).unwrap();
                let body = route.answers[0].to_string();
                let answer = HttpAnswer { status: 200, body, headers: Map::new() };
                let outcome = HttpOutcome { took: Duration::ZERO, result: Ok(answer) };
                sent.push((
                    request.route().to_owned(),
                    serde_json::from_str(request.body.as_deref().unwrap()).unwrap(),
                ));
                play.answered(outcome, Timestamp::UNIX_EPOCH);
            }
            Demand::AgentAccepts | Demand::SendBeside(_) => {}
        }
    }
}

#[test]
fn a_caller_who_waits_to_be_called_back_is_not_told_as_gone() {
    let document = with_callback();
    let names = |sent: &[(String, Value)]| sent.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let (_, sent) = requests(&document, Scenario::AbandonedInQueue);
    assert_eq!(names(&sent), ["createVoiceCall", "executeOmniFlow"], "the hang-up is no end");
    let (ending, sent) = requests(&document, Scenario::Callback);
    assert_eq!(ending, Ending::CalledBack);
    assert_eq!(names(&sent), ["createVoiceCall", "executeOmniFlow", "agentAnswered", "phoneContactEnded"]);
    assert!(!sent[3].1["agentId"].as_str().unwrap().is_empty(), "the agent who called back");
    let flow = read(&document.to_string()).unwrap();
    let (process, entry) = flow.on_event(&Event::CallbackFailed).unwrap();
    let told = process.reachable(&entry.id).iter().any(|activity| activity.name == "TellCallbackFailed");
    assert!(told, "a callback in vain is an end");
}
