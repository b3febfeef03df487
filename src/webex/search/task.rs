//! A task as Search shows it. Any field may be missing, null or odd: which ones come depends on the query and the tenant.

use jiff::Timestamp;
use serde::Deserialize;

use super::lenient::{any, count, flag, moment, number, text};
use crate::phone::PhoneNumber;

/// A task; durations are milliseconds on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchTask {
    /// The interaction id.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    /// `telephony`, `chat`, ...
    #[serde(deserialize_with = "text")]
    pub channel_type: Option<String>,
    /// When it began.
    #[serde(deserialize_with = "moment")]
    pub created_time: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "moment")]
    pub ended_time: Option<Timestamp>,
    /// The caller's number.
    #[serde(deserialize_with = "number")]
    pub origin: Option<PhoneNumber>,
    /// The dialed number.
    #[serde(deserialize_with = "number")]
    pub destination: Option<PhoneNumber>,
    /// `inbound`, `outbound`, `outdial`.
    #[serde(deserialize_with = "text")]
    pub direction: Option<String>,
    /// Whether it goes on.
    #[serde(deserialize_with = "flag")]
    pub is_active: Option<bool>,
    /// `short`, `abandoned` or `normal`.
    #[serde(deserialize_with = "text")]
    pub contact_handle_type: Option<String>,
    /// Why it ended, in free words.
    #[serde(deserialize_with = "text")]
    pub termination_reason: Option<String>,
    /// Who ended it.
    #[serde(deserialize_with = "text")]
    pub terminating_end: Option<String>,
    /// The last queue.
    #[serde(deserialize_with = "any")]
    pub last_queue: Option<EntityId>,
    /// The last agent.
    #[serde(deserialize_with = "any")]
    pub last_agent: Option<EntityId>,
    /// How often an agent was connected.
    #[serde(deserialize_with = "count")]
    pub connected_count: Option<u32>,
    /// How long agents talked.
    #[serde(deserialize_with = "count")]
    pub connected_duration: Option<u64>,
    /// How often it was on hold.
    #[serde(deserialize_with = "count")]
    pub hold_count: Option<u32>,
    /// How long it was on hold.
    #[serde(deserialize_with = "count")]
    pub hold_duration: Option<u64>,
    /// How often it was queued.
    #[serde(deserialize_with = "count")]
    pub queue_count: Option<u32>,
    /// How long it was queued.
    #[serde(deserialize_with = "count")]
    pub queue_duration: Option<u64>,
    /// Whether a recording will come.
    #[serde(deserialize_with = "flag")]
    pub capture_requested: Option<bool>,
    /// Whether the caller was to be called back.
    pub is_callback: Option<bool>,
    /// Its history, where it was asked for.
    #[serde(deserialize_with = "any")]
    pub activities: Option<SearchActivities>,
}

/// A queue or an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EntityId {
    /// Its id.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
}

/// The history of a task; Search shows the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchActivities {
    /// How many there are.
    #[serde(deserialize_with = "count")]
    pub total_count: Option<u32>,
    /// Those that came with the answer; none for one that cannot be read.
    #[serde(deserialize_with = "any")]
    pub nodes: Option<Vec<Option<SearchActivity>>>,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchActivity {
    /// `new`, `parked`, `connected`, `on-hold`, ...
    #[serde(deserialize_with = "text")]
    pub event_name: Option<String>,
    /// When.
    #[serde(deserialize_with = "moment")]
    pub created_time: Option<Timestamp>,
}

impl SearchActivities {
    /// What happened and when, the newest first, if none of it is missing: an answer holds only so many.
    #[must_use]
    pub fn whole(&self) -> Option<Vec<(&str, Timestamp)>> {
        let nodes = self.nodes.as_ref()?;
        let is_whole = self
            .total_count
            .is_none_or(|count| usize::try_from(count).is_ok_and(|count| count <= nodes.len()));
        let timed = nodes.iter().map(|node| {
            let node = node.as_ref()?;
            Some((node.event_name.as_deref()?, node.created_time?))
        });
        timed.collect::<Option<Vec<_>>>().filter(|_| is_whole)
    }
}
