//! What changed between two flows, in words. The editor itself cannot tell.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use serde_json::Value;

use super::event::Event;
use super::fields::text_of;
use super::kind::ActivityKind;
use super::lines::{Line, changed};
use super::mask::{MASK, is_secret_name, mask_line};
use super::process::{Activity, Process};
use super::templates::label;
use super::variable::Variable;
use super::{EventFlow, Flow};

/// A change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The flow has another name.
    FlowRenamed {
        /// Its name before.
        before: String,
        /// Its name now.
        after: String,
    },
    /// An activity is new.
    ActivityAdded {
        /// Its name.
        activity: String,
        /// What it is.
        kind: String,
        /// The process it is in.
        process: String,
    },
    /// An activity is gone.
    ActivityRemoved {
        /// Its name.
        activity: String,
        /// What it was.
        kind: String,
        /// The process it was in.
        process: String,
    },
    /// An activity has another name.
    ActivityRenamed {
        /// Its name before.
        before: String,
        /// Its name now.
        after: String,
    },
    /// A field of an activity or a variable has another value.
    FieldChanged {
        /// The activity or variable.
        owner: String,
        /// The field as the editor shows it.
        field: String,
        /// The values.
        difference: Difference,
    },
    /// An exit leads somewhere else; nothing stands for nowhere.
    LinkChanged {
        /// The activity it begins at.
        activity: String,
        /// The exit.
        exit: String,
        /// Where it led.
        before: Option<String>,
        /// Where it leads.
        after: Option<String>,
    },
    /// A variable is new.
    VariableAdded(String),
    /// A variable is gone.
    VariableRemoved(String),
    /// An event is handled by another activity; nothing stands for not handled.
    EventChanged {
        /// The event.
        event: Event,
        /// The activity it began at.
        before: Option<String>,
        /// The activity it begins at.
        after: Option<String>,
    },
}

/// How a value changed. Secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A short value, before and after.
    Value {
        /// Before; nothing if there was none.
        before: Option<String>,
        /// After; nothing if there is none.
        after: Option<String>,
    },
    /// The lines of a long value that changed.
    Lines(Vec<Line>),
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FlowRenamed { before, after } => write!(formatter, "The flow {before} is now {after}."),
            Self::ActivityAdded { activity, kind, process } => {
                write!(formatter, "{activity} ({kind}) is new in {process}.")
            }
            Self::ActivityRemoved { activity, kind, process } => {
                write!(formatter, "{activity} ({kind}) is gone from {process}.")
            }
            Self::ActivityRenamed { before, after } => write!(formatter, "{before} is now called {after}."),
            Self::FieldChanged { owner, field, difference } => {
                write!(formatter, "{owner}: {field} {difference}")
            }
            Self::LinkChanged { activity, exit, before, after } => match (before, after) {
                (None, Some(after)) => write!(formatter, "{activity}: the exit {exit} now leads to {after}."),
                (Some(before), None) => {
                    write!(formatter, "{activity}: the exit {exit} led to {before} and now leads nowhere.")
                }
                _ => write!(
                    formatter,
                    "{activity}: the exit {exit} led to {} and now leads to {}.",
                    before.as_deref().unwrap_or("nothing"),
                    after.as_deref().unwrap_or("nothing")
                ),
            },
            Self::VariableAdded(name) => write!(formatter, "The variable {name} is new."),
            Self::VariableRemoved(name) => write!(formatter, "The variable {name} is gone."),
            Self::EventChanged { event, before, after } => match (before, after) {
                (None, Some(after)) => write!(formatter, "The event {event} is now handled by {after}."),
                (Some(_), None) => write!(formatter, "The event {event} is not handled any more."),
                _ => write!(
                    formatter,
                    "The event {event} began at {} and now begins at {}.",
                    before.as_deref().unwrap_or("nothing"),
                    after.as_deref().unwrap_or("nothing")
                ),
            },
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value { before: None, after: Some(after) } => {
                write!(formatter, "is now \"{}\"", printable(after))
            }
            Self::Value { before: Some(before), after: None } => {
                write!(formatter, "was \"{}\" and is now empty", printable(before))
            }
            Self::Value { before: Some(before), after: Some(after) } if before == MASK && after == MASK => {
                formatter.write_str("changed (not shown)")
            }
            Self::Value { before, after } => write!(
                formatter,
                "was \"{}\" and is now \"{}\"",
                printable(before.as_deref().unwrap_or_default()),
                printable(after.as_deref().unwrap_or_default())
            ),
            Self::Lines(lines) => {
                formatter.write_str("changed:")?;
                for line in lines {
                    match line {
                        Line::Removed(text) => write!(formatter, "\n  - {}", printable(text))?,
                        Line::Added(text) => write!(formatter, "\n  + {}", printable(text))?,
                    }
                }
                Ok(())
            }
        }
    }
}

