//! HTTP activities: bodies, headers, timeouts, paths.

use std::cell::Cell;
use std::collections::HashSet;

use jiff::Timestamp;
use serde_json::Value;

use super::expressions::Samples;
use super::{BridgeFacts, Code, Finding, RouteFacts, Severity, requests, route};
use crate::json_path::{self, JsonPath};
use crate::model::{Activity, Flow, HttpRequest};
use crate::pebble::{Environment, Template};
use crate::play::is_below_bridge;

/// What connecting, TLS and the network take besides the bridge's deadline, in milliseconds, when all is well.
const MARGIN_MS: u128 = 300;
/// How long a caller may wait for one request with its repetitions, in milliseconds.
const PATIENCE_MS: u64 = 15_000;
/// Parts of names of headers and fields that hold secrets.
const SECRET: [&str; 7] =
    ["authorization", "api-key", "apikey", "x-api-key", "password", "secret", "access_token"];

pub(super) fn find(flow: &Flow, bridge: &BridgeFacts, allowance: &Cell<u64>, findings: &mut Vec<Finding>) {
    let samples = Samples::of(flow);
    let connectors: HashSet<&str> = requests(flow)
        .filter(|(_, request)| route(request, bridge).is_some())
        .filter_map(|(_, request)| request.connector_id.as_deref())
        .collect();
    for (activity, request) in requests(flow) {
        headers(activity, request, findings);
        body((&samples, allowance), activity, request, findings);
        let waits = request.timeout_ms.saturating_mul(request.retries.saturating_add(1));
        if request.retries > 1 && waits > PATIENCE_MS {
            let evidence =
                format!("{} ms, sent {} times: {waits} ms", request.timeout_ms, request.retries + 1);
            let remedy = "one repetition at most";
            findings.push(Finding::new(Code::Retries, Severity::Warning, &activity.name, evidence, remedy));
        }
        match route(request, bridge) {
            Some(route) => {
                timeout(activity, request, route, findings);
                paths(activity, request, (route, allowance), findings);
                address(activity, request, findings);
            }
            None => no_route(&connectors, activity, request, bridge, findings),
        }
    }
}

/// What the bridge would not take whatever is in the body.
fn address(activity: &Activity, request: &HttpRequest, findings: &mut Vec<Finding>) {
    if !request.method.eq_ignore_ascii_case("POST") {
        let evidence = format!("the method is {:?}: the bridge answers POST only", request.method);
        findings.push(Finding::new(
            Code::Refused,
            Severity::Serious,
            &activity.name,
            evidence,
            "the method POST",
        ));
    }
    let path = request.path.as_deref().unwrap_or_default();
    if request.is_authenticated && path.contains("://") {
        let evidence = "Request Path holds a whole address, and the connector puts its own before it";
        let remedy = "the path alone, such as /voice/v1/createVoiceCall";
        findings.push(Finding::new(Code::Refused, Severity::Serious, &activity.name, evidence, remedy));
    }
    let address = request.url.as_deref().filter(|_| !request.is_authenticated).unwrap_or(path);
    if address
        .split_once("://")
        .is_some_and(|(_, rest)| rest.split('/').next().unwrap_or_default().contains('@'))
    {
        let evidence = "the address holds credentials";
        let remedy = "use a connector: its credentials stand in no flow";
        findings.push(Finding::new(Code::Secret, Severity::Serious, &activity.name, evidence, remedy));
    }
}

/// A request that is meant for the bridge, because its path or its connector is, and names none of its routes.
fn no_route(
    connectors: &HashSet<&str>,
    activity: &Activity,
    request: &HttpRequest,
    bridge: &BridgeFacts,
    findings: &mut Vec<Finding>,
) {
    let target = request.path.as_deref().or(request.url.as_deref()).unwrap_or_default();
    let has_its_connector = request.connector_id.as_deref().is_some_and(|id| connectors.contains(id));
    if target.contains("{{") || !(is_below_bridge(target) || has_its_connector) {
        return;
    }
    let names: Vec<&str> = bridge.routes.iter().map(|route| route.name).collect();
    let evidence = format!("the bridge has no route {target:?}: it answers 404");
    let remedy = format!("a path that ends with {}; capital letters count", names.join(", "));
    findings.push(Finding::new(Code::Refused, Severity::Serious, &activity.name, evidence, remedy));
}

fn timeout(activity: &Activity, request: &HttpRequest, route: &RouteFacts, findings: &mut Vec<Finding>) {
    let deadline = route.deadline.as_millis();
    if u128::from(request.timeout_ms) >= deadline + MARGIN_MS {
        return;
    }
    let evidence = format!(
        "Response Timeout is {} ms, for connecting, TLS and answer together; the bridge answers {} after {deadline} ms at the latest",
        request.timeout_ms, route.name
    );
    let remedy = format!("a timeout of {} ms", deadline + 1000);
    // Nothing is answered in less than a tenth of a second.
    let severity = if request.timeout_ms < 100 { Severity::Serious } else { Severity::Warning };
    findings.push(Finding::new(Code::Timeout, severity, &activity.name, evidence, remedy));
}

