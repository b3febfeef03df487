//! Tells by the name in an export what an activity does, and reads its fields.

use serde_json::{Map, Value};

use super::event::Event;
use super::fields::{Fields, text_of};
use super::gap::Gap;
use super::kind::{
    ActivityKind, Allocation, Assignment, Branch, Choice, HttpRequest, Mapping, Output, Prompt, QueueContact,
};
use super::variable::VariableType;

/// The default of the HTTP activity.
const DEFAULT_TIMEOUT_MS: u64 = 2000;
/// The default of the HTTP activity.
const DEFAULT_RETRIES: u64 = 1;

/// The fields around the properties of an activity.
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) group: &'a str,
    pub(super) activity_type: &'a str,
    pub(super) properties: &'a Map<String, Value>,
}

/// Reads what an activity does.
pub(super) fn read(node: &Node<'_>, gaps: &mut Vec<Gap>) -> ActivityKind {
    let named = node.properties.get("activityName").and_then(Value::as_str).filter(|name| !name.is_empty());
    let activity_type = named.unwrap_or(node.activity_type);
    let mut fields = Fields::new(node.properties, node.name.to_owned(), gaps);
    // Older exports call an event activity by its event, and a start by its trigger.
    if matches!(node.group, "event") || activity_type.eq_ignore_ascii_case("event") {
        return ActivityKind::Event(event(node, activity_type, &mut fields));
    }
    if node.group == "start-subflow" || matches!(activity_type, "NewSubFlowStart" | "start-subflow") {
        return ActivityKind::SubflowStart;
    }
    if node.group == "start" || matches!(activity_type, "start" | "NewPhoneContact" | "NewContact") {
        return ActivityKind::Start(event(node, activity_type, &mut fields));
    }
    if activity_type.is_empty() {
        fields.gap("activityName", "is missing");
    }
    routing(activity_type, &mut fields)
        .or_else(|| logic(activity_type, &mut fields))
        .or_else(|| speech(activity_type, &mut fields))
        .or_else(|| contact(activity_type, &mut fields))
        .unwrap_or_else(|| ActivityKind::Unknown { activity_type: activity_type.to_owned() })
}

fn event(node: &Node<'_>, activity_type: &str, fields: &mut Fields<'_>) -> Event {
    let nested = node.properties.get("flowType").and_then(|flow| flow.get("eventSpecificationName"));
    let name = fields
        .text("eventSpecificationName")
        .or_else(|| nested.and_then(Value::as_str).map(str::to_owned))
        .or_else(|| fields.text("event"));
    match name {
        Some(name) => Event::from_name(&name),
        None => match Event::from_name(activity_type) {
            Event::Other(_) => Event::from_name(node.name),
            event => event,
        },
    }
}

fn logic(activity_type: &str, fields: &mut Fields<'_>) -> Option<ActivityKind> {
    Some(match activity_type {
        "set-variable" => ActivityKind::SetVariable(assignments(fields)),
        "condition-activity" => {
            ActivityKind::Condition { expression: fields.required("expression").unwrap_or_default() }
        }
        "case-statement" => ActivityKind::Case {
            expression: fields.required("expression").unwrap_or_default(),
            cases: branches(fields),
        },
        "business-hours" => ActivityKind::BusinessHours {
            schedule: choice(fields, "businessHoursId", &["businessHoursVariable"], true),
        },
        "percent-allocation" => ActivityKind::PercentageAllocation(allocations(fields)),
        "http-request-v2" | "http-request" => ActivityKind::HttpRequest(Box::new(http_request(fields))),
        "bre-request" => ActivityKind::RulesRequest {
            query: fields.pairs("httpQueryParameters"),
            outputs: outputs(fields, "outputVariableArray"),
        },
        "parse-activity" => ActivityKind::Parse {
            input: fields.required("inputVariable").unwrap_or_default(),
            content_type: fields.text("contentType"),
            outputs: outputs(fields, "outputVariableArray"),
        },
        "fn-activity" => function(fields),
        "subflow-handoff" => subflow(fields),
        "wait-activity" => ActivityKind::Wait { duration: fields.required("duration") },
        "end" => ActivityKind::EndFlow,
        "end-subflow" => ActivityKind::EndSubflow,
        _ => return None,
    })
}

