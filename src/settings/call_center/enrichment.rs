//! `[call_centers.NAME.enrichment]`: the final update with what Webex knows.

use std::collections::BTreeMap;

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
