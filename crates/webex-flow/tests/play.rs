//! Flows are played: published exports as text to look at, and each thing that can happen to a caller by a flow that shows it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends where something is not as it should be"
)]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use common::bridge;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use webex_flow::findings::{Code, Severity, of_plays};
use webex_flow::model::{Flow, read};
use webex_flow::play::{
    Demand, Ending, HttpAnswer, HttpFailure, HttpOutcome, Play, Played, Scenario, Script, SentRequest,
    Weather,
};

const ROUTES: [&str; 6] = [
    "createVoiceCall",
    "updateVoiceCall",
    "executeOmniFlow",
    "clearRouting",
    "phoneContactEnded",
    "agentAnswered",
];

/// What the bridge answers in this weather, as far as a flow sees it.
fn outcome(scenario: Scenario, request: &SentRequest) -> HttpOutcome {
    let took = Duration::from_millis(40);
    let answer =
        |status, body: &Value| Ok(HttpAnswer { status, body: body.to_string(), headers: Map::new() });
    let fault =
        json!({"data": null, "errors": [{"message": "Salesforce does not answer"}], "success": false});
    let is_create = request.route() == "createVoiceCall";
    let result = match scenario.weather() {
        Weather::BridgeUnreachable => Err(HttpFailure::Connection("connection refused".to_owned())),
        Weather::SalesforceSlow => {
            return HttpOutcome { took: request.timeout, result: Err(HttpFailure::Timeout) };
        }
        Weather::SalesforceDown => answer(503, &fault),
        Weather::CreateRefused if is_create => answer(424, &fault),
        Weather::CreateRefused | Weather::Fine => {
            let facts = bridge();
            let route = facts.routes.iter().find(|route| route.name == request.route()).unwrap();
            answer(200, &route.answers[0])
        }
    };
    HttpOutcome { took, result }
}

struct Setting {
    stubs: Map<String, Value>,
    subflows: Vec<Flow>,
    digits: Vec<String>,
}

impl Setting {
    fn plain() -> Self {
        Self { stubs: Map::new(), subflows: Vec::new(), digits: Vec::new() }
    }

    fn play(&self, flow: &Flow, scenario: Scenario, timeout_is_error: bool) -> Played {
        self.play_with(flow, scenario, timeout_is_error, |request| outcome(scenario, request))
    }

    fn play_with(
        &self,
        flow: &Flow,
        scenario: Scenario,
        timeout_is_error: bool,
        outcome: impl Fn(&SentRequest) -> HttpOutcome,
    ) -> Played {
        let script = Script {
            scenario,
            caller: scenario.caller("+14693150217"),
            dialed: "+18005550100".to_owned(),
            interaction_id: "fc4ec7d8-4c91-49aa-b764-081fbba344a8".to_owned(),
            digits: self.digits.clone(),
            stubs: &self.stubs,
            subflows: &self.subflows,
            routes: &ROUTES,
            timeout_is_error,
        };
        let now: Timestamp = "2026-11-27T10:00:00.123Z".parse().unwrap();
        let mut play = Play::new(flow, script);
        loop {
            match play.next(now) {
                Demand::Done => return play.into_played(),
                Demand::AgentAccepts | Demand::SendBeside(_) => {}
                Demand::Send(request) => play.answered(outcome(&request), now),
            }
        }
    }

    /// All scenarios that the flow can be played in.
    fn plays(&self, flow: &Flow) -> Vec<Played> {
        let mut plays = Vec::new();
        for scenario in
            Scenario::ALL.into_iter().filter(|scenario| scenario.obstacle(flow, &ROUTES).is_none())
        {
            let played = self.play(flow, scenario, false);
            if played.has_timeout() {
                plays.push(self.play(flow, scenario, true));
            }
            plays.push(played);
        }
        plays
    }

    /// The way of an answered call step by step, how each scenario ends, and what is found.
    fn told(&self, document: &str) -> String {
        let flow = read(document).unwrap();
        let mut text = String::new();
        for step in &self.play(&flow, Scenario::Answered, false).steps {
            writeln!(text, "{}", step.without_times()).unwrap();
        }
        writeln!(text).unwrap();
        for scenario in Scenario::ALL {
            match scenario.obstacle(&flow, &ROUTES) {
                Some(obstacle) => writeln!(text, "{scenario}: not played, {obstacle}").unwrap(),
                None => {
                    let played = self.play(&flow, scenario, false);
                    let queued = if played.was_queued { "queued" } else { "never queued" };
                    let count = played.steps.len();
                    writeln!(text, "{scenario}: {}, {queued}, {count} activities", played.ending).unwrap();
                }
            }
        }
        writeln!(text).unwrap();
        for finding in of_plays(&self.plays(&flow), &bridge()) {
            let (code, severity) = (finding.code, finding.severity.name());
            writeln!(text, "{code} {severity} {}: {}", finding.activity, finding.evidence).unwrap();
        }
        text
    }
}

