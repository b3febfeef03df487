//! Edges: where they begin and end.

use std::collections::HashSet;

use super::document::{DocumentNode, Process};
use super::{Findings, SHAPE, Severity, activities};

pub(super) fn check(process: &Process<'_>, is_event_flow: bool, findings: &mut Findings) {
    let mut taken = HashSet::new();
    for edge in &process.edges {
        if edge.id.is_empty() {
            findings.error(SHAPE, edge.from, "An edge has no id");
        }
        for end in [edge.from, edge.to] {
            if process.node(end).is_none() {
                broken(end, edge.from, is_event_flow, findings);
            }
        }
        let Some(from) = process.node(edge.from) else { continue };
        port(from, edge.condition, findings);
        if !taken.insert((from.name, edge.condition)) {
            let message = format!("Two edges leave {} by '{}'", from.name, edge.condition);
            findings.error(SHAPE, from.name, message);
        }
    }
    let left = process.left();
    for node in &process.nodes {
        if node.is_start() && !left.contains(node.name) {
            findings.error("FC1012", node.name, format!("{} leads nowhere", node.name));
        }
    }
}

fn broken(end: &str, from: &str, is_event_flow: bool, findings: &mut Findings) {
    let place = if is_event_flow { "the Event Flow" } else { "the Main Flow" };
    let message = format!("A broken link was found at activity {from} in {place}: there is no '{end}'");
    findings.error("FC1012", from, message);
}

fn port(node: &DocumentNode<'_>, condition: &str, findings: &mut Findings) {
    let Some(known) = activities::by_name(node.activity) else { return };
    let is_there =
        known.ports.contains(&condition) || (known.ports.contains(&"*") && is_branch(node, condition));
    if !is_there {
        let ports = if known.ports.is_empty() { "none".to_owned() } else { known.ports.join(", ") };
        let message = format!("{} has no way out by '{condition}'; it has: {ports}", node.name);
        findings.add(SHAPE, Severity::Error, node.name, message);
    }
}

/// Whether the activity can have an exit of that name, which its author chose.
fn is_branch(node: &DocumentNode<'_>, condition: &str) -> bool {
    match node.activity {
        "ivr-menu" => {
            let mut letters = condition.chars();
            let digit = letters.next().is_some_and(|letter| letter.is_ascii_digit() || "#*".contains(letter));
            digit && letters.next().is_none()
        }
        _ => !condition.is_empty(),
    }
}