fn routing(activity_type: &str, fields: &mut Fields<'_>) -> Option<ActivityKind> {
    Some(match activity_type {
        "queue-contact" => ActivityKind::QueueContact(queue_contact(fields)),
        "queue-to-agent" => ActivityKind::QueueToAgent {
            agent: fields.required("destinationVariable").unwrap_or_default(),
            lookup: fields.text("destinationLookupType"),
            reporting_queue: choice(fields, "reportingQueue", &["destinationReportingQueueVariable"], true),
            recovery_queue: choice(fields, "recoveryQueue", &["destinationRecoveryQueueVariable"], false),
            is_parked: fields.flag("parkContactToggle", false),
        },
        "callback" => ActivityKind::Callback {
            number: fields.text("callbackDn"),
            queue: choice(fields, "callbackQueue", &[], false),
            caller_id: fields.text("callbackAni"),
        },
        "scheduled-callback" => ActivityKind::ScheduledCallback {
            number: fields.text("callbackDn"),
            queue: choice(fields, "callbackQueue", &[], true),
            date: fields.required("scheduleDate"),
            window: (fields.required("scheduleStartTime"), fields.required("scheduleEndTime")),
            time_zone: fields.required("scheduleTimezone"),
        },
        "queue-lookup" => ActivityKind::GetQueueInfo {
            queue: choice(fields, "destination", &["destinationVariable"], true),
            lookback_minutes: fields.number("ewtLookbackMinutes"),
        },
        "advanced-queue-info" => ActivityKind::AdvancedQueueInfo {
            queue: choice(fields, "destination", &["destinationVariable"], true),
        },
        "escalate-cdg" => {
            ActivityKind::EscalateCallDistribution { group: fields.required("callDistributionGroup") }
        }
        "blind-transfer" => {
            ActivityKind::BlindTransfer { number: fields.required("transfertodn").unwrap_or_default() }
        }
        "bridged-transfer" => ActivityKind::BridgedTransfer {
            number: fields.required("transfertodn").unwrap_or_default(),
            timeout_seconds: fields.number("timeout"),
        },
        "hand-off" | "goto-flow" => {
            ActivityKind::HandOff { target: choice(fields, "handOffFlow", &["handOffFlowVariable"], true) }
        }
        _ => return None,
    })
}

fn speech(activity_type: &str, fields: &mut Fields<'_>) -> Option<ActivityKind> {
    Some(match activity_type {
        "play-message" => ActivityKind::PlayMessage(prompts(fields)),
        "play-music" => ActivityKind::PlayMusic {
            file: choice(fields, "prompt", &["promptDynamic"], true),
            duration_seconds: fields.number("duration"),
        },
        "ivr-menu" => ActivityKind::Menu {
            prompts: prompts(fields),
            digits: branches(fields),
            entry_timeout_seconds: fields.number("entryTimeout"),
            is_interruptible: fields.flag("interruptible", false),
        },
        "ivr-collectdigits" => ActivityKind::CollectDigits {
            prompts: prompts(fields),
            minimum: fields.number("minDigits"),
            maximum: fields.number("maxDigits"),
            terminator: fields.text("terminatorSymbol"),
            entry_timeout_seconds: fields.number("entryTimeout"),
            inter_digit_timeout_seconds: fields.number("interDigitTimeout"),
        },
        "record" => ActivityKind::Record { maximum_seconds: fields.number("maxRecordingTime") },
        "send-digits" => {
            ActivityKind::SendDigits { digits: fields.required("transferoutdigits").unwrap_or_default() }
        }
        "ivr-virtualassistantvoice" | "ivr-virtualassistant" => {
            ActivityKind::VirtualAgent { id: fields.text("virtualAgentId") }
        }
        "set-whisperannouncement" => ActivityKind::SetWhisperAnnouncement(prompts(fields)),
        _ => return None,
    })
}

fn contact(activity_type: &str, fields: &mut Fields<'_>) -> Option<ActivityKind> {
    Some(match activity_type {
        "SetCallerID" | "set-caller-id" => ActivityKind::SetCallerId { number: fields.text("callerId") },
        "set-contact-priority" => ActivityKind::SetContactPriority { priority: priority(fields) },
        "RecordingControl" => ActivityKind::RecordingControl,
        "set-announcement" => ActivityKind::SetAnnouncement,
        "start-media-stream" => ActivityKind::StartMediaStream,
        "screen-pop" => ActivityKind::ScreenPop {
            url: fields.required("screenPopUrl"),
            query: fields.pairs("queryParameters"),
        },
        "Feedback" | "feedback" => ActivityKind::Feedback { method: fields.text("dispatch") },
        "Feedback-V2" | "feedback-v2" => ActivityKind::Feedback { method: fields.required("surveyMethod") },
        "disconnect-contact" => ActivityKind::DisconnectContact,
        _ => return None,
    })
}

