//! A task as Search shows it. Any field may be missing: which ones come depends on the query and the tenant.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Number;

use crate::phone::PhoneNumber;

/// A task; durations are milliseconds on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// The interaction id.
    pub id: String,
    /// `ended`, `abandoned`, ...
    pub status: Option<String>,
    /// `telephony`, `chat`, ...
    pub channel_type: Option<String>,
    /// When it began.
    #[serde(default, deserialize_with = "moment")]
    pub created_time: Option<Timestamp>,
    /// When it ended.
    #[serde(default, deserialize_with = "moment")]
    pub ended_time: Option<Timestamp>,
    /// The caller's number.
    #[serde(default, deserialize_with = "number")]
    pub origin: Option<PhoneNumber>,
    /// The dialed number.
    #[serde(default, deserialize_with = "number")]
    pub destination: Option<PhoneNumber>,
    /// `inbound`, `outbound`, `outdial`.
    pub direction: Option<String>,
    /// Whether it goes on.
    pub is_active: Option<bool>,
    /// `short`, `abandoned` or `normal`.
    pub contact_handle_type: Option<String>,
    /// How it ended.
    pub termination_type: Option<String>,
    /// Why it ended, in free words.
    pub termination_reason: Option<String>,
    /// Who ended it.
    pub terminating_end: Option<String>,
    /// The last queue.
    pub last_queue: Option<Named>,
    /// The last agent.
    pub last_agent: Option<Named>,
    /// How often an agent was connected.
    #[serde(default, deserialize_with = "count")]
    pub connected_count: Option<u32>,
    /// How long agents talked.
    #[serde(default, deserialize_with = "count")]
    pub connected_duration: Option<u64>,
    /// How often it was on hold.
    #[serde(default, deserialize_with = "count")]
    pub hold_count: Option<u32>,
    /// How long it was on hold.
    #[serde(default, deserialize_with = "count")]
    pub hold_duration: Option<u64>,
    /// How often it was queued.
    #[serde(default, deserialize_with = "count")]
    pub queue_count: Option<u32>,
    /// How long it was queued.
    #[serde(default, deserialize_with = "count")]
    pub queue_duration: Option<u64>,
    /// How long it was in the IVR.
    #[serde(default, deserialize_with = "count")]
    pub selfservice_duration: Option<u64>,
    /// How long it rang at agents.
    #[serde(default, deserialize_with = "count")]
    pub ringing_duration: Option<u64>,
    /// How long agents wrapped up.
    #[serde(default, deserialize_with = "count")]
    pub wrapup_duration: Option<u64>,
    /// All of it.
    #[serde(default, deserialize_with = "count")]
    pub total_duration: Option<u64>,
    /// Whether a recording will come.
    pub capture_requested: Option<bool>,
    /// Its history, where it was asked for.
    pub activities: Option<Activities>,
}

/// A queue, agent, team or site.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Named {
    /// Its id.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// An agent's login.
    pub sign_in_id: Option<String>,
}

/// The history of a task; Search shows the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activities {
    /// How many there are.
    #[serde(default, deserialize_with = "count")]
    pub total_count: Option<u32>,
    /// Those that came with the answer.
    #[serde(default)]
    pub nodes: Vec<Activity>,
}

/// Something that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// `new`, `parked`, `connected`, `on-hold`, ...
    pub event_name: String,
    /// When.
    #[serde(default, deserialize_with = "moment")]
    pub created_time: Option<Timestamp>,
    /// How long it lasted.
    #[serde(default, deserialize_with = "count")]
    pub duration: Option<u64>,
}

impl Activities {
    /// Whether none is missing: an answer holds only so many.
    #[must_use]
    pub fn are_whole(&self) -> bool {
        self.total_count
            .is_none_or(|count| usize::try_from(count).is_ok_and(|count| count <= self.nodes.len()))
    }
}

/// Whole and not negative: where Webex does not know a number, it may say -1.
fn count<'de, D: Deserializer<'de>, N: TryFrom<u64>>(deserializer: D) -> Result<Option<N>, D::Error> {
    let number = Option::<Number>::deserialize(deserializer)?.and_then(|number| number.as_u64());
    Ok(number.and_then(|number| N::try_from(number).ok()))
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    // Nothing that Webex tells of ended in 1970.
    let millisecond = count::<D, i64>(deserializer)?.filter(|millisecond| *millisecond > 0);
    Ok(millisecond.and_then(|millisecond| Timestamp::from_millisecond(millisecond).ok()))
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PhoneNumber>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.filter(|number| !number.is_empty()).map(PhoneNumber::new))
}
