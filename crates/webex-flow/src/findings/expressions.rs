//! Expressions that fail, or are always the same.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{BridgeFacts, Code, Finding, Severity};
use crate::model::{Activity, ActivityKind, Event, Flow, Variable, VariableType, templates};
use crate::pebble::{Environment, LiteralKind, Template};

/// Numbers of callers that flows forget: without a number, from a SIP address, short ones of the own house.
const CALLERS: [(&str, &str); 3] = [
    ("an anonymous caller", "anonymous"),
    ("a SIP caller", "sip:anna@example.com"),
    ("an extension", "2041"),
];

/// What is looked up in a flow for each of its expressions.
struct Known<'f> {
    start: Option<&'f Activity>,
    /// The first of each name.
    variables: HashMap<&'f str, &'f Variable>,
    activities: HashSet<&'f str>,
    /// The variables that some activity sets.
    set: HashSet<&'f str>,
    /// The names of the activities that ask the bridge.
    asks_bridge: HashSet<&'f str>,
    allowance: &'f Cell<u64>,
}

impl<'f> Known<'f> {
    fn of(flow: &'f Flow, bridge: &BridgeFacts, allowance: &'f Cell<u64>) -> Self {
        let mut variables = HashMap::new();
        for variable in &flow.variables {
            variables.entry(variable.name.as_str()).or_insert(variable);
        }
        let asks = super::requests(flow).filter(|(_, request)| super::route(request, bridge).is_some());
        Self {
            start: flow.start(),
            variables,
            activities: flow.activities().map(|(_, activity)| activity.name.as_str()).collect(),
            set: set_somewhere(flow),
            asks_bridge: asks.map(|(activity, _)| activity.name.as_str()).collect(),
            allowance,
        }
    }
}

pub(super) fn find(flow: &Flow, bridge: &BridgeFacts, allowance: &Cell<u64>, findings: &mut Vec<Finding>) {
    let known = Known::of(flow, bridge, allowance);
    if known.start.is_none() {
        let (evidence, remedy) = ("the flow has no start: no contact enters", "a start activity, NewContact");
        findings.push(Finding::new(Code::NotUnderstood, Severity::Serious, &flow.name, evidence, remedy));
    }
    for (_, activity) in flow.activities() {
        if let ActivityKind::Unknown { activity_type } = &activity.kind {
            let evidence = format!("an activity of the kind `{activity_type}`");
            let remedy = "look at it by hand";
            findings.push(Finding::new(
                Code::NotUnderstood,
                Severity::Hint,
                &activity.name,
                evidence,
                remedy,
            ));
        }
        secrets(&known, activity, findings);
        for field in
            templates(activity).iter().filter(|field| field.text.contains("{{") || field.text.contains("{%"))
        {
            let place = |column: usize| format!("{}, column {column}", field.field);
            let template = match Template::parse(&field.text) {
                Ok(template) => template,
                Err(error) => {
                    let (severity, code) = match error.not_understood() {
                        Some(_) => (Severity::Hint, Code::NotUnderstood),
                        None => (Severity::Serious, Code::ExpressionFails),
                    };
                    let evidence = format!("{}: {error}", place(error.column()));
                    findings.push(Finding::new(
                        code,
                        severity,
                        &activity.name,
                        evidence,
                        "mend the expression",
                    ));
                    continue;
                }
            };
            for (column, word) in template.unknown_words() {
                let evidence = format!("{}: {word}", place(column));
                let remedy = "check the word; if Webex knows it, its result is taken for empty here";
                findings.push(Finding::new(
                    Code::NotUnderstood,
                    Severity::Hint,
                    &activity.name,
                    evidence,
                    remedy,
                ));
            }
            comparisons(&known, bridge, &activity.name, &template, &place, findings);
            never_set(&known, &activity.name, &template, &field.field, findings);
            callers(&known, &activity.name, &template, &place, findings);
        }
    }
}

/// The value of a secure variable in one that is not: nothing hides it there.
fn secrets(known: &Known<'_>, activity: &Activity, findings: &mut Vec<Finding>) {
    let ActivityKind::SetVariable(rows) = &activity.kind else { return };
    let is_secure = |name: &str| known.variables.get(name).map(|variable| variable.is_secure);
    for row in rows.iter().filter(|row| is_secure(&row.variable) == Some(false)) {
        let Ok(template) = Template::parse(&row.value) else { continue };
        let secret = template.printed().into_iter().find(|name| is_secure(name) == Some(true));
        if let Some(secret) = secret {
            let evidence =
                format!("{} takes the value of {secret}, which is secure, and is not itself", row.variable);
            let remedy = format!("make {} secure", row.variable);
            findings.push(Finding::new(Code::Secret, Severity::Warning, &activity.name, evidence, remedy));
        }
    }
}

