//! A FlowV2 document, read as far as it can be.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::{Findings, SHAPE};

static NO_FIELDS: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

pub(super) struct Document<'a> {
    pub(super) variables: Vec<DocumentVariable<'a>>,
    /// Where a variable is in them; the first of a name.
    by_name: HashMap<&'a str, usize>,
    pub(super) main: Process<'a>,
    pub(super) events: Vec<Process<'a>>,
}

pub(super) struct DocumentVariable<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
}

pub(super) struct Process<'a> {
    pub(super) nodes: Vec<DocumentNode<'a>>,
    pub(super) edges: Vec<DocumentEdge<'a>>,
    /// Where a node is by its name, and by its id; the first of several.
    by_name: HashMap<&'a str, usize>,
    by_id: HashMap<&'a str, usize>,
    /// By which names expressions call what its starts tell, and what its events do.
    pub(super) starts: HashSet<&'a str>,
    pub(super) tells: HashSet<&'a str>,
}

pub(super) struct DocumentNode<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
    pub(super) activity_type: &'a str,
    pub(super) group: &'a str,
    pub(super) activity: &'a str,
    pub(super) properties: &'a Map<String, Value>,
}

pub(super) struct DocumentEdge<'a> {
    pub(super) id: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) condition: &'a str,
}

impl DocumentNode<'_> {
    pub(super) fn is_start(&self) -> bool {
        self.activity_type == "start"
    }

    pub(super) fn is_event(&self) -> bool {
        self.activity_type == "event"
    }

    /// The text of a property; what is no text is none.
    pub(super) fn text(&self, property: &str) -> Option<&str> {
        self.properties.get(property).and_then(Value::as_str)
    }
}

impl<'a> Process<'a> {
    /// The node that an edge names, by name or id.
    pub(super) fn node(&self, name: &str) -> Option<&DocumentNode<'a>> {
        let place = self.by_name.get(name).or_else(|| self.by_id.get(name));
        place.and_then(|place| self.nodes.get(*place))
    }

    /// The names of the nodes that edges leave.
    pub(super) fn left(&self) -> HashSet<&'a str> {
        self.edges.iter().filter_map(|edge| self.node(edge.from)).map(|node| node.name).collect()
    }

    /// The names of the nodes that edges lead to, by that of the node they leave.
    pub(super) fn ways(&self) -> HashMap<&'a str, Vec<&'a str>> {
        let mut ways: HashMap<&str, Vec<&str>> = HashMap::new();
        for edge in &self.edges {
            if let (Some(from), Some(to)) = (self.node(edge.from), self.node(edge.to)) {
                ways.entry(from.name).or_default().push(to.name);
            }
        }
        ways
    }
}

impl<'a> Document<'a> {
    pub(super) fn read(flow: &'a Value, findings: &mut Findings) -> Option<Self> {
        let Some(fields) = flow.as_object() else {
            findings.error(SHAPE, "", "The flow is no JSON object");
            return None;
        };
        if text(fields, "name").is_empty() {
            findings.error(SHAPE, "", "The flow has no name");
        }
        if !matches!(text(fields, "flowType"), "FLOW" | "SUBFLOW") {
            findings.error(SHAPE, "", "flowType is neither FLOW nor SUBFLOW");
        }
        let variables = variables(fields, findings);
        let by_name = first_places(variables.iter().map(|variable| variable.name));
        Some(Self {
            variables,
            by_name,
            main: process(fields, "the flow", findings),
            events: events(fields, findings),
        })
    }

    /// Main flow and event flows, and which of both.
    pub(super) fn processes(&self) -> impl Iterator<Item = (&Process<'a>, bool)> {
        std::iter::once((&self.main, false)).chain(self.events.iter().map(|process| (process, true)))
    }

    pub(super) fn variable(&self, name: &str) -> Option<&DocumentVariable<'a>> {
        self.variables.get(*self.by_name.get(name)?)
    }
}

/// Where each name is first.
fn first_places<'a>(names: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut places = HashMap::new();
    for (place, name) in names.enumerate() {
        places.entry(name).or_insert(place);
    }
    places
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The objects of a list; what is left out is an empty list.
fn objects<'a>(
    fields: &'a Map<String, Value>,
    name: &str,
    is_required: bool,
    place: &str,
    findings: &mut Findings,
) -> Vec<&'a Map<String, Value>> {
    let Some(list) = fields.get(name).and_then(Value::as_array) else {
        if is_required || fields.contains_key(name) {
            findings.error(SHAPE, "", format!("{name} of {place} is no list"));
        }
        return Vec::new();
    };
    let objects: Vec<_> = list.iter().filter_map(Value::as_object).collect();
    if objects.len() != list.len() {
        findings.error(SHAPE, "", format!("{name} of {place} holds something that is no object"));
    }
    objects
}

