//! Judges FlowV2 as Webex's `v2/flows:validate` does, by the rules that are published.
//!
//! The codes of Webex that are known: FC1004 isolated activities, FC1007 missing descriptions, FC1012 a broken link in an event
//! flow, FC1015 a field that is not configured, FC1038 a variable that is not declared. What Webex refuses under a code that
//! nobody has published stands here under [`SHAPE`].

mod activities;
mod document;
mod edges;
mod expressions;
mod fields;

use serde_json::Value;

use self::document::{Document, Process};

/// The code of faults of the document's shape: Webex's own are not published.
pub const SHAPE: &str = "FC1000";

/// Something that Webex would say of a flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Webex's code for it.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The name of the activity; empty: the whole flow.
    pub node: String,
    /// What is wrong.
    pub message: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The flow is not valid.
    Error,
    /// It is, but something in it does not do what it looks like.
    Warning,
    /// It could be nicer.
    Recommendation,
}

impl Severity {
    /// As Webex writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
            Self::Recommendation => "RECOMMENDATION",
        }
    }
}

/// Findings as they are collected.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, code: &'static str, severity: Severity, node: &str, message: impl Into<String>) {
        self.0.push(Finding { code, severity, node: node.to_owned(), message: message.into() });
    }

    fn error(&mut self, code: &'static str, node: &str, message: impl Into<String>) {
        self.add(code, Severity::Error, node, message);
    }

    fn not_configured(&mut self, node: &str, field: &str) {
        self.error("FC1015", node, format!("Required field '{field}' is not configured in {node}"));
    }
}

/// All that is wrong with a FlowV2 document. Empty: Webex takes it, as far as its rules are published.
pub fn check(flow: &Value) -> Vec<Finding> {
    let mut findings = Findings::default();
    let Some(document) = Document::read(flow, &mut findings) else { return findings.0 };
    names(&document, &mut findings);
    start(&document.main, &mut findings);
    for (process, is_event_flow) in document.processes() {
        edges::check(process, is_event_flow, &mut findings);
        for node in &process.nodes {
            activities::check(node, is_event_flow, &mut findings);
            fields::check(node, &document, &mut findings);
            expressions::check(node, process, &document, &mut findings);
        }
        reach(process, is_event_flow, &mut findings);
    }
    findings.0
}

/// Ids and names are unique in the whole flow.
fn names(document: &Document<'_>, findings: &mut Findings) {
    let nodes = || document.processes().flat_map(|(process, _)| process.nodes.iter());
    let edges = document.processes().flat_map(|(process, _)| process.edges.iter());
    let variables = document.variables.iter().map(|variable| variable.name);
    let kinds: [(&str, Vec<&str>); 4] = [
        ("node id", nodes().map(|node| node.id).collect()),
        ("node name", nodes().map(|node| node.name).collect()),
        ("edge id", edges.map(|edge| edge.id).collect()),
        ("variable", variables.collect()),
    ];
    for (kind, mut names) in kinds {
        names.retain(|name| !name.is_empty());
        names.sort_unstable();
        let mut told = "";
        for pair in names.windows(2) {
            if let [one, other] = pair
                && one == other
                && *one != told
            {
                told = one;
                findings.error(SHAPE, "", format!("The {kind} '{one}' is used more than once"));
            }
        }
    }
}

fn start(main: &Process<'_>, findings: &mut Findings) {
    let starts = main.nodes.iter().filter(|node| node.is_start()).count();
    if starts != 1 {
        findings.error(SHAPE, "", format!("A flow has exactly one start activity, this one has {starts}"));
    }
}

/// FC1004. Webex only recommends it in general; a main flow whose activities nobody reaches does not do what it looks like.
fn reach(process: &Process<'_>, is_event_flow: bool, findings: &mut Findings) {
    let is_entry =
        |node: &document::DocumentNode<'_>| if is_event_flow { node.is_event() } else { node.is_start() };
    let mut open: Vec<&str> =
        process.nodes.iter().filter(|node| is_entry(node)).map(|node| node.name).collect();
    if open.is_empty() {
        return;
    }
    let ways = process.ways();
    let mut reached = std::collections::HashSet::new();
    while let Some(name) = open.pop() {
        if reached.insert(name) {
            open.extend(ways.get(name).into_iter().flatten());
        }
    }
    let severity = if is_event_flow { Severity::Recommendation } else { Severity::Warning };
    for node in process.nodes.iter().filter(|node| !reached.contains(node.name)) {
        findings.add("FC1004", severity, node.name, format!("Flow has isolated activities: {}", node.name));
    }
}