/// The variables that some activity of the flow sets.
fn set_somewhere(flow: &Flow) -> HashSet<&str> {
    let mut set = HashSet::new();
    for (_, activity) in flow.activities() {
        match &activity.kind {
            ActivityKind::SetVariable(rows) => set.extend(rows.iter().map(|row| row.variable.as_str())),
            ActivityKind::HttpRequest(request) => {
                set.extend(request.outputs.iter().map(|output| output.variable.as_str()));
            }
            ActivityKind::Parse { outputs, .. }
            | ActivityKind::RulesRequest { outputs, .. }
            | ActivityKind::Function { outputs, .. } => {
                set.extend(outputs.iter().map(|output| output.variable.as_str()));
            }
            ActivityKind::Subflow { outputs, .. } => {
                set.extend(outputs.iter().map(|output| output.variable.as_str()));
            }
            _ => {}
        }
    }
    set
}

/// Whether a path holds text, as far as the flow says so; none where that is not known.
fn is_text(known: &Known<'_>, path: &str) -> Option<bool> {
    if let Some(variable) = known.variables.get(path) {
        return Some(matches!(variable.value_type, VariableType::String));
    }
    let (activity, output) = path.split_once('.')?;
    match output {
        "httpStatusCode" => Some(false),
        "httpResponseBody" | "ANI" | "DNIS" | "InteractionId" | "AgentID" | "AgentId" => {
            known.activities.contains(activity).then_some(true)
        }
        _ => None,
    }
}

fn comparisons(
    known: &Known<'_>,
    bridge: &BridgeFacts,
    activity: &str,
    template: &Template,
    place: &dyn Fn(usize) -> String,
    findings: &mut Vec<Finding>,
) {
    for comparison in template.comparisons() {
        let (path, operator, literal) = (&comparison.path, comparison.operator, &comparison.literal);
        let shown =
            if comparison.kind == LiteralKind::Text { format!("{literal:?}") } else { literal.clone() };
        let seen = format!("{}: {path} {operator} {shown}", place(comparison.column));
        let compares_sizes = !matches!(operator, "==" | "!=");
        match (is_text(known, path), comparison.kind) {
            (Some(true), LiteralKind::Number) if compares_sizes => {
                let evidence = format!("{seen}, and {path} is text: this fails");
                let remedy = "use a variable of type integer";
                findings.push(Finding::new(Code::Comparison, Severity::Serious, activity, evidence, remedy));
            }
            (Some(true), LiteralKind::Number) => {
                let always = if operator == "==" { "never" } else { "always" };
                let evidence = format!("{seen}, and {path} is text: {always} true");
                let remedy = format!("compare with text: \"{literal}\"");
                findings.push(Finding::new(Code::Comparison, Severity::Serious, activity, evidence, remedy));
            }
            (Some(false), LiteralKind::Text) if path.ends_with(".httpStatusCode") => {
                let always = if operator == "!=" { "always" } else { "never" };
                let evidence = format!("{seen}, and a status is a number: {always} true");
                let remedy = format!("compare with the number {literal}, without quotes");
                findings.push(Finding::new(Code::Comparison, Severity::Serious, activity, evidence, remedy));
            }
            _ => {}
        }
        let status = literal.parse::<u16>().ok().filter(|_| comparison.kind == LiteralKind::Number);
        let asks_bridge =
            path.strip_suffix(".httpStatusCode").is_some_and(|name| known.asks_bridge.contains(name));
        if let Some(status) = status.filter(|status| asks_bridge && !bridge.statuses.contains(status)) {
            let evidence = format!("{seen}: the bridge never answers {status}");
            let remedy = "success is 200 and nothing else";
            findings.push(Finding::new(Code::Status, Severity::Serious, activity, evidence, remedy));
        }
    }
}

