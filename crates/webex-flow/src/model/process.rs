//! Activities and the links between them.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::exit::Exit;
use super::kind::ActivityKind;

/// A step of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Activity {
    /// Its id.
    pub id: String,
    /// The name a user gave it; expressions refer to its outputs by it.
    pub name: String,
    /// What it does.
    pub kind: ActivityKind,
    /// All that the export says of it.
    pub properties: Map<String, Value>,
}

/// An edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: String,
    /// The id of the activity it begins at.
    pub from: String,
    /// The id of the activity it leads to.
    pub to: String,
    /// The exit it begins at.
    pub exit: Exit,
}

/// The activities that links can connect: those of the main flow, or those of an event flow.
#[derive(Debug, Clone, Default)]
pub struct Process {
    activities: Vec<Activity>,
    links: Vec<Link>,
    by_id: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
    outgoing: HashMap<String, Vec<usize>>,
}

impl Process {
    /// Puts activities and links together.
    pub fn new(activities: Vec<Activity>, links: Vec<Link>) -> Self {
        let (mut by_id, mut by_name) = (HashMap::new(), HashMap::new());
        for (index, activity) in activities.iter().enumerate() {
            by_id.entry(activity.id.clone()).or_insert(index);
            by_name.entry(activity.name.clone()).or_insert(index);
        }
        let mut outgoing: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, link) in links.iter().enumerate() {
            outgoing.entry(link.from.clone()).or_default().push(index);
        }
        Self { activities, links, by_id, by_name, outgoing }
    }

    /// The activities in the order of the export.
    pub fn activities(&self) -> &[Activity] {
        &self.activities
    }

    /// The links in the order of the export.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// An activity by its id.
    pub fn activity(&self, id: &str) -> Option<&Activity> {
        self.activities.get(*self.by_id.get(id)?)
    }

    /// An activity by its name; the first if several have it.
    pub fn activity_by_name(&self, name: &str) -> Option<&Activity> {
        self.activities.get(*self.by_name.get(name)?)
    }

    /// All links that begin at an activity.
    pub fn outgoing(&self, id: &str) -> impl Iterator<Item = &Link> {
        self.outgoing.get(id).into_iter().flatten().filter_map(|index| self.links.get(*index))
    }

    /// The link at an exit.
    pub fn exit(&self, id: &str, exit: &Exit) -> Option<&Link> {
        self.outgoing(id).find(|link| link.exit == *exit)
    }

    /// The activity an exit leads to.
    pub fn next(&self, id: &str, exit: &Exit) -> Option<&Activity> {
        self.activity(&self.exit(id, exit)?.to)
    }

    /// The usual way on, which some activities call `out` and others `default`.
    pub fn success(&self, id: &str) -> Option<&Link> {
        self.exit(id, &Exit::Out).or_else(|| self.exit(id, &Exit::Default))
    }

    /// The error edge.
    pub fn error(&self, id: &str) -> Option<&Link> {
        self.exit(id, &Exit::Error)
    }

    /// All activities that can be reached, the first one included, in the order they are met: usual ways before failures.
    pub fn reachable(&self, from: &str) -> Vec<&Activity> {
        let mut found = Vec::new();
        self.reach(from, &mut HashSet::new(), &mut found);
        found
    }

    /// All activities in the order to print them: those that can be reached from where contacts enter, then the rest.
    pub fn walk(&self) -> Vec<&Activity> {
        let (mut seen, mut order) = (HashSet::new(), Vec::new());
        for entry in self.activities.iter().filter(|activity| activity.kind.is_entry()) {
            self.reach(&entry.id, &mut seen, &mut order);
        }
        let rest = self.activities.iter().filter(|activity| !seen.contains(activity.id.as_str()));
        order.extend(rest);
        order
    }

    fn reach<'p>(&'p self, from: &str, seen: &mut HashSet<&'p str>, found: &mut Vec<&'p Activity>) {
        let mut open: Vec<&Activity> = self.activity(from).into_iter().collect();
        while let Some(activity) = open.pop() {
            if !seen.insert(&activity.id) {
                continue;
            }
            found.push(activity);
            let mut links: Vec<&Link> = self.outgoing(&activity.id).collect();
            links.sort_by_key(|link| link.exit.is_failure());
            open.extend(links.into_iter().rev().filter_map(|link| self.activity(&link.to)));
        }
    }
}
