//! The flow as FlowV2. Node names are its ids: edges name nodes, and the same flow is the same text.

use serde::Serialize;
use serde_json::Value;

use super::plan::{Kind, Plan, Process, Request, Step};

/// What the flow is for.
pub(super) const DESCRIPTION: &str =
    "Calls between Webex Contact Center and Salesforce Service Cloud Voice, by scv-bridge";
/// The event flows of a flow stand under this name.
const GLOBAL_EVENTS: &str = "GLOBAL_EVENTS";
const TEXT_TO_SPEECH: &str = "Cisco Cloud Text-to-Speech";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    name: &'a str,
    flow_type: &'static str,
    description: &'static str,
    variables: Vec<V2Variable>,
    nodes: Vec<V2Node<'a>>,
    edges: Vec<V2Edge<'a>>,
    event_flows: EventFlows<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct V2Variable {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'static str,
    description: &'static str,
    is_reportable: bool,
    #[serde(rename = "isCAD")]
    is_cad: bool,
    is_agent_editable: bool,
    is_secure: bool,
    is_externalized: bool,
    desktop_label: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct V2Node<'a> {
    id: &'a str,
    name: &'a str,
    activity_type: &'static str,
    group: &'static str,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct V2Edge<'a> {
    id: String,
    from: &'a str,
    to: &'a str,
    condition: &'a str,
    properties: Empty,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct EventFlows<'a> {
    #[serde(rename = "GLOBAL_EVENTS")]
    global: EventFlow<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventFlow<'a> {
    name: &'static str,
    description: &'static str,
    id: &'static str,
    on_events: serde_json::Map<String, Value>,
    nodes: Vec<V2Node<'a>>,
    edges: Vec<V2Edge<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    activity_name: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(flatten)]
    fields: V2Fields<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum V2Fields<'a> {
    None {},
    #[serde(rename_all = "camelCase")]
    Start {
        flow_type: EventName<'a>,
    },
    #[serde(rename_all = "camelCase")]
    Event {
        #[serde(flatten)]
        source: EventName<'a>,
        event: &'a str,
        display_name: &'a str,
    },
    #[serde(rename_all = "camelCase")]
    Set {
        activity_id: &'static str,
        activity_type: &'static str,
        #[serde(flatten)]
        first: Option<Assignment<'a>>,
        set_variables_array: Vec<Assignment<'a>>,
    },
    #[serde(rename_all = "camelCase")]
    Condition {
        activity_id: &'static str,
        activity_type: &'static str,
        expression: &'static str,
    },
    Http(Box<Http<'a>>),
    #[serde(rename_all = "camelCase")]
    Queue {
        queue_id: &'a str,
        toggle: bool,
        toggle_agent_availability: bool,
        skills: Option<()>,
    },
    #[serde(rename_all = "camelCase")]
    Music {
        audio_radio_group: &'static str,
        prompt: &'a str,
        #[serde(rename = "prompt:name")]
        prompt_name: &'a str,
        #[serde(rename = "prompt_name")]
        prompt_name_again: &'a str,
        duration: &'static str,
        skip: u8,
    },
    Message(Message),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventName<'a> {
    event_source_name: &'static str,
    event_classification_name: &'static str,
    event_specification_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Assignment<'a> {
    set_to: &'static str,
    src_variable_type: &'static str,
    src_variable: &'a str,
    literal: &'a str,
    expr: &'a str,
    #[serde(rename = "literal_invalid_error")]
    literal_invalid_error: bool,
}

/// What is chosen from a list is written three times.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    authenticated: bool,
    connector_id: &'a str,
    #[serde(rename = "connectorId:name")]
    connector_name: &'a str,
    #[serde(rename = "connectorId_name")]
    connector_name_again: &'a str,
    http_request_path: &'a str,
    http_request_method: &'static str,
    #[serde(rename = "httpRequestMethod:name")]
    method_name: &'static str,
    #[serde(rename = "httpRequestMethod_name")]
    method_name_again: &'static str,
    http_content_type: &'static str,
    #[serde(rename = "httpContentType:name")]
    content_type_name: &'static str,
    #[serde(rename = "httpContentType_name")]
    content_type_name_again: &'static str,
    content_type: &'static str,
    #[serde(rename = "contentType:name")]
    parse_name: &'static str,
    #[serde(rename = "contentType_name")]
    parse_name_again: &'static str,
    http_request_headers: Empty,
    http_query_parameters: Empty,
    http_request_body: &'a str,
    http_response_timeout: u64,
    retry_attempts: u8,
    output_variable_array: Vec<Output<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    output_variable: &'a str,
    json_path_exp: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Message {
    toggle: bool,
    prompts_tts: [Spoken; 1],
    prompts: Option<()>,
    connector: &'static str,
    #[serde(rename = "connector_name")]
    connector_name: &'static str,
    #[serde(rename = "connector:name")]
    connector_name_again: &'static str,
    #[serde(rename = "connector_type")]
    connector_type: &'static str,
    #[serde(rename = "connector:type")]
    connector_type_again: &'static str,
    speaking_rate: u8,
    volume_gain_db: u8,
}

#[derive(Serialize)]
struct Spoken {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    value: &'static str,
}

pub(super) fn write(plan: &Plan) -> Value {
    let on_events = plan.events.steps.iter().filter_map(|step| match step.kind {
        Kind::Event { specification } => Some((specification.to_owned(), Value::from(step.name.as_str()))),
        _ => None,
    });
    let document = Document {
        name: &plan.name,
        flow_type: "FLOW",
        description: DESCRIPTION,
        variables: plan.variables.iter().map(variable).collect(),
        nodes: nodes(plan, &plan.main),
        edges: edges(&plan.main),
        event_flows: EventFlows {
            global: EventFlow {
                name: "Event flows",
                description: "Agent answered, call ended, errors",
                id: GLOBAL_EVENTS,
                on_events: on_events.collect(),
                nodes: nodes(plan, &plan.events),
                edges: edges(&plan.events),
            },
        },
    };
    // Texts, numbers and maps of texts: always JSON.
    serde_json::to_value(document).unwrap_or_default()
}

/// The properties of one activity.
pub(super) fn properties(plan: &Plan, step: &Step) -> Value {
    serde_json::to_value(node(plan, step).properties).unwrap_or_default()
}

fn variable(variable: &super::plan::PlannedVariable) -> V2Variable {
    V2Variable {
        name: variable.name,
        kind: "STRING",
        value: "",
        description: variable.description,
        is_reportable: false,
        is_cad: !variable.label.is_empty(),
        is_agent_editable: false,
        is_secure: false,
        is_externalized: false,
        desktop_label: variable.label,
    }
}

fn edges(process: &Process) -> Vec<V2Edge<'_>> {
    let edges = process.edges.iter().map(|edge| V2Edge {
        id: format!("{}-{}", edge.from, edge.port),
        from: &edge.from,
        to: &edge.to,
        condition: edge.port,
        properties: Empty {},
    });
    edges.collect()
}