/// A value without characters that steer a terminal: exports come from strangers.
fn printable(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// What changed from one flow to another. Activities are the same by id, or else by name.
pub fn diff(before: &Flow, after: &Flow) -> Vec<Change> {
    let mut changes = Vec::new();
    if before.name != after.name {
        changes.push(Change::FlowRenamed { before: before.name.clone(), after: after.name.clone() });
    }
    variables(before, after, &mut changes);
    process("main", &before.main, &after.main, &mut changes);
    let none = EventFlow { name: String::new(), process: Process::default(), on_events: Vec::new() };
    let (old_ones, new_ones) = (by_name(&before.events), by_name(&after.events));
    let mut seen = HashSet::new();
    let names = before.events.iter().chain(&after.events).map(|flow| flow.name.as_str());
    for name in names.filter(|name| seen.insert(*name)) {
        let old = old_ones.get(name).copied().unwrap_or(&none);
        let new = new_ones.get(name).copied().unwrap_or(&none);
        events(old, new, &mut changes);
        process(name, &old.process, &new.process, &mut changes);
    }
    changes
}

/// The event flows by name; the first of each.
fn by_name(flows: &[EventFlow]) -> HashMap<&str, &EventFlow> {
    let mut found = HashMap::new();
    for flow in flows {
        found.entry(flow.name.as_str()).or_insert(flow);
    }
    found
}

fn variables(before: &Flow, after: &Flow, changes: &mut Vec<Change>) {
    let mut old_ones: HashMap<&str, &Variable> = HashMap::new();
    for old in &before.variables {
        old_ones.entry(&old.name).or_insert(old);
    }
    let mut new_ones = HashSet::new();
    for new in &after.variables {
        if !new_ones.insert(new.name.as_str()) {
            continue;
        }
        match old_ones.get(new.name.as_str()) {
            Some(old) => {
                let owner = format!("variable {}", new.name);
                fields(&owner, &variable_fields(old), &variable_fields(new), changes);
            }
            None => changes.push(Change::VariableAdded(new.name.clone())),
        }
    }
    let gone = before.variables.iter().filter(|old| !new_ones.contains(old.name.as_str()));
    changes.extend(gone.map(|old| Change::VariableRemoved(old.name.clone())));
}

fn variable_fields(variable: &Variable) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    fields.insert("type".to_owned(), variable.value_type.to_string());
    fields.insert("scope".to_owned(), format!("{:?}", variable.scope).to_ascii_lowercase());
    fields.insert("secure".to_owned(), variable.is_secure.to_string());
    fields.insert("agent viewable".to_owned(), variable.is_agent_viewable.to_string());
    fields.insert("agent editable".to_owned(), variable.is_agent_editable.to_string());
    let is_secret = variable.is_secure || is_secret_name(&variable.name);
    let name = if is_secret { "secret default" } else { "default value" };
    fields.insert(name.to_owned(), variable.default.clone().unwrap_or_default());
    fields
}

fn events(before: &EventFlow, after: &EventFlow, changes: &mut Vec<Change>) {
    let (old_entries, new_entries) = (entries(before), entries(after));
    let mut seen = HashSet::new();
    for (event, _) in before.on_events.iter().chain(&after.on_events) {
        let (old, new) = (old_entries.get(event).cloned(), new_entries.get(event).cloned());
        if seen.insert(event) && old != new {
            changes.push(Change::EventChanged { event: event.clone(), before: old, after: new });
        }
    }
}

/// Where each event begins, by name.
fn entries(flow: &EventFlow) -> HashMap<&Event, String> {
    let name = |id: &String| flow.process.activity(id).map_or(id.clone(), |activity| activity.name.clone());
    flow.on_events.iter().map(|(event, id)| (event, name(id))).collect()
}

/// The activities of two processes that are the same. Ids decide first; names decide about what is left.
fn pairs<'p>(before: &'p Process, after: &'p Process) -> Vec<(&'p Activity, &'p Activity)> {
    let mut taken: HashSet<&str> = HashSet::new();
    let mut pairs = Vec::new();
    let mut left = Vec::new();
    for old in before.activities() {
        match after.activity(&old.id) {
            Some(new) if taken.insert(&new.id) => pairs.push((old, new)),
            _ => left.push(old),
        }
    }
    let mut by_name: HashMap<&str, &Activity> = HashMap::new();
    for new in after.activities().iter().filter(|new| !taken.contains(new.id.as_str())) {
        by_name.entry(&new.name).or_insert(new);
    }
    for old in left {
        if let Some(new) = by_name.remove(old.name.as_str()) {
            pairs.push((old, new));
        }
    }
    pairs
}

