//! `[call_centers.NAME.enrichment]`: the final update with what Webex knows.

use std::collections::BTreeMap;

use super::super::section::Section;

/// The final update of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrichment {
    /// Whether it is sent.
    pub enabled: bool,
    /// A lasting address of the recording with `{taskId}` and `{fileName}`; never Webex's signed one.
    pub recording_location: Option<String>,
    /// Send the attributes of the parent call along.
    pub inherit_attributes: bool,
    /// Webex queue id to the queue's name in Salesforce.
    pub queues: BTreeMap<String, String>,
    /// Webex agent id to the Salesforce user name.
    pub agents: BTreeMap<String, String>,
}

impl Enrichment {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let enabled = section.boolean("enabled", Some(false));
        let recording_location = section.parsed_if_given(
            "recording_location",
            "a lasting https URL with {taskId} and {fileName} where they belong",
            template,
        );
        let inherit_attributes = section.boolean("inherit_attributes", Some(false));
        let queues = section.texts("queues");
        let agents = section.texts("agents");
        section.finish();
        Some(Self {
            enabled: enabled?,
            recording_location,
            inherit_attributes: inherit_attributes?,
            queues,
            agents,
        })
    }
}

fn template(text: &str) -> Result<String, String> {
    let filled = text.replace("{taskId}", "id").replace("{fileName}", "name");
    if filled.contains(['{', '}']) {
        return Err("holds a placeholder other than {taskId} and {fileName}".to_owned());
    }
    match filled.strip_prefix("https://") {
        Some(rest) if !rest.is_empty() => Ok(text.to_owned()),
        _ => Err("is not an https URL".to_owned()),
    }
}
