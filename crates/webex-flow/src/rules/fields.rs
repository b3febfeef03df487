//! Fields that must be filled in (FC1015).

use serde_json::Value;

use super::document::{Document, DocumentNode};
use super::{Findings, SHAPE, Severity, activities};

/// Fields that are required as they are.
const PLAIN: [(&str, &[&str]); 17] = [
    ("condition-activity", &["expression"]),
    ("case-statement", &["expression"]),
    ("callback", &["callbackDn", "callbackQueue"]),
    ("blind-transfer", &["transfertodn", "transfertodn:radioName", "transfertodn_radioName"]),
    ("bridged-transfer", &["transfertodn", "transfertodn:radioName", "transfertodn_radioName", "timeout"]),
    ("send-digits", &["transferoutdigits", "transferoutdigits:radioName", "transferoutdigits_radioName"]),
    ("screen-pop", &["screenPopUrl", "screenPopDesktopLabel", "target"]),
    ("ivr-virtualassistantvoice", &["virtualAgentId"]),
    ("ivr-menu", &["entryTimeout"]),
    ("ivr-collectdigits", &["entryTimeout", "interDigitTimeout", "minDigits", "maxDigits"]),
    ("parse-activity", &["inputVariable", "contentType"]),
    ("play-music", &["prompt"]),
    ("wait-activity", &["duration"]),
    ("verify-otp", &["pin", "transactionReference"]),
    ("cryptographic-hash", &["input", "salt"]),
    (
        "scheduled-callback",
        &["callbackQueue", "callbackQueue:radioName", "scheduleDate", "scheduleStartTime", "scheduleEndTime"],
    ),
    ("hand-off", &["handOffFlow"]),
];

/// What is chosen from a list, and stands there as `x`, `x:name` and `x_name`.
const CHOSEN: [(&str, &[&str]); 5] = [
    ("http-request-v2", &["connectorId", "httpRequestMethod", "httpContentType"]),
    ("queue-to-agent", &["reportingQueue", "recoveryQueue"]),
    ("escalate-cdg", &["callDistributionGroup"]),
    ("ivr-virtualassistantvoice", &["connector"]),
    ("advanced-queue-info", &["destination"]),
];

pub(super) fn check(node: &DocumentNode<'_>, document: &Document<'_>, findings: &mut Findings) {
    for (_, fields) in PLAIN.iter().filter(|(activity, _)| *activity == node.activity) {
        fields.iter().for_each(|field| required(node, field, findings));
    }
    for (_, fields) in CHOSEN.iter().filter(|(activity, _)| *activity == node.activity) {
        fields.iter().for_each(|field| chosen(node, field, findings));
    }
    match node.activity {
        "start" => start(node, findings),
        "set-variable" => set_variable(node, document, findings),
        "queue-contact" => queue_contact(node, findings),
        "http-request-v2" => http(node, document, findings),
        "play-message" | "ivr-menu" | "ivr-collectdigits" => prompt(node, findings),
        _ => {}
    }
}

fn is_filled(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    }
}

fn required(node: &DocumentNode<'_>, field: &str, findings: &mut Findings) {
    if !is_filled(node.properties.get(field)) {
        findings.not_configured(node.name, field);
    }
}

fn chosen(node: &DocumentNode<'_>, field: &str, findings: &mut Findings) {
    for name in [field.to_owned(), format!("{field}:name"), format!("{field}_name")] {
        required(node, &name, findings);
    }
}

fn start(node: &DocumentNode<'_>, findings: &mut Findings) {
    let event = node.properties.get("flowType").and_then(Value::as_object);
    let field = |name: &str| event.and_then(|event| event.get(name)).and_then(Value::as_str);
    activities::source(node.name, field, findings);
    if field("eventSpecificationName") != Some("ContactStartWorkflow") {
        findings.not_configured(node.name, "eventSpecificationName");
    }
}

fn set_variable(node: &DocumentNode<'_>, document: &Document<'_>, findings: &mut Findings) {
    let rows = node.properties.get("setVariablesArray").and_then(Value::as_array).map(Vec::as_slice);
    let rows = rows.unwrap_or_default();
    if rows.is_empty() {
        findings.not_configured(node.name, "setVariablesArray");
    }
    if rows.len() > 10 {
        findings.error("FC1015", node.name, format!("{} sets more than 10 variables", node.name));
    }
    assignment(node, "", |field| node.properties.get(field), document, findings);
    for (number, row) in (1..).zip(rows) {
        assignment(node, &format!(" in row {number}"), |field| row.get(field), document, findings);
    }
    let first = rows.first().and_then(|row| row.get("srcVariable"));
    if first.is_some() && first != node.properties.get("srcVariable") {
        let message = format!("The fields of {} are not those of its first row", node.name);
        findings.error("FC1015", node.name, message);
    }
}