macro_rules! exports {
    ($($name:ident $file:literal)*) => {
        $(#[test]
        fn $name() {
            let export = include_str!(concat!("../../../tests/fixtures/flows/", $file));
            insta::assert_snapshot!(Setting::plain().told(export));
        })*
    };
}

exports! {
    the_vendors_flow "ServiceCloudVoice_Template.json"
    the_analyzer_lab "public/TeamCCEP_teamccep.github.io__AnalyzerLab_Flow.json"
    the_on_call_changer "public/TeamCCEP_teamccep.github.io__CC_OnCall_Changer_GlobalVariable.json"
    the_status_changer "public/TeamCCEP_teamccep.github.io__CC_Status_Changer_GlobalVariable.json"
    the_flow_template "public/TeamCCEP_teamccep.github.io__flow_template.json"
    the_subflow "public/TeamCCEP_teamccep.github.io__subflow.json"
}

#[test]
fn the_main_flow_with_its_subflow() {
    let file = include_str!("../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__subflow.json");
    let setting = Setting { subflows: vec![read(file).unwrap()], ..Setting::plain() };
    let main =
        include_str!("../../../tests/fixtures/flows/public/TeamCCEP_teamccep.github.io__mainflow.json");
    insta::assert_snapshot!(setting.told(main));
}

/// A flow in FlowV2: a start, then these nodes in a row, then a queue and music; and event flows.
fn flow(nodes: &[Value], events: &[(&str, &[Value])]) -> Flow {
    let node = |name: &str, group: &str, properties: Value| json!({"id": name, "name": name, "activityType": group, "group": group, "properties": properties});
    let row = |start: &str, nodes: &[Value]| -> Vec<Value> {
        let mut edges = Vec::new();
        let mut from = start.to_owned();
        for node in nodes {
            let to = node["name"].as_str().unwrap().to_owned();
            for condition in ["out", "default", "true", "1"] {
                edges.push(json!({"id": format!("{from}-{condition}"), "from": from, "to": to, "condition": condition, "properties": {}}));
            }
            from = to;
        }
        edges
    };
    let mut main = nodes.to_vec();
    main.push(node("Queue", "action", json!({"activityName": "queue-contact", "queueId": "q"})));
    main.push(node(
        "Music",
        "action",
        json!({"activityName": "play-music", "duration": 10, "prompt": "x.wav"}),
    ));
    let edges = row("Start", &main);
    main.insert(0, node("Start", "start", json!({"activityName": "start"})));
    let (mut event_nodes, mut event_edges, mut on_events) = (Vec::new(), Vec::new(), Map::new());
    for (event, nodes) in events {
        event_nodes.push(node(
            event,
            "event",
            json!({"activityName": "event", "eventSpecificationName": event}),
        ));
        event_edges.extend(row(event, nodes));
        event_nodes.extend(nodes.iter().cloned());
        on_events.insert((*event).to_owned(), json!(event));
    }
    let variables = json!([
        {"name": "Id", "type": "STRING", "value": ""}, {"name": "Count", "type": "INTEGER", "value": "5"},
        {"name": "Name", "type": "STRING", "value": "x"},
    ]);
    let document = json!({
        "name": "Played", "flowType": "FLOW", "variables": variables, "nodes": main, "edges": edges,
        "eventFlows": {"GLOBAL_EVENTS": {"name": "GLOBAL_EVENTS", "id": "g", "onEvents": on_events, "nodes": event_nodes, "edges": event_edges}},
    });
    read(&document.to_string()).unwrap()
}

fn action(name: &str, properties: impl Into<Value>) -> Value {
    json!({"id": name, "name": name, "activityType": "action", "group": "action", "properties": properties.into()})
}

fn create(body: &str) -> Value {
    action(
        "Create",
        json!({
            "activityName": "http-request-v2", "authenticated": true, "connectorId": "c", "httpRequestPath": "/voice/v1/createVoiceCall",
            "httpRequestMethod": "POST", "httpContentType": "Application/JSON", "contentType": "JSON", "httpResponseTimeout": 2000,
            "retryAttempts": 1, "httpRequestBody": body, "outputVariableArray": [{"outputVariable": "Id", "jsonPathExp": "$.data.voiceCallId"}],
        }),
    )
}