/// All rows; older exports hold the only one in the activity itself.
fn assignments(fields: &mut Fields<'_>) -> Vec<Assignment> {
    let rows = fields.list("setVariablesArray");
    if rows.is_empty() {
        let value = fields.text("expr").or_else(|| fields.text("literal"));
        return vec![Assignment {
            variable: fields.required("srcVariable").unwrap_or_default(),
            value_type: VariableType::from_name(&fields.text("srcVariableType").unwrap_or_default()),
            value: value.unwrap_or_default(),
            is_variable: fields.text("setTo").is_some_and(|source| source == "set-to-variable"),
        }];
    }
    let mut assignments = Vec::new();
    for row in rows {
        let Some(variable) = Fields::member(row, &["srcVariable"]).filter(|name| !name.is_empty()) else {
            fields.gap("setVariablesArray", "has a row without a variable");
            continue;
        };
        let value_type = Fields::member(row, &["srcVariableType"]).unwrap_or_default();
        assignments.push(Assignment {
            variable,
            value_type: VariableType::from_name(&value_type),
            value: Fields::member(row, &["expr", "literal"]).unwrap_or_default(),
            is_variable: Fields::member(row, &["setTo"]).is_some_and(|source| source == "set-to-variable"),
        });
    }
    assignments
}

/// Digits of a menu or cases: exits in `menuLinks`, values in `menuLinks:input`; FlowV2 writes `menuOptions`.
fn branches(fields: &mut Fields<'_>) -> Vec<Branch> {
    let exits = fields.list("menuLinks");
    let mut values = fields.list("menuLinks:input");
    if values.is_empty() {
        values = fields.list("menuLinks_input");
    }
    if !exits.is_empty() && exits.len() != values.len() {
        fields.gap("menuLinks:input", "has another number of items than menuLinks");
    }
    let value = |index: usize| values.get(index).map(text_of).unwrap_or_default();
    let linked = exits.iter().map(text_of).enumerate();
    let mut branches: Vec<Branch> =
        linked.map(|(index, exit)| Branch { exit, value: value(index) }).collect();
    for option in fields.list("menuOptions") {
        let Some(exit) = Fields::member(option, &["digit"]) else {
            fields.gap("menuOptions", "has an option without a digit");
            continue;
        };
        if branches.iter().all(|branch| branch.exit != exit) {
            branches.push(Branch { exit, value: Fields::member(option, &["label"]).unwrap_or_default() });
        }
    }
    branches
}

fn allocations(fields: &mut Fields<'_>) -> Vec<Allocation> {
    let mut allocations = Vec::new();
    for row in fields.list("allocations") {
        let percent = Fields::member(row, &["percent"]).and_then(|percent| percent.trim().parse().ok());
        match (Fields::member(row, &["desc", "name"]), percent) {
            (Some(exit), Some(percent)) => allocations.push(Allocation { exit, percent }),
            _ => fields.gap("allocations", "has a row without a name or a percentage"),
        }
    }
    if allocations.is_empty() {
        fields.gap("allocations", "is missing");
    }
    allocations
}

fn http_request(fields: &mut Fields<'_>) -> HttpRequest {
    let is_authenticated = fields.flag("authenticated", true);
    let request = HttpRequest {
        is_authenticated,
        connector_id: fields.text("connectorId"),
        connector_name: fields.display_name("connectorId"),
        path: fields.text("httpRequestPath"),
        url: fields.text("httpRequestUrl"),
        method: fields.required("httpRequestMethod").unwrap_or_default(),
        query: fields.pairs("httpQueryParameters"),
        headers: fields.pairs("httpRequestHeaders"),
        body: body(fields),
        content_type: fields.text("httpContentType"),
        parse_type: fields.text("contentType"),
        timeout_ms: fields.number("httpResponseTimeout").unwrap_or(DEFAULT_TIMEOUT_MS),
        retries: fields.number("retryAttempts").unwrap_or(DEFAULT_RETRIES),
        outputs: outputs(fields, "outputVariableArray"),
    };
    if is_authenticated && request.connector_id.is_none() {
        fields.gap("connectorId", "is missing, and the request is authenticated");
    }
    if is_authenticated && request.path.is_none() && request.url.is_none() {
        fields.gap("httpRequestPath", "is missing");
    }
    if !is_authenticated && request.url.is_none() {
        fields.gap("httpRequestUrl", "is missing");
    }
    request
}

/// A body as text; some tools write it as an object.
fn body(fields: &mut Fields<'_>) -> Option<String> {
    match fields.value("httpRequestBody")? {
        value @ (Value::Object(_) | Value::Array(_)) => {
            fields.gap("httpRequestBody", "is no text");
            Some(value.to_string())
        }
        _ => fields.text("httpRequestBody"),
    }
}