fn process(name: &str, before: &Process, after: &Process, changes: &mut Vec<Change>) {
    let pairs = pairs(before, after);
    let old_ids: HashSet<&str> = pairs.iter().map(|(old, _)| old.id.as_str()).collect();
    let new_ids: HashSet<&str> = pairs.iter().map(|(_, new)| new.id.as_str()).collect();
    // Where a link leads is compared by what the activity is called now.
    let renamed: HashMap<&str, &str> =
        pairs.iter().map(|(old, new)| (old.id.as_str(), new.name.as_str())).collect();
    for gone in before.activities().iter().filter(|old| !old_ids.contains(old.id.as_str())) {
        changes.push(Change::ActivityRemoved {
            activity: gone.name.clone(),
            kind: gone.kind.label().to_owned(),
            process: name.to_owned(),
        });
    }
    for new in after.activities().iter().filter(|new| !new_ids.contains(new.id.as_str())) {
        changes.push(Change::ActivityAdded {
            activity: new.name.clone(),
            kind: new.kind.label().to_owned(),
            process: name.to_owned(),
        });
        links(&new.name, BTreeMap::new(), targets(after, new, &HashMap::new()), changes);
    }
    for (old, new) in pairs {
        if old.name != new.name {
            changes.push(Change::ActivityRenamed { before: old.name.clone(), after: new.name.clone() });
        }
        // Most activities are as they were: their fields need not be spelled.
        if old.kind != new.kind || old.properties != new.properties {
            fields(&new.name, &activity_fields(old), &activity_fields(new), changes);
        }
        links(&new.name, targets(before, old, &renamed), targets(after, new, &HashMap::new()), changes);
    }
}

/// Where each exit of an activity leads, by name.
fn targets(
    process: &Process,
    activity: &Activity,
    renamed: &HashMap<&str, &str>,
) -> BTreeMap<String, String> {
    let mut targets = BTreeMap::new();
    for link in process.outgoing(&activity.id) {
        let name = process.activity(&link.to).map_or(link.to.as_str(), |activity| activity.name.as_str());
        let name = renamed.get(link.to.as_str()).copied().unwrap_or(name);
        targets.insert(link.exit.to_string(), name.to_owned());
    }
    targets
}

fn links(
    activity: &str,
    mut before: BTreeMap<String, String>,
    after: BTreeMap<String, String>,
    changes: &mut Vec<Change>,
) {
    for (exit, new) in after {
        let old = before.remove(&exit);
        if old.as_ref() != Some(&new) {
            let activity = activity.to_owned();
            changes.push(Change::LinkChanged { activity, exit, before: old, after: Some(new) });
        }
    }
    for (exit, old) in before {
        changes.push(Change::LinkChanged {
            activity: activity.to_owned(),
            exit,
            before: Some(old),
            after: None,
        });
    }
}

fn fields(
    owner: &str,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    changes: &mut Vec<Change>,
) {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let filled =
            |fields: &BTreeMap<String, String>| fields.get(name).filter(|text| !text.is_empty()).cloned();
        let (old, new) = (filled(before), filled(after));
        if old != new {
            let difference = difference(name, old, new);
            changes.push(Change::FieldChanged { owner: owner.to_owned(), field: name.clone(), difference });
        }
    }
}

fn difference(field: &str, before: Option<String>, after: Option<String>) -> Difference {
    if is_secret_name(field) {
        let mask = |value: Option<String>| value.map(|_| MASK.to_owned());
        return Difference::Value { before: mask(before), after: mask(after) };
    }
    let is_long = |value: &Option<String>| value.as_ref().is_some_and(|text| text.contains('\n'));
    if is_long(&before) || is_long(&after) {
        let lines = changed(&before.unwrap_or_default(), &after.unwrap_or_default());
        let masked = lines.into_iter().map(|line| match line {
            Line::Removed(text) => Line::Removed(mask_line(&text)),
            Line::Added(text) => Line::Added(mask_line(&text)),
        });
        return Difference::Lines(masked.collect());
    }
    let mask = |value: Option<String>| value.map(|text| mask_line(&text));
    Difference::Value { before: mask(before), after: mask(after) }
}

/// The fields of an activity by their names in the editor, without copies and without what only the editor uses.
fn activity_fields(activity: &Activity) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    fields.insert("Activity".to_owned(), activity.kind.label().to_owned());
    if let ActivityKind::SetVariable(rows) = &activity.kind {
        for row in rows {
            fields.insert(format!("Variable {}", row.variable), row.value.clone());
        }
    }
    for (name, value) in &activity.properties {
        if is_compared(activity, name) {
            flatten(label(name).to_owned(), value, &mut fields);
        }
    }
    fields
}

fn is_compared(activity: &Activity, name: &str) -> bool {
    let is_copy = (name.contains(':') && name != "menuLinks:input")
        || name.starts_with('_')
        || ["_name", "_type", "_input", "_radioName"].iter().any(|suffix| name.ends_with(suffix));
    let is_row = matches!(activity.kind, ActivityKind::SetVariable(_))
        && matches!(
            name,
            "setTo"
                | "srcVariable"
                | "srcVariableType"
                | "expr"
                | "literal"
                | "setVariablesArray"
                | "literal_invalid_error"
        );
    !is_copy && !is_row && !matches!(name, "name" | "activityId" | "activityName" | "activityType")
}

fn flatten(field: String, value: &Value, fields: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) => {
            // A spoken text is there twice: as its value and as its name.
            let is_copy = members.get("name").is_some() && members.get("name") == members.get("value");
            for (name, member) in members.iter().filter(|(name, _)| !is_copy || *name != "name") {
                flatten(format!("{field}: {name}"), member, fields);
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                flatten(format!("{field} {}", place + 1), item, fields);
            }
        }
        simple => {
            fields.insert(field, text_of(simple));
        }
    }
}