fn nodes<'a>(plan: &'a Plan, process: &'a Process) -> Vec<V2Node<'a>> {
    process.steps.iter().map(|step| node(plan, step)).collect()
}

fn node<'a>(plan: &'a Plan, step: &'a Step) -> V2Node<'a> {
    let (activity_type, group, activity_name) = match &step.kind {
        Kind::Start => ("start", "action", "start"),
        Kind::Event { .. } => ("event", "action", "event"),
        Kind::Set(_) => ("action", "set-variable", "set-variable"),
        Kind::Http(_) => ("action", "http-request", "http-request-v2"),
        Kind::Condition(_) => ("action", "enum-gateway", "condition-activity"),
        Kind::Queue(_) => ("action", "action", "queue-contact"),
        Kind::Music(_) => ("action", "action", "play-music"),
        Kind::Message(_) => ("action", "action", "play-message"),
        Kind::MediaStream => ("action", "action", "start-media-stream"),
        Kind::Disconnect => ("end", "terminating-action", "disconnect-contact"),
        Kind::End => ("end", "action", "end"),
    };
    let properties = Properties { activity_name, description: step.description, fields: fields(plan, step) };
    V2Node { id: &step.name, name: &step.name, activity_type, group, properties }
}

fn fields<'a>(plan: &'a Plan, step: &'a Step) -> V2Fields<'a> {
    match &step.kind {
        Kind::Start => V2Fields::Start { flow_type: event("ContactStartWorkflow") },
        Kind::Event { specification } => {
            V2Fields::Event { source: event(specification), event: &step.name, display_name: &step.name }
        }
        Kind::Set(rows) => {
            let row = |(variable, value): &'a (&'static str, String)| assignment(variable, value);
            V2Fields::Set {
                activity_id: "set-variable",
                activity_type: "logic",
                first: rows.first().map(row),
                set_variables_array: rows.iter().map(row).collect(),
            }
        }
        Kind::Http(request) => V2Fields::Http(Box::new(http(plan, request))),
        Kind::Condition(expression) => {
            V2Fields::Condition { activity_id: "condition-activity", activity_type: "logic", expression }
        }
        Kind::Queue(queue) => V2Fields::Queue {
            queue_id: &queue.id,
            toggle: false,
            toggle_agent_availability: false,
            skills: None,
        },
        Kind::Music(file) => V2Fields::Music {
            audio_radio_group: "staticAudio",
            prompt: file,
            prompt_name: file,
            prompt_name_again: file,
            duration: "120",
            skip: 0,
        },
        Kind::Message(words) => V2Fields::Message(message(words)),
        Kind::MediaStream | Kind::Disconnect | Kind::End => V2Fields::None {},
    }
}