fn set(variable: &str, value: &str) -> Value {
    action(
        &format!("Set{variable}"),
        json!({"activityName": "set-variable", "setVariablesArray": [{"srcVariable": variable, "srcVariableType": "STRING", "expr": value}]}),
    )
}

fn codes(plays: &[Played]) -> BTreeSet<Code> {
    of_plays(plays, &bridge()).into_iter().map(|finding| finding.code).collect()
}

#[test]
fn an_answer_fills_variables_by_their_type() {
    let flow = flow(&[create(r#"{"from": "{{Start.ANI}}"}"#), set("Count", "{{ Count + 2 }}")], &[]);
    let played = Setting::plain().play(&flow, Scenario::Answered, false);
    assert_eq!(played.ending, Ending::Answered);
    let set: Vec<_> = played.steps.iter().flat_map(|step| step.set.clone()).collect();
    assert_eq!(set, [("Id".to_owned(), json!("0LQ5g000000abcDGAQ")), ("Count".to_owned(), json!(7))]);
    let sent = &played.steps[1].exchanges[0].request;
    assert_eq!(sent.body.as_deref(), Some(r#"{"from": "+14693150217"}"#));
}

#[test]
fn an_answer_of_500_is_asked_for_again_as_often_as_the_activity_says() {
    let flow = flow(&[create("{}")], &[]);
    let played = Setting::plain().play(&flow, Scenario::SalesforceDown, false);
    assert_eq!(played.steps[1].exchanges.len(), 2);
    assert!(played.was_queued, "every status leaves by the same exit");
}

#[test]
fn a_connection_that_fails_drops_the_caller_unless_an_error_flow_queues() {
    let lone = flow(&[create("{}")], &[]);
    let played = Setting::plain().play(&lone, Scenario::BridgeUnreachable, false);
    assert_eq!(played.ending, Ending::Dropped { activity: "Create".to_owned() });
    assert!(codes(&[played]).contains(&Code::NoErrorEdge));
    let queue = [action("ErrorQueue", json!({"activityName": "queue-contact", "queueId": "q"}))];
    let kept = flow(&[create("{}")], &[("GlobalErrorHandling", &queue)]);
    let played = Setting::plain().play(&kept, Scenario::BridgeUnreachable, false);
    assert_eq!((&played.ending, played.was_queued), (&Ending::Answered, true));
    assert!(!codes(&[played]).contains(&Code::NoErrorEdge));
}

#[test]
fn a_timeout_is_played_both_ways() {
    let flow = flow(&[create("{}")], &[]);
    let by_exit = Setting::plain().play(&flow, Scenario::SalesforceSlow, false);
    assert_eq!(by_exit.ending, Ending::Answered);
    let by_error = Setting::plain().play(&flow, Scenario::SalesforceSlow, true);
    assert_eq!(by_error.ending, Ending::Dropped { activity: "Create".to_owned() });
    assert!(codes(&[by_exit]).contains(&Code::Timeout));
}

#[test]
fn an_expression_that_fails_for_one_caller_is_found_with_the_scenario() {
    let flow = flow(&[set("Name", "{{ Start.ANI | slice(Start.ANI.length - 10, Start.ANI.length) }}")], &[]);
    let fine = Setting::plain().play(&flow, Scenario::Answered, false);
    assert_eq!(fine.ending, Ending::Answered);
    let anonymous = Setting::plain().play(&flow, Scenario::AnonymousCaller, false);
    assert_eq!(anonymous.ending, Ending::Dropped { activity: "SetName".to_owned() });
    let findings = of_plays(&[fine, anonymous], &bridge());
    let found = findings.iter().find(|finding| finding.code == Code::ExpressionFails).unwrap();
    assert!(found.evidence.ends_with("(anonymous-caller)"), "{}", found.evidence);
}

#[test]
fn a_body_that_is_no_json_is_shown_where_it_breaks() {
    let flow = flow(&[create(r#"{"from": {{Start.ANI}}x, "to": 1}"#)], &[]);
    let findings = of_plays(&[Setting::plain().play(&flow, Scenario::Answered, false)], &bridge());
    let found = findings.iter().find(|finding| finding.code == Code::BodyNoJson).unwrap();
    assert!(found.evidence.contains("between `{\"from\":`"), "{}", found.evidence);
}

#[test]
fn a_variable_that_this_way_does_not_set_is_told() {
    let flow = flow(&[create(r#"{"id": "{{Id}}"}"#)], &[]);
    assert!(codes(&[Setting::plain().play(&flow, Scenario::Answered, false)]).contains(&Code::NeverSet));
}

#[test]
fn digits_lead_where_the_caller_wants_and_otherwise_to_the_queue() {
    let menu = action(
        "Menu",
        json!({"activityName": "ivr-menu", "prompts": [{"name": "x.wav", "type": "audio"}], "menuLinks": ["1", "2"], "menuLinks:input": ["Sales", "Bye"]}),
    );
    let flow = flow(&[menu], &[]);
    assert!(Setting::plain().play(&flow, Scenario::Answered, false).was_queued);
    let setting = Setting { digits: vec!["2".to_owned()], ..Setting::plain() };
    let played = setting.play(&flow, Scenario::Answered, false);
    assert_eq!((played.ending, played.was_queued), (Ending::Disconnected, false));
    let early = Setting::plain().play(&flow, Scenario::AbandonedInIvr, false);
    assert_eq!((early.ending, early.was_queued), (Ending::HungUp, false));
}

#[test]
fn a_caller_who_never_enters_what_is_asked_for_ends_the_play() {
    let again = action(
        "Again",
        json!({"activityName": "play-message", "prompts": [{"name": "x.wav", "type": "audio"}]}),
    );
    let mut document = serde_json::to_value(json!({
        "name": "Loop", "flowType": "FLOW", "variables": [],
        "nodes": [{"id": "Start", "name": "Start", "activityType": "start", "group": "start", "properties": {"activityName": "start"}}],
        "edges": [
            {"id": "1", "from": "Start", "to": "Again", "condition": "out", "properties": {}},
            {"id": "2", "from": "Again", "to": "Again", "condition": "default", "properties": {}},
        ],
    }))
    .unwrap();
    document["nodes"].as_array_mut().unwrap().push(again);
    let events = json!({"GLOBAL_EVENTS": {"name": "g", "id": "g", "onEvents": {"ContactEnded": "Ended"}, "edges": [], "nodes": [
        {"id": "Ended", "name": "Ended", "activityType": "event", "group": "event",
            "properties": {"activityName": "event", "eventSpecificationName": "ContactEnded"}}]}});
    document["eventFlows"] = events;
    let flow = read(&document.to_string()).unwrap();
    assert_eq!(Setting::plain().play(&flow, Scenario::Answered, false).ending, Ending::Endless);
}

#[test]
fn secure_values_are_shown_nowhere() {
    let mut flow = flow(&[set("Name", "{{ Id }}"), create(r#"{"id": "{{Name}}"}"#)], &[]);
    let id = flow.variables.iter_mut().find(|variable| variable.name == "Id").unwrap();
    (id.is_secure, id.default) = (true, Some("TOPSECRET".to_owned()));
    let played = Setting::plain().play(&flow, Scenario::Answered, false);
    assert!(!format!("{played:?}").contains("TOPSECRET"), "{played:?}");
}

#[test]
fn what_does_not_answer_as_the_bridge_does_is_told() {
    let flow = flow(&[create("{}")], &[]);
    let answers = [
        Err(HttpFailure::Connection("connection refused".to_owned())),
        Err(HttpFailure::Timeout),
        Ok(HttpAnswer { status: 302, body: String::new(), headers: Map::new() }),
        Ok(HttpAnswer { status: 200, body: "<html>".to_owned(), headers: Map::new() }),
        Ok(HttpAnswer { status: 200, body: "{}".to_owned(), headers: Map::new() }),
    ];
    for answer in answers {
        let played = Setting::plain().play_with(&flow, Scenario::Answered, false, |_| HttpOutcome {
            took: Duration::ZERO,
            result: answer.clone(),
        });
        let findings = of_plays(&[played], &bridge());
        let is_told = |code, severity: Severity| {
            findings.iter().any(|one| one.code == code && one.severity == severity)
        };
        assert!(is_told(Code::Refused, Severity::Serious), "{answer:?}: {findings:?}");
    }
}

#[test]
fn a_caller_waits_for_no_end_of_the_music() {
    let flow = flow(&[], &[]);
    let played = Setting::plain().play(&flow, Scenario::AbandonedInQueue, false);
    let ways: Vec<_> = played.steps.iter().map(|step| (step.activity.as_str(), step.at.as_secs())).collect();
    assert_eq!(ways, [("Start", 0), ("Queue", 0), ("Music", 0)]);
    let answered = Setting::plain().play(&flow, Scenario::Answered, false);
    assert!(answered.steps.iter().all(|step| step.at <= Duration::from_secs(120)), "{:?}", answered.steps);
}

#[test]
fn what_cannot_be_played_is_told_or_given() {
    let function = action(
        "Score",
        json!({"activityName": "fn-activity", "functionId": "f", "fnInputVariables": [], "fnOutputVariables": [{"outputVariable": "Name", "jsonPathExp": "$.score"}]}),
    );
    let flow = flow(&[function], &[]);
    assert!(codes(&[Setting::plain().play(&flow, Scenario::Answered, false)]).contains(&Code::NotUnderstood));
    let stubs = Map::from_iter([("Score".to_owned(), json!({"score": "high"}))]);
    let setting = Setting { stubs, ..Setting::plain() };
    let played = setting.play(&flow, Scenario::Answered, false);
    assert_eq!(played.steps[1].set, [("Name".to_owned(), json!("high"))]);
    assert_eq!(codes(&[played]), BTreeSet::new());
}

#[test]
fn a_subflow_is_given_its_inputs_and_gives_back_its_outputs() {
    let subflow = json!({
        "name": "Ask", "flowType": "SUBFLOW",
        "variables": [{"name": "In", "type": "STRING", "source": "INPUT"}, {"name": "Out", "type": "STRING", "source": "OUTPUT"}],
        "nodes": [
            {"id": "S", "name": "S", "activityType": "start", "group": "start-subflow", "properties": {"activityName": "NewSubFlowStart"}},
            set("Out", "{{ In }}!"),
            {"id": "E", "name": "E", "activityType": "end-subflow", "group": "end", "properties": {"activityName": "end-subflow"}},
        ],
        "edges": [
            {"id": "1", "from": "S", "to": "SetOut", "condition": "out", "properties": {}},
            {"id": "2", "from": "SetOut", "to": "E", "condition": "out", "properties": {}},
        ],
    });
    let handed = action(
        "Sub",
        json!({
            "activityName": "subflow-handoff", "subflowId": "s", "subflowId:name": "Ask",
            "subflowInputVariables": [{"src": "Name", "target": "In"}], "subflowOutputVariables": [{"src": "Id", "target": "Out"}],
        }),
    );
    let flow = flow(&[handed, set("Name", "{{ Id }}")], &[]);
    let setting = Setting { subflows: vec![read(&subflow.to_string()).unwrap()], ..Setting::plain() };
    let played = setting.play(&flow, Scenario::Answered, false);
    assert_eq!((&played.ending, codes(std::slice::from_ref(&played))), (&Ending::Answered, BTreeSet::new()));
    let last = played.steps.iter().flat_map(|step| step.set.clone()).next_back().unwrap();
    assert_eq!(last, ("Name".to_owned(), json!("x!")));
    let played = Setting::plain().play(&flow, Scenario::Answered, false);
    assert_eq!(codes(&[played]), BTreeSet::from([Code::NotUnderstood]));
    let (mut setting, mut flow) = (setting, flow);
    let name = flow.variables.iter_mut().find(|variable| variable.name == "Name").unwrap();
    name.default = Some("TOPSECRET".to_owned());
    let out = setting.subflows[0].variables.iter_mut().find(|variable| variable.name == "Out").unwrap();
    out.is_secure = true;
    let played = setting.play(&flow, Scenario::Answered, false);
    assert!(!format!("{played:?}").contains("TOPSECRET!"), "a secure value of a subflow: {played:?}");
}

#[test]
fn a_transferred_call_comes_a_second_time_and_events_bring_the_agent() {
    let ended = [create(r#"{"agent": "{{PhoneContactEnded.AgentID}}"}"#)];
    let flow = flow(&[set("Name", "{{ Start.InteractionId }}")], &[("ContactEnded", &ended)]);
    let played = Setting::plain().play(&flow, Scenario::Transferred, false);
    let queues = played.steps.iter().filter(|step| step.activity == "Queue").count();
    assert_eq!((played.ending, queues), (Ending::Answered, 2));
    let bodies: Vec<_> = played
        .steps
        .iter()
        .flat_map(|step| &step.exchanges)
        .map(|exchange| exchange.request.body.clone())
        .collect();
    assert!(bodies[0].as_deref().unwrap().len() > r#"{"agent": ""}"#.len(), "the agent who had the call");
    let played = Setting::plain().play(&flow, Scenario::AbandonedInQueue, false);
    let body = played.steps.iter().flat_map(|step| &step.exchanges).next().unwrap().request.body.clone();
    assert_eq!(body.as_deref(), Some(r#"{"agent": ""}"#));
}
