//! Flows: FlowV2 is validated and imported, by the rules that Webex publishes.

use serde_json::{Value, json};
use url::form_urlencoded;
use webex_flow::rules::{self, Severity};

use super::super::answer::Answer;
use super::refused::Refused;
use super::tenant::{Incoming, Tenant};

/// The project of all flows, the same in every organisation.
const PROJECT: &str = "5e5c9ad6d61f870d6d778c1b";

/// A flow that was imported.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportedFlow {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The document.
    pub document: Value,
}

/// `{base}/{organisation}/project/{project}/v2/flows:validate` and `:import`, in FlowV2.
pub(super) fn attend(tenant: &Tenant, path: &str, incoming: &Incoming) -> Result<Answer, Refused> {
    let nowhere = |reason: &str| Refused::new(404, "not_found", reason);
    let mut parts = path.split('/');
    if parts.next() != Some(&tenant.settings.org_id) {
        return Err(nowhere("orgId: not the organisation of the token"));
    }
    if (parts.next(), parts.next()) != (Some("project"), Some(PROJECT)) {
        return Err(nowhere("projectId: there is no such project"));
    }
    let operation = match (parts.next(), parts.next(), parts.next()) {
        (Some("v2"), Some(operation), None) => operation,
        _ => return Err(nowhere("path: nothing is there")),
    };
    if incoming.media_type() != "application/json" {
        return Err(Refused::new(415, "unsupported_media_type", "Content-Type: must be application/json"));
    }
    let document: Value = serde_json::from_slice(&incoming.body)
        .map_err(|error| Refused::field(format!("body: is no JSON: {error}")))?;
    match operation {
        "flows:validate" => Ok(Answer::json(200, &verdict(&document).1)),
        "flows:import" => import(tenant, document, incoming),
        _ => Err(nowhere("path: nothing is there")),
    }
}

/// Whether a flow is valid, and the answer that says so.
fn verdict(document: &Value) -> (bool, Value) {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        rules::check(document).into_iter().partition(|finding| finding.severity == Severity::Error);
    let shown = |findings: &[rules::Finding]| -> Vec<Value> {
        let one = |finding: &rules::Finding| {
            json!({
                "code": finding.code, "severity": finding.severity.name(), "message": finding.message,
                "activityName": finding.node,
            })
        };
        findings.iter().map(one).collect()
    };
    let body = json!({
        "valid": errors.is_empty(),
        "errors": shown(&errors),
        "warnings": shown(&warnings),
        "summary": format!("{} error(s), {} warning(s).", errors.len(), warnings.len()),
    });
    (errors.is_empty(), body)
}

fn import(tenant: &Tenant, document: Value, incoming: &Incoming) -> Result<Answer, Refused> {
    let (is_valid, verdict) = verdict(&document);
    if !is_valid {
        return Ok(Answer::json(422, &verdict));
    }
    let overwrites = form_urlencoded::parse(incoming.query.as_bytes())
        .any(|(name, value)| name == "overwrite" && matches!(value.as_ref(), "true" | "yes"));
    let name = document.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
    let state = &mut tenant.state();
    let is_there = state.flows.iter().any(|flow| flow.name == name);
    if is_there && !overwrites {
        return Err(Refused::new(409, "conflict", "flowName: a flow of this name exists"));
    }
    let id = format!("{:024x}", state.number());
    state.flows.retain(|flow| flow.name != name);
    state.flows.push(ImportedFlow { id: id.clone(), name: name.clone(), document });
    let flow = json!({ "id": id, "orgId": tenant.settings.org_id, "version": 0, "flowType": "FLOW", "name": name, "status": "Draft" });
    Ok(Answer::json(201, &json!({ "flow": flow, "preflightWarnings": [], "preflightWarningsCount": 0 })))
}