fn assignment<'a>(
    node: &DocumentNode<'_>,
    place: &str,
    field: impl Fn(&str) -> Option<&'a Value>,
    document: &Document<'_>,
    findings: &mut Findings,
) {
    for name in ["setTo", "srcVariableType", "srcVariable"] {
        if !is_filled(field(name)) {
            let shown = if name == "srcVariable" { "Variable" } else { name };
            findings.not_configured(node.name, &format!("{shown}{place}"));
        }
    }
    // An empty text is a value.
    for name in ["literal", "expr"] {
        if field(name).is_none_or(Value::is_null) {
            findings.not_configured(node.name, &format!("{name}{place}"));
        }
    }
    let Some(name) = field("srcVariable").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
        return;
    };
    let Some(variable) = document.variable(name) else {
        undeclared(node, name, findings);
        return;
    };
    let kind = field("srcVariableType").and_then(Value::as_str).unwrap_or_default();
    if !kind.is_empty() && kind != variable.kind {
        let message = format!("'{name}' is of type {}, not {kind}", variable.kind);
        findings.error("FC1015", node.name, message);
    }
}

/// FC1038.
pub(super) fn undeclared(node: &DocumentNode<'_>, name: &str, findings: &mut Findings) {
    findings.error("FC1038", node.name, format!("Variable '{name}' is referenced but not declared"));
}

fn queue_contact(node: &DocumentNode<'_>, findings: &mut Findings) {
    required(node, "queueId", findings);
    if node.properties.contains_key("queueRadioGroup") {
        let message = format!("queueRadioGroup makes {} ask for the fields of the editor", node.name);
        findings.error("FC1015", node.name, message);
    }
    if node.properties.get("toggle") == Some(&Value::Bool(true)) {
        required(node, "priority", findings);
    }
    let variable = node.text("queueId").is_some_and(|queue| queue.contains("{{"));
    if variable {
        required(node, "fallbackQueue", findings);
    }
}

fn http(node: &DocumentNode<'_>, document: &Document<'_>, findings: &mut Findings) {
    if node.properties.get("authenticated") != Some(&Value::Bool(true)) {
        // Without it there is no connector, which is required all the same.
        findings.not_configured(node.name, "Connector");
    }
    if !is_filled(node.properties.get("httpRequestPath")) && !is_filled(node.properties.get("httpRequestUrl"))
    {
        findings.not_configured(node.name, "httpRequestPath");
    }
    if let Some(path) = node.text("httpRequestPath").filter(|path| !path.is_empty())
        && !path.starts_with('/')
        && !path.contains("{{")
    {
        findings.error("FC1015", node.name, format!("The path of {} begins with no '/'", node.name));
    }
    let method = node.text("httpRequestMethod").unwrap_or_default();
    if !method.is_empty() && !["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].contains(&method) {
        findings.error("FC1015", node.name, format!("'{method}' is no method"));
    }
    let content = node.text("httpContentType").unwrap_or_default();
    let is_known = content.is_empty() || content == "None" || content.contains('/') || content == "GraphQL";
    if !is_known {
        findings.error("FC1015", node.name, format!("'{content}' is no content type"));
    }
    if is_filled(node.properties.get("contentType")) {
        required(node, "contentType_name", findings);
    }
    for (field, least) in [("httpResponseTimeout", 1), ("retryAttempts", 0)] {
        let Some(value) = node.properties.get(field).filter(|value| !value.is_null()) else { continue };
        let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
        if number.is_none_or(|number| number < least) {
            findings.error("FC1015", node.name, format!("{field} of {} is no number", node.name));
        }
    }
    for name in headers_with_breaks(node) {
        let message = format!("The header '{}' of {} holds a line break", name.escape_debug(), node.name);
        findings.add(SHAPE, Severity::Warning, node.name, message);
    }
    outputs(node, document, findings);
}

/// The headers with a line break in their name or value, with which no request can be sent.
fn headers_with_breaks<'n>(node: &'n DocumentNode<'_>) -> impl Iterator<Item = &'n str> {
    let headers = node.properties.get("httpRequestHeaders").and_then(Value::as_object);
    let has_break = |text: &str| text.contains(['\r', '\n']);
    headers
        .into_iter()
        .flatten()
        .filter(move |(name, value)| has_break(name) || value.as_str().is_some_and(has_break))
        .map(|(name, _)| name.as_str())
}

fn outputs(node: &DocumentNode<'_>, document: &Document<'_>, findings: &mut Findings) {
    let Some(value) = node.properties.get("outputVariableArray").filter(|value| !value.is_null()) else {
        return;
    };
    let Some(rows) = value.as_array() else {
        findings.error(SHAPE, node.name, format!("outputVariableArray of {} is no list", node.name));
        return;
    };
    for row in rows {
        let name = row.get("outputVariable").and_then(Value::as_str).unwrap_or_default();
        if name.is_empty() {
            findings.not_configured(node.name, "outputVariable");
        } else if document.variable(name).is_none() {
            undeclared(node, name, findings);
        }
        if !row.get("jsonPathExp").is_some_and(Value::is_string) {
            findings.not_configured(node.name, "jsonPathExp");
        }
    }
}

fn prompt(node: &DocumentNode<'_>, findings: &mut Findings) {
    if node.properties.get("toggle") != Some(&Value::Bool(true)) {
        required(node, "prompts", findings);
        return;
    }
    required(node, "promptsTts", findings);
    for field in ["connector", "connector_name", "connector:name", "connector_type", "connector:type"] {
        required(node, field, findings);
    }
}