fn paths(
    activity: &Activity,
    request: &HttpRequest,
    (route, allowance): (&RouteFacts, &Cell<u64>),
    findings: &mut Vec<Finding>,
) {
    for output in &request.outputs {
        // A path with an expression is another one for every call; an empty row sets nothing.
        if output.path.contains("{{") || output.path.trim().is_empty() {
            continue;
        }
        let Some(left) = allowance.get().checked_sub(json_path::steps_to_parse(&output.path)) else {
            continue;
        };
        allowance.set(left);
        let place = format!("{} from {}", output.variable, output.path);
        let evidence = match JsonPath::parse(&output.path) {
            Err(error) => format!("{place}: {error}"),
            Ok(path) if !path.is_definite() => format!("{place}: this path gives a list"),
            Ok(path) => {
                let finds = |answer: &Value| path.read(answer).is_ok();
                if route.answers.iter().any(finds) {
                    continue;
                }
                format!("{place}: no answer of {} has that", route.name)
            }
        };
        let sample = route.answers.first().map(ToString::to_string).unwrap_or_default();
        let remedy = format!("a path into an answer such as {sample}");
        findings.push(Finding::new(Code::Path, Severity::Warning, &activity.name, evidence, remedy));
    }
}

fn headers(activity: &Activity, request: &HttpRequest, findings: &mut Vec<Finding>) {
    for (name, value) in &request.headers {
        let lower = name.to_ascii_lowercase();
        if name.contains(['\r', '\n']) || value.contains(['\r', '\n']) {
            let evidence = format!(
                "the header {} holds a line break: no request can be sent with it",
                name.escape_debug()
            );
            let remedy = "one line for each header";
            findings.push(Finding::new(Code::Refused, Severity::Serious, &activity.name, evidence, remedy));
        }
        let is_doubled = (lower == "content-type" && request.content_type.is_some())
            || (lower == "authorization" && request.is_authenticated && request.connector_id.is_some());
        if is_doubled {
            let evidence =
                format!("the header {name} is given, and the activity or its connector sends one too");
            findings.push(Finding::new(
                Code::Header,
                Severity::Warning,
                &activity.name,
                evidence,
                "take the header out",
            ));
        }
        let is_written = !value.trim().is_empty() && !value.contains("{{");
        if is_written && SECRET.iter().any(|part| lower.contains(part)) {
            let evidence = format!("the header {name} holds its value");
            let remedy = "use a connector: its credentials stand in no flow";
            findings.push(Finding::new(Code::Secret, Severity::Serious, &activity.name, evidence, remedy));
        }
    }
}

fn body(
    (samples, allowance): (&Samples<'_>, &Cell<u64>),
    activity: &Activity,
    request: &HttpRequest,
    findings: &mut Vec<Finding>,
) {
    let Some(body) = request.body.as_deref().filter(|body| !body.trim().is_empty()) else { return };
    let is_json =
        request.content_type.as_deref().is_none_or(|kind| kind.to_ascii_lowercase().contains("json"));
    let Ok(template) = Template::parse(body) else { return };
    let now = Environment::at(Timestamp::UNIX_EPOCH);
    // What cannot be filled in at all is told as an expression that fails.
    let Ok(filled) = template.render_within(&samples.read_by(&template, "x"), &now, allowance) else {
        return;
    };
    let parsed: Value = match serde_json::from_str(&filled) {
        Ok(parsed) => parsed,
        Err(error) if is_json => {
            let evidence = format!("filled in, the body is no JSON: {error}");
            let remedy = "every text in quotes, a comma between fields and none after the last";
            findings.push(Finding::new(
                Code::BodyNoJson,
                Severity::Serious,
                &activity.name,
                evidence,
                remedy,
            ));
            return;
        }
        Err(_) => return,
    };
    secrets(activity, &parsed, findings);
    let attributes = attributes_with_variables(body);
    if let Some(variable) = attributes.filter(|_| parsed.get("callAttributes").is_some_and(Value::is_string))
    {
        let evidence = format!("callAttributes is JSON within a text, and {variable} goes into it as it is");
        let remedy = "send callAttributes as an object instead of a text; the bridge takes both";
        findings.push(Finding::new(Code::Attributes, Severity::Warning, &activity.name, evidence, remedy));
    }
    let key = parsed.get("vendorCallKey").and_then(Value::as_str);
    if key.is_some_and(|key| matches!(key.trim(), "" | "wxcc_" | "wxcc")) {
        let evidence = "vendorCallKey is the same text for every call";
        let remedy = "wxcc_{{NewPhoneContact.InteractionId}}";
        findings.push(Finding::new(Code::BareKey, Severity::Serious, &activity.name, evidence, remedy));
    }
}

/// The first expression within the text of `callAttributes`.
fn attributes_with_variables(body: &str) -> Option<&str> {
    let (_, after) = body.split_once("\"callAttributes\"")?;
    let text = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    // The text ends with a quote that is not escaped.
    let mut is_escaped = false;
    let end = text.find(|c| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    let text = end.and_then(|end| text.get(..end)).unwrap_or(text);
    let (_, expression) = text.split_once("{{")?;
    let expression = expression.split("}}").next()?.trim();
    (!expression.contains("escape")).then_some(expression)
}

fn secrets(activity: &Activity, body: &Value, findings: &mut Vec<Finding>) {
    let Value::Object(fields) = body else { return };
    for (name, value) in fields {
        let lower = name.to_ascii_lowercase();
        let is_written = value.as_str().is_some_and(|text| !text.is_empty() && text != "x");
        if is_written
            && ["password", "secret", "api_key", "apikey", "token"].iter().any(|part| lower.contains(part))
        {
            let evidence = format!("the field {name} of the body holds its value");
            let remedy = "use a connector: its credentials stand in no flow";
            findings.push(Finding::new(Code::Secret, Severity::Serious, &activity.name, evidence, remedy));
        }
    }
}