fn never_set(
    known: &Known<'_>,
    activity: &str,
    template: &Template,
    field: &str,
    findings: &mut Vec<Finding>,
) {
    for path in template.variables() {
        let name = path.split('.').next().unwrap_or_default();
        let is_activity = known.activities.contains(name) || is_event(name);
        if is_activity || known.set.contains(name) {
            continue;
        }
        let evidence = match known.variables.get(name) {
            Some(variable) if variable.default.as_deref().is_none_or(|text| text.trim().is_empty()) => {
                format!("{field} reads {name}, which nothing sets and which has no default")
            }
            Some(_) => continue,
            None => {
                format!("{field} reads {path}, and the flow has neither such a variable nor such an activity")
            }
        };
        let remedy = "set it, or take it out; names count their capital letters";
        findings.push(Finding::new(Code::NeverSet, Severity::Warning, activity, evidence, remedy));
    }
}

/// Whether outputs of an event are read by this name.
fn is_event(name: &str) -> bool {
    !matches!(Event::from_name(name), Event::Other(_)) || name == "loop"
}

/// Fills in what depends on the caller alone, for callers that flows forget.
fn callers(
    known: &Known<'_>,
    activity: &str,
    template: &Template,
    place: &dyn Fn(usize) -> String,
    findings: &mut Vec<Finding>,
) {
    let Some(start) = known.start else { return };
    let numbers =
        [format!("{}.ANI", start.name), "NewPhoneContact.ANI".to_owned(), "NewContact.ANI".to_owned()];
    let read = template.variables();
    if read.is_empty() || read.iter().any(|path| !numbers.iter().any(|number| path.starts_with(number))) {
        return;
    }
    let fails = |number: &str| {
        let mut variables = Map::new();
        for name in [start.name.as_str(), "NewPhoneContact", "NewContact"] {
            variables.insert(name.to_owned(), json!({"ANI": number}));
        }
        let now = Environment::at(Timestamp::UNIX_EPOCH);
        template.render_within(&variables, &now, known.allowance).err()
    };
    // What fails for everybody is another fault, and so is what is not understood.
    if fails("+14693150217").is_some() {
        return;
    }
    for (caller, number) in CALLERS {
        let error = fails(number);
        // Where the allowance ends, nothing is known.
        if let Some(error) = error.filter(|_| known.allowance.get() > 0) {
            let evidence = format!("{}: for {caller}, {error}", place(error.column()));
            let remedy = "send the number as it is, the bridge translates it; or ask for its length before";
            findings.push(Finding::new(Code::ExpressionFails, Severity::Serious, activity, evidence, remedy));
        }
    }
}

/// Values with which a body should be JSON: of the variables of a flow, and of what its activities and events tell.
pub(super) struct Samples<'f> {
    variables: HashMap<&'f str, &'f Variable>,
    tells: HashSet<&'f str>,
}

impl<'f> Samples<'f> {
    pub(super) fn of(flow: &'f Flow) -> Self {
        let events = ["NewPhoneContact", "NewContact", "PhoneContactEnded", "AgentAnswered", "AgentAccepted"];
        let activities = flow.activities().map(|(_, activity)| activity.name.as_str());
        Self {
            // Of a name that is there twice, the last counts.
            variables: flow.variables.iter().map(|variable| (variable.name.as_str(), variable)).collect(),
            tells: activities.chain(events).collect(),
        }
    }

    /// The values that a template reads, with `text` for each text.
    pub(super) fn read_by(&self, template: &Template, text: &str) -> Map<String, Value> {
        let mut values = Map::new();
        for path in template.variables() {
            let name = path.split('.').next().unwrap_or_default();
            if self.tells.contains(name) {
                values.insert(name.to_owned(), told(text));
            } else if let Some(variable) = self.variables.get(name) {
                values.insert(name.to_owned(), of_type(&variable.value_type, text));
            }
        }
        values
    }
}

fn of_type(value_type: &VariableType, text: &str) -> Value {
    match value_type {
        VariableType::Integer => json!(7),
        VariableType::Decimal => json!(7.5),
        VariableType::Boolean => json!(true),
        VariableType::Json => json!({"a": 1}),
        VariableType::String | VariableType::DateTime | VariableType::Other(_) => json!(text),
    }
}

/// What activities and events tell.
fn told(text: &str) -> Value {
    json!({
        "ANI": "+14693150217", "DNIS": "+18005550100", "InteractionId": "fc4ec7d8-4c91-49aa-b764-081fbba344a8",
        "AgentID": "a1", "AgentId": "a1", "QueueID": "q1", "QueueName": text, "httpStatusCode": 200,
        "httpResponseBody": text, "DigitsEntered": "1", "OptionEntered": "1",
    })
}
