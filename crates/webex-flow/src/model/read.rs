//! Reads both formats of export.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::activity::{self, Node};
use super::event::Event;
use super::exit::Exit;
use super::gap::Gap;
use super::kind::{ActivityKind, Branch};
use super::process::{Activity, Link, Process};
use super::variable::Variable;
use super::{EventFlow, Flow, FlowKind, Format};

/// The most activities of a process that are read. The largest published flow has some hundred.
const MOST_ACTIVITIES: usize = 10_000;

/// A document that is no flow.
#[derive(Debug, thiserror::Error)]
pub enum NotAFlow {
    /// It is no JSON.
    #[error("this is no JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is no object.
    #[error("a flow is a JSON object, and this is {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// It has neither the member of the one format nor that of the other.
    #[error(
        "neither `process` nor `nodes` is there: expected an export of the Flow Designer (`process`, `eventFlows`) or FlowV2 (`nodes`, `edges`); found {found}"
    )]
    NoProcess {
        /// The members that are there.
        found: String,
    },
    /// It has more activities than any flow.
    #[error("this has {found} activities; at most {MOST_ACTIVITIES} are read")]
    TooLarge {
        /// How many it has.
        found: usize,
    },
    /// The member with the activities is of another type.
    #[error("`{field}` holds no activities")]
    NoActivities {
        /// The member.
        field: &'static str,
    },
}

/// Reads a flow of either format.
///
/// # Errors
/// The document is no flow. What is wrong inside a flow is told by [`Flow::gaps`].
pub fn read(document: &str) -> Result<Flow, NotAFlow> {
    let value: Value = serde_json::from_str(document.trim_start_matches('\u{feff}'))?;
    let Value::Object(document) = value else {
        return Err(NotAFlow::NotAnObject { found: kind_of(&value) });
    };
    let format = match (document.get("process"), document.get("nodes")) {
        (Some(Value::Object(process)), _) if process.get("activities").is_some_and(is_collection) => {
            Format::Ui
        }
        (_, Some(Value::Array(_))) => Format::V2,
        (Some(_), _) => return Err(NotAFlow::NoActivities { field: "process" }),
        (_, Some(_)) => return Err(NotAFlow::NoActivities { field: "nodes" }),
        (None, None) => return Err(NotAFlow::NoProcess { found: members(&document) }),
    };
    let found = match format {
        Format::Ui => document.get("process").and_then(|process| process.get("activities")).map_or(0, count),
        Format::V2 => document.get("nodes").map_or(0, count),
    };
    if found > MOST_ACTIVITIES {
        return Err(NotAFlow::TooLarge { found });
    }
    Ok(Reader { format, gaps: Vec::new() }.flow(&document))
}

fn count(activities: &Value) -> usize {
    activities.as_object().map_or_else(|| activities.as_array().map_or(0, Vec::len), Map::len)
}

