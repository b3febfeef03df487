//! `[call_centers.NAME.enrichment]`: the final update with what Webex knows.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::section::Section;
use crate::domain::{LocationTemplate, MappedNames};

/// The final update of a call, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrichment {
    /// Whether it is sent.
    pub enabled: bool,
    /// A lasting address of the recording with `{taskId}` and `{fileName}`; never Webex's signed one.
    pub recording_location: Option<LocationTemplate>,
    /// How long after the end of a call its final update waits for a recording that has not come yet.
    pub wait_for_recording: Duration,
    /// Send the attributes of the parent call along.
    pub inherit_attributes: bool,
    /// Webex queue id to the queue's name in Salesforce.
    pub queues: BTreeMap<String, String>,
    /// Webex agent id to the Salesforce user name.
    pub agents: BTreeMap<String, String>,
}

impl Enrichment {
    /// What Salesforce calls Webex's queues and agents.
    #[must_use]
    pub fn names(&self) -> MappedNames<'_> {
        MappedNames { queues: &self.queues, agents: &self.agents }
    }

    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let enabled = section.boolean("enabled", Some(false));
        let recording_location = section.parsed_if_given(
            "recording_location",
            "a lasting https URL with {taskId} and {fileName} where they belong",
            LocationTemplate::parse,
        );
        let bounds = Duration::ZERO..=Duration::from_secs(600);
        let wait_for_recording = section.duration("wait_for_recording", Some("0s"), bounds);
        let inherit_attributes = section.boolean("inherit_attributes", Some(false));
        let queues = names(&mut section, "queues", "the name of the queue in Salesforce");
        let agents = names(&mut section, "agents", "the user name of the agent in Salesforce");
        section.finish();
        Some(Self {
            enabled: enabled?,
            recording_location,
            wait_for_recording: wait_for_recording?,
            inherit_attributes: inherit_attributes?,
            queues,
            agents,
        })
    }
}

/// A table from an id of Webex to a name in Salesforce.
fn names(section: &mut Section<'_>, table: &str, hint: &str) -> BTreeMap<String, String> {
    let names = section.texts(table);
    for (id, name) in &names {
        let key = format!("{table}.{id}");
        if id.trim().is_empty() || id.trim() != id {
            section.problem(
                &key,
                "has an id that is empty or begins or ends with a space",
                "the id in Webex",
            );
        }
        if name.trim().is_empty() {
            section.problem(&key, "is empty", format!("{hint}; or take the line out"));
        }
    }
    names
}