/// Rows without variable and path are what the editor leaves of an empty table.
fn outputs(fields: &mut Fields<'_>, field: &str) -> Vec<Output> {
    let mut outputs = Vec::new();
    for row in fields.list(field) {
        let variable = Fields::member(row, &["outputVariable"]).unwrap_or_default();
        let path = Fields::member(row, &["jsonPathExp"]).unwrap_or_default();
        if variable.is_empty() && path.is_empty() {
            continue;
        }
        if variable.is_empty() {
            fields.gap(field, "has a row without a variable");
        }
        outputs.push(Output { variable, path });
    }
    outputs
}

fn mappings(fields: &mut Fields<'_>, field: &str) -> Vec<Mapping> {
    let mut mappings = Vec::new();
    for row in fields.list(field) {
        let variable = Fields::member(row, &["src", "outputVariable"]);
        let target = Fields::member(row, &["target"]);
        match (variable, target) {
            (Some(variable), Some(target)) => mappings.push(Mapping { variable, target }),
            _ => fields.gap(field, "has a row without both names"),
        }
    }
    mappings
}

fn function(fields: &mut Fields<'_>) -> ActivityKind {
    let config = fields.value("fnVersionConfig").cloned().unwrap_or_default();
    let id = Fields::member(&config, &["id"]);
    if id.is_none() {
        fields.gap("fnVersionConfig", "names no function");
    }
    ActivityKind::Function {
        id,
        version: Fields::member(&config, &["tag", "version"]),
        inputs: mappings(fields, "fnInputVariables"),
        outputs: outputs(fields, "fnOutputVariables"),
    }
}

fn subflow(fields: &mut Fields<'_>) -> ActivityKind {
    let version = fields.value("subflowVersion").cloned().unwrap_or_default();
    let id = fields.text("subflowId").or_else(|| Fields::member(&version, &["subflowId", "id"]));
    let name = fields.text("subflowName").or_else(|| fields.display_name("subflowId"));
    if id.is_none() && name.is_none() {
        fields.gap("subflowId", "is missing");
    }
    ActivityKind::Subflow {
        id,
        name,
        version: Fields::member(&version, &["subflowTagId", "tag"]),
        inputs: mappings(fields, "subflowInputVariables"),
        outputs: mappings(fields, "subflowOutputVariables"),
    }
}

fn queue_contact(fields: &mut Fields<'_>) -> QueueContact {
    let queue = match choice(fields, "queueId", &[], false) {
        Some(queue) => Some(queue),
        None => choice(fields, "destination", &["destinationVariable"], true),
    };
    let fallback_queue = choice(fields, "fallbackQueue", &[], false);
    if matches!(queue, Some(Choice::Variable(_))) && fallback_queue.is_none() {
        fields.gap("fallbackQueue", "is missing, and a variable names the queue");
    }
    QueueContact {
        queue,
        fallback_queue,
        channel: fields.text("channelType"),
        skills: fields.value("skills").cloned(),
        priority: priority(fields),
        checks_agent_availability: fields.flag("toggleAgentAvailability", false),
    }
}

fn priority(fields: &mut Fields<'_>) -> Option<String> {
    fields.text("priority").or_else(|| fields.text("priorityVariable"))
}

fn choice(fields: &mut Fields<'_>, field: &str, variables: &[&str], required: bool) -> Option<Choice> {
    if let Some(id) = fields.text(field) {
        if id.contains("{{") {
            return Some(Choice::Variable(id));
        }
        return Some(Choice::Static { id, name: fields.display_name(field) });
    }
    let variable = variables.iter().find_map(|variable| fields.text(variable));
    if variable.is_none() && required {
        fields.gap(field, "is missing");
    }
    variable.map(Choice::Variable)
}

/// Texts are used if they are switched on, files otherwise; what is not used is not read.
fn prompts(fields: &mut Fields<'_>) -> Vec<Prompt> {
    let is_spoken = fields.flag("toggle", false);
    let field = if is_spoken { "promptsTts" } else { "prompts" };
    let mut prompts = Vec::new();
    for row in fields.list(field) {
        let Some(value) = Fields::member(row, &["value", "name"]) else {
            fields.gap(field, "has a prompt without a value");
            continue;
        };
        let kind = Fields::member(row, &["type"]).unwrap_or_default();
        prompts.push(match kind.as_str() {
            "tts" => Prompt::Text(value),
            _ if value.contains("{{") => Prompt::Variable(value),
            _ => Prompt::File(value),
        });
    }
    if prompts.is_empty() {
        fields.gap(field, "is empty: nothing is heard");
    }
    prompts
}