fn is_collection(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The first members of a document, which tell what it is instead.
fn members(document: &Map<String, Value>) -> String {
    let names: Vec<String> = document.keys().take(8).map(|name| name.chars().take(40).collect()).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

struct Reader {
    format: Format,
    gaps: Vec<Gap>,
}

impl Reader {
    fn flow(mut self, document: &Map<String, Value>) -> Flow {
        let name = text(document.get("name"));
        if name.is_empty() {
            self.gap("flow", "name", "is missing");
        }
        let is_subflow = text(document.get("flowType")).eq_ignore_ascii_case("SUBFLOW");
        let variables = self.variables(document);
        let main = match self.format {
            Format::Ui => self.process("main", document.get("process").and_then(Value::as_object)),
            Format::V2 => self.process("main", Some(document)),
        };
        let events = self.event_flows(document);
        self.look_across(&main, &events);
        let enters = |activity: &Activity| {
            matches!(activity.kind, ActivityKind::Start(_) | ActivityKind::SubflowStart)
        };
        if !main.activities().iter().any(enters) {
            self.gap("flow", "start", "is missing: no contact enters");
        }
        Flow {
            name,
            description: Some(text(document.get("description"))).filter(|text| !text.is_empty()),
            kind: if is_subflow { FlowKind::Subflow } else { FlowKind::Flow },
            format: self.format,
            variables,
            main,
            events,
            gaps: self.gaps,
        }
    }

    fn gap(&mut self, activity: &str, field: &str, what: impl Into<String>) {
        self.gaps.push(Gap::new(activity, field, what));
    }

    fn variables(&mut self, document: &Map<String, Value>) -> Vec<Variable> {
        let mut variables: Vec<Variable> = Vec::new();
        let mut names = HashSet::new();
        for field in ["variables", "runtimeVariables"] {
            match document.get(field) {
                None | Some(Value::Null) => {}
                Some(Value::Array(rows)) => {
                    for row in rows {
                        let Value::Object(row) = row else {
                            self.gap("flow", field, "has an item that is no variable");
                            continue;
                        };
                        let variable = Variable::read(row, &mut self.gaps);
                        if !names.insert(variable.name.clone()) {
                            self.gap(&format!("variable {}", variable.name), "name", "is there twice");
                        }
                        variables.push(variable);
                    }
                }
                Some(_) => self.gap("flow", field, "is no list"),
            }
        }
        variables
    }

    fn process(&mut self, name: &str, document: Option<&Map<String, Value>>) -> Process {
        let (activities, links) = match self.format {
            Format::Ui => ("activities", "links"),
            Format::V2 => ("nodes", "edges"),
        };
        let field = |name| document.and_then(|document| document.get(name));
        let mut activities = self.activities(name, field(activities));
        let links = self.links(name, field(links), &activities);
        add_branches_of_links(&mut activities, &links);
        Process::new(activities, links)
    }

    fn activities(&mut self, process: &str, document: Option<&Value>) -> Vec<Activity> {
        let rows: Vec<(Option<&str>, &Value)> = match document {
            Some(Value::Object(members)) => {
                members.iter().map(|(id, value)| (Some(id.as_str()), value)).collect()
            }
            Some(Value::Array(items)) => items.iter().map(|value| (None, value)).collect(),
            None | Some(Value::Null) => Vec::new(),
            Some(_) => {
                self.gap(process, "activities", "are no list");
                Vec::new()
            }
        };
        let (mut ids, mut names) = (HashSet::new(), HashSet::new());
        let mut activities = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            let Value::Object(row) = row else {
                self.gap(process, "activities", "have an item that is no activity");
                continue;
            };
            let activity = self.activity(key, row);
            if !ids.insert(activity.id.clone()) {
                self.gap(&activity.name, "id", "is there twice");
            }
            if !names.insert(activity.name.clone()) {
                self.gap(&activity.name, "name", "is there twice in this process");
            }
            activities.push(activity);
        }
        activities
    }

    fn activity(&mut self, key: Option<&str>, row: &Map<String, Value>) -> Activity {
        let empty = Map::new();
        let properties = row.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let mut name = text(row.get("name"));
        if name.is_empty() {
            name = text(properties.get("name"));
        }
        let id = key.map_or_else(|| text(row.get("id")), one_line);
        let id = if id.is_empty() { name.clone() } else { id };
        if name.is_empty() {
            name.clone_from(&id);
            self.gap(&name, "name", "is missing");
        }
        if !row.get("properties").is_some_and(Value::is_object) {
            self.gap(&name, "properties", "are missing");
        }
        let group = text(row.get("group"));
        let activity_type = text(row.get("activityType"));
        let node = Node { name: &name, group: &group, activity_type: &activity_type, properties };
        let kind = activity::read(&node, &mut self.gaps);
        Activity { kind, properties: properties.clone(), id, name }
    }

    fn links(&mut self, process: &str, document: Option<&Value>, activities: &[Activity]) -> Vec<Link> {
        let rows = match document {
            Some(Value::Array(rows)) => rows.as_slice(),
            None | Some(Value::Null) => &[],
            Some(_) => {
                self.gap(process, "links", "are no list");
                &[]
            }
        };
        let (source, target, condition) = match self.format {
            Format::Ui => ("sourceActivityId", "targetActivityId", "conditionExpr"),
            Format::V2 => ("from", "to", "condition"),
        };
        let mut ends: HashMap<&str, &str> = HashMap::new();
        // FlowV2 names the ends by id or by name.
        for activity in activities {
            ends.entry(&activity.name).or_insert(&activity.id);
        }
        for activity in activities {
            ends.insert(&activity.id, &activity.id);
        }
        let mut links = Vec::with_capacity(rows.len());
        for row in rows {
            let end = |field: &str| {
                let end = text(row.get(field));
                ends.get(end.as_str()).map_or(end.clone(), |id| (*id).to_owned())
            };
            let mut written = text(row.get(condition));
            if written.is_empty() {
                written = text(row.get("properties").and_then(|properties| properties.get("value")));
            }
            if written.is_empty() {
                self.gap(&end(source), condition, "of a link is missing");
                written = "default".to_owned();
            }
            links.push(Link {
                id: text(row.get("id")),
                from: end(source),
                to: end(target),
                exit: Exit::from_condition(&written),
            });
        }
        links
    }

    fn event_flows(&mut self, document: &Map<String, Value>) -> Vec<EventFlow> {
        let flows = match document.get("eventFlows") {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Object(flows)) => match flows.get("eventsMap") {
                Some(Value::Object(flows)) => flows,
                Some(Value::Null) => return Vec::new(),
                _ => flows,
            },
            Some(_) => {
                self.gap("flow", "eventFlows", "are no object");
                return Vec::new();
            }
        };
        let flows = flows.iter().filter(|(_, flow)| flow.is_object());
        let flows: Vec<(&String, &Value)> = flows.collect();
        flows.into_iter().map(|(name, flow)| self.event_flow(name, flow)).collect()
    }

    fn event_flow(&mut self, name: &str, document: &Value) -> EventFlow {
        let process = match self.format {
            Format::Ui => self.process(name, document.get("process").and_then(Value::as_object)),
            Format::V2 => self.process(name, document.as_object()),
        };
        let mut on_events = Vec::new();
        match document.get("onEvents") {
            Some(Value::Object(entries)) => {
                for (event, entry) in entries {
                    let entry = text(Some(entry));
                    let found = process.activity(&entry).or_else(|| process.activity_by_name(&entry));
                    if found.is_none() {
                        self.gap(name, event, format!("begins at {entry}, which is not in this event flow"));
                    }
                    on_events.push((
                        Event::from_name(&one_line(event)),
                        found.map_or(entry, |found| found.id.clone()),
                    ));
                }
            }
            None | Some(Value::Null) => {}
            Some(_) => self.gap(name, "onEvents", "are no object"),
        }
        EventFlow { name: one_line(name), process, on_events }
    }

    /// Links that lead nowhere or into another process, and names that two processes share.
    fn look_across(&mut self, main: &Process, events: &[EventFlow]) {
        let mut processes = vec![("main", main)];
        processes.extend(events.iter().map(|flow| (flow.name.as_str(), &flow.process)));
        let mut homes: HashMap<&str, &str> = HashMap::new();
        let mut names: HashMap<&str, &str> = HashMap::new();
        let mut gaps = Vec::new();
        for (name, process) in &processes {
            for activity in process.activities() {
                homes.entry(&activity.id).or_insert(name);
                let first = names.entry(&activity.name).or_insert(name);
                if first != name {
                    gaps.push(Gap::new(&activity.name, "name", format!("is there in {first} and in {name}")));
                }
            }
        }
        for (name, process) in &processes {
            for link in process.links() {
                let from = process.activity(&link.from).map_or(link.from.as_str(), |activity| &activity.name);
                let field = format!("link {}", link.exit);
                for (end, word) in [(&link.from, "begins at"), (&link.to, "leads to")] {
                    if process.activity(end).is_some() {
                        continue;
                    }
                    let where_to = match homes.get(end.as_str()) {
                        Some(home) => format!("{word} an activity of {home}, from {name}"),
                        None => format!("{word} {end:?}, which is not there"),
                    };
                    gaps.push(Gap::new(from, &field, where_to));
                }
            }
        }
        self.gaps.append(&mut gaps);
    }
}

/// FlowV2 needs no list of cases or digits: what the edges are called is all there is.
fn add_branches_of_links(activities: &mut [Activity], links: &[Link]) {
    let mut values: HashMap<&str, Vec<&str>> = HashMap::new();
    for link in links {
        if let Exit::Branch(value) = &link.exit {
            values.entry(&link.from).or_default().push(value);
        }
    }
    for activity in activities {
        let (ActivityKind::Case { cases: branches, .. } | ActivityKind::Menu { digits: branches, .. }) =
            &mut activity.kind
        else {
            continue;
        };
        if branches.is_empty() {
            let found = values.get(activity.id.as_str()).into_iter().flatten();
            branches.extend(found.map(|value| Branch { exit: (*value).into(), value: (*value).into() }));
        }
    }
}

/// A text; nothing for what is none.
fn text(value: Option<&Value>) -> String {
    one_line(value.and_then(Value::as_str).unwrap_or_default())
}

/// A name on one line, without what could move the cursor of a terminal or turn its direction: exports come from strangers.
pub(crate) fn one_line(text: &str) -> String {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(acts, " ")
}