fn variables<'a>(fields: &'a Map<String, Value>, findings: &mut Findings) -> Vec<DocumentVariable<'a>> {
    let mut variables = Vec::new();
    for variable in objects(fields, "variables", false, "the flow", findings) {
        let (name, kind) = (text(variable, "name"), text(variable, "type"));
        if name.is_empty() {
            findings.error(SHAPE, "", "A variable has no name");
        }
        if !matches!(kind, "STRING" | "INTEGER" | "BOOLEAN" | "DECIMAL" | "DATETIME" | "JSON") {
            findings.error(SHAPE, "", format!("The variable '{name}' has the unknown type '{kind}'"));
        }
        // Webex wants even numbers as text.
        if !variable.get("value").is_some_and(Value::is_string) {
            findings.error(SHAPE, "", format!("The value of the variable '{name}' is no text"));
        }
        if text(variable, "source") == "GLOBAL_TM" && text(variable, "id").is_empty() {
            findings.error(SHAPE, "", format!("The global variable '{name}' has no id"));
        }
        variables.push(DocumentVariable { name, kind });
    }
    variables
}

fn process<'a>(fields: &'a Map<String, Value>, place: &str, findings: &mut Findings) -> Process<'a> {
    let nodes = objects(fields, "nodes", true, place, findings).into_iter().map(|node| {
        let properties = node.get("properties").and_then(Value::as_object).unwrap_or(&NO_FIELDS);
        DocumentNode {
            id: text(node, "id"),
            name: text(node, "name"),
            activity_type: text(node, "activityType"),
            group: text(node, "group"),
            activity: text(properties, "activityName"),
            properties,
        }
    });
    let nodes: Vec<DocumentNode<'_>> = nodes.collect();
    let mut edges = Vec::new();
    for edge in objects(fields, "edges", true, place, findings) {
        let edge_id = text(edge, "id");
        if !edge.get("properties").is_some_and(Value::is_object) {
            findings.error(SHAPE, "", format!("The edge '{edge_id}' has no properties"));
        }
        let (from, to) = (text(edge, "from"), text(edge, "to"));
        edges.push(DocumentEdge { id: edge_id, from, to, condition: text(edge, "condition") });
    }
    let by_name = first_places(nodes.iter().map(|node| node.name));
    let by_id = first_places(nodes.iter().map(|node| node.id));
    let starts = called(&nodes, DocumentNode::is_start);
    let tells = called(&nodes, DocumentNode::is_event);
    Process { nodes, edges, by_name, by_id, starts, tells }
}

/// The names of these nodes and of their events.
fn called<'a>(nodes: &[DocumentNode<'a>], is_one: impl Fn(&DocumentNode<'a>) -> bool) -> HashSet<&'a str> {
    let event = |node: &DocumentNode<'a>| node.properties.get("event").and_then(Value::as_str);
    let named = nodes.iter().filter(|node| is_one(node));
    named.flat_map(|node| [Some(node.name), event(node)]).flatten().collect()
}

fn events<'a>(fields: &'a Map<String, Value>, findings: &mut Findings) -> Vec<Process<'a>> {
    let Some(value) = fields.get("eventFlows") else { return Vec::new() };
    let Some(flows) = value.as_object() else {
        findings.error(SHAPE, "", "eventFlows is no object");
        return Vec::new();
    };
    let mut processes = Vec::new();
    for (name, flow) in flows {
        let Some(flow) = flow.as_object() else {
            findings.error(SHAPE, "", format!("The event flow '{name}' is no object"));
            continue;
        };
        if text(flow, "id") != name {
            findings.error(SHAPE, "", format!("The event flow '{name}' has another id"));
        }
        let process = process(flow, name, findings);
        on_events(name, flow, &process, findings);
        processes.push(process);
    }
    processes
}

/// Every event names its node, and every node of an event is named.
fn on_events(name: &str, flow: &Map<String, Value>, process: &Process<'_>, findings: &mut Findings) {
    let Some(events) = flow.get("onEvents").and_then(Value::as_object) else {
        findings.error(SHAPE, "", format!("onEvents of '{name}' is no object"));
        return;
    };
    for (event, node) in events {
        let node = node.as_str().unwrap_or_default();
        let specification = process
            .node(node)
            .filter(|found| found.is_event())
            .map(|found| found.text("eventSpecificationName").unwrap_or_default());
        if specification != Some(event) {
            let message = format!("The event '{event}' names '{node}', which is no node of that event");
            findings.error("FC1012", node, message);
        }
    }
    let named: HashSet<&str> = events
        .values()
        .filter_map(|named| process.node(named.as_str().unwrap_or_default()))
        .map(|node| node.name)
        .collect();
    let specifications = process.nodes.iter().filter(|node| node.is_event());
    for node in specifications {
        if !named.contains(node.name) {
            findings.error(
                "FC1012",
                node.name,
                format!("onEvents of '{name}' does not name '{}'", node.name),
            );
        }
    }
}
