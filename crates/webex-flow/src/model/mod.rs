//! A flow: its activities, links, variables and event flows, read from either format of export.
//!
//! [`read`] takes the editor's export or FlowV2 and gives the same [`Flow`] for both. What is not understood is kept and named: an
//! activity of a kind we do not know is [`ActivityKind::Unknown`], a field that is missing or of another type is a [`Gap`]. Only a
//! document that is no flow at all is an error. [`diff`] tells in words what changed between two flows.

mod activity;
mod diff;
mod event;
mod exit;
mod fields;
mod gap;
mod kind;
mod lines;
mod mask;
mod process;
mod read;
mod templates;
mod variable;

use std::fmt;

pub use diff::{Change, Difference, diff};
pub use event::Event;
pub use exit::Exit;
pub use gap::Gap;
pub use kind::{
    ActivityKind, Allocation, Assignment, Branch, Choice, HttpRequest, Mapping, Output, Prompt, QueueContact,
};
pub use lines::Line;
pub use process::{Activity, Link, Process};
pub(crate) use read::one_line;
pub use read::{NotAFlow, read};
pub use templates::{Template, templates};
pub use variable::{Scope, Variable, VariableType};

/// A flow.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Whether it is a flow or a subflow.
    pub kind: FlowKind,
    /// The format it was read from.
    pub format: Format,
    /// Its variables, in order.
    pub variables: Vec<Variable>,
    /// What contacts go through.
    pub main: Process,
    /// What happens on events.
    pub events: Vec<EventFlow>,
    /// What the export lacks or has otherwise than it should.
    pub gaps: Vec<Gap>,
}

/// The activities of one group of events; editors know only `GLOBAL_EVENTS`.
#[derive(Debug, Clone)]
pub struct EventFlow {
    /// The name of the group.
    pub name: String,
    /// Its activities.
    pub process: Process,
    /// Which activity an event begins at, by id.
    pub on_events: Vec<(Event, String)>,
}

/// Whether a flow is entered by contacts or by other flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowKind {
    /// Entered by contacts.
    Flow,
    /// Entered by other flows.
    Subflow,
}

/// A format of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The editor's export, called version 1.
    Ui,
    /// FlowV2 (FDL 2.0), which the flow store's interface takes.
    V2,
}

impl fmt::Display for FlowKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Flow => "flow",
            Self::Subflow => "subflow",
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Ui => "UI export",
            Self::V2 => "FlowV2",
        })
    }
}

impl Flow {
    /// The main flow and the event flows, each with its name; the main flow's is `main`.
    pub fn processes(&self) -> impl Iterator<Item = (&str, &Process)> {
        std::iter::once(("main", &self.main))
            .chain(self.events.iter().map(|flow| (flow.name.as_str(), &flow.process)))
    }

    /// All activities with the process they are in.
    pub fn activities(&self) -> impl Iterator<Item = (&Process, &Activity)> {
        self.processes()
            .flat_map(|(_, process)| process.activities().iter().map(move |activity| (process, activity)))
    }

    /// Where contacts enter the main flow.
    pub fn start(&self) -> Option<&Activity> {
        self.main
            .activities()
            .iter()
            .find(|activity| matches!(activity.kind, ActivityKind::Start(_) | ActivityKind::SubflowStart))
    }

    /// Where an event enters its event flow. An event flow that has the event but no activity for it gives none.
    pub fn on_event(&self, event: &Event) -> Option<(&Process, &Activity)> {
        self.events.iter().find_map(|flow| {
            let (_, id) = flow.on_events.iter().find(|(found, _)| found == event)?;
            Some((&flow.process, flow.process.activity(id)?))
        })
    }

    /// An activity by its name, with the process it is in. Names are looked for in the main flow first.
    pub fn activity_by_name(&self, name: &str) -> Option<(&Process, &Activity)> {
        self.processes()
            .find_map(|(_, process)| process.activity_by_name(name).map(|activity| (process, activity)))
    }

    /// A variable by its name.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|variable| variable.name == name)
    }

    /// Activities of a kind that we do not know.
    pub fn unknowns(&self) -> impl Iterator<Item = &Activity> {
        self.activities()
            .map(|(_, activity)| activity)
            .filter(|activity| matches!(activity.kind, ActivityKind::Unknown { .. }))
    }
}