fn event(specification: &str) -> EventName<'_> {
    EventName {
        event_source_name: "WebexContactCenter",
        event_classification_name: "VoiceInteractions",
        event_specification_name: specification,
    }
}

fn assignment<'a>(variable: &'a str, value: &'a str) -> Assignment<'a> {
    Assignment {
        set_to: "set-to-literal",
        src_variable_type: "STRING",
        src_variable: variable,
        literal: value,
        expr: value,
        literal_invalid_error: false,
    }
}

fn http<'a>(plan: &'a Plan, request: &'a Request) -> Http<'a> {
    const JSON_BODY: &str = "Application/JSON";
    let outputs = request.outputs.iter();
    Http {
        authenticated: true,
        connector_id: &plan.connector.id,
        connector_name: &plan.connector.name,
        connector_name_again: &plan.connector.name,
        http_request_path: &request.path,
        http_request_method: "POST",
        method_name: "POST",
        method_name_again: "POST",
        http_content_type: JSON_BODY,
        content_type_name: JSON_BODY,
        content_type_name_again: JSON_BODY,
        content_type: "JSON",
        parse_name: "JSON",
        parse_name_again: "JSON",
        http_request_headers: Empty {},
        http_query_parameters: Empty {},
        http_request_body: &request.body,
        http_response_timeout: request.timeout_ms,
        retry_attempts: request.retries,
        output_variable_array: outputs
            .map(|(variable, path)| Output { output_variable: variable, json_path_exp: path })
            .collect(),
    }
}

fn message(words: &'static str) -> Message {
    Message {
        toggle: true,
        prompts_tts: [Spoken { name: words, kind: "tts", value: words }],
        prompts: None,
        connector: TEXT_TO_SPEECH,
        connector_name: TEXT_TO_SPEECH,
        connector_name_again: TEXT_TO_SPEECH,
        connector_type: TEXT_TO_SPEECH,
        connector_type_again: TEXT_TO_SPEECH,
        speaking_rate: 1,
        volume_gain_db: 0,
    }
}
