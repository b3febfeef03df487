//! The events of a task, as webhooks, Search and the bridge itself add them to a timeline. They contain no phone numbers.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CapturedRecordings, SearchSummary, SentUpdate};

/// By how much the times of events of the same moment may differ: Webex's clocks jitter. No agent acts twice within it.
pub(super) const JITTER: SignedDuration = SignedDuration::from_millis(100);

/// Within this time all events of one act, such as a transfer, have been sent.
pub(super) const SOON: SignedDuration = SignedDuration::from_secs(2);

/// An event of one task. Events order by their own time. At the same millisecond they order by [`EventKind`], which is
/// the order in which these things happen to a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskEvent {
    /// When it happened, by Webex's clock; `task:conference-done` of the first version of webhooks has no time.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What happened.
    #[serde(rename = "what")]
    pub kind: EventKind,
    /// The event id; a repeated event has the same one.
    pub id: String,
    /// The queue, by its id in Webex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The agent, by their id in Webex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The direction of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
}

/// The type of an event. The variants are in the order in which they happen at the same millisecond.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// `task:new`: the call has arrived.
    New,
    /// `task:origin-updated`.
    OriginUpdated,
    /// `task:parked`: the call waits in a queue, because no agent is free.
    Parked,
    /// The caller has chosen to be called back, and keeps the place in the queue. Only Search has this.
    CallbackChosen,
    /// `task:connect`: the call is offered to an agent.
    Connect,
    /// `task:connected`: an agent has accepted the call.
    Connected,
    /// `task:on-hold`.
    OnHold,
    /// `task:consulting`: the agent consults another party.
    Consulting,
    /// `task:conferencing`: caller, agent and another party are in a conference.
    Conferencing,
    /// `task:conference-done`.
    ConferenceDone,
    /// `task:conference-transferred`: the agent has left the conference.
    ConferenceTransferred,
    /// Not of webhooks: by Search's activities, the agent has transferred the call.
    Transferred,
    /// `task:consult-done`.
    ConsultDone,
    /// `task:hold-done`.
    HoldDone,
    /// `agent:state_change` with this task: the state of an agent.
    Agent(AgentState),
    /// The callback failed, and no other is tried. Only Search has this.
    CallbackFailed,
    /// `task:failed`: the task has failed.
    Failed(TaskEnding),
    /// `task:ended`: the task has ended.
    Ended(TaskEnding),
    /// `capture:available`: there is a recording.
    CaptureAvailable,
    /// An unknown type, by its name.
    Other(String),
    /// Not of Webex: its answer when the bridge asked for recordings.
    Captured(CapturedRecordings),
    /// Not of Webex: by its record, the call was never queued.
    NeverQueued,
    /// Not of Webex: an update that the bridge has sent to Salesforce.
    #[serde(rename = "told")]
    UpdateSent(SentUpdate),
    /// Not of webhooks: Search's record of the whole task.
    Summary(SearchSummary),
}

/// How a task ended, in Webex's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct TaskEnding {
    /// Which party ended it (`terminatingParty`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// Why, as free text; Webex publishes no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The state of an agent with a task.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// The agent has accepted the call.
    Connected,
    /// The agent is in wrap-up. The code (`wrapUpAuxCodeId`) may come with the beginning or with the end of it.
    WrapUp {
        /// The id of the wrap-up code.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Another state, by its name.
    Other {
        /// As Webex spells it.
        name: String,
        /// The id of the wrap-up code, if it comes with this state.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
}

/// The direction of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// A customer called.
    Inbound,
    /// An agent, or a campaign, called.
    Outbound,
    /// A customer who had chosen it is called back: there may be no agent yet.
    Callback,
}

/// How much is lost with an event, where a timeline has too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventWeight {
    /// Without it the call would never be concluded, or twice.
    Frame,
    /// It shows that the call was answered.
    Agent,
    /// It only makes the history more exact.
    Rest,
}

impl TaskEvent {
    /// Ends and the bridge's own events weigh most, then the events that only an answered call can have.
    pub(super) fn weight(&self) -> EventWeight {
        match &self.kind {
            kind if kind.is_end() || kind.is_internal() => EventWeight::Frame,
            EventKind::Summary(_) => EventWeight::Frame,
            kind if kind.implies_agent() => EventWeight::Agent,
            _ => EventWeight::Rest,
        }
    }

    /// Whether the caller has chosen to be called back.
    pub(super) fn is_of_callback(&self) -> bool {
        self.direction == Some(Direction::Callback)
            || matches!(self.kind, EventKind::CallbackChosen | EventKind::CallbackFailed)
    }
}

impl TaskEnding {
    /// Whether an agent did not accept an offer in time ("RONA Timer Expired"): a callback goes on after that.
    pub(super) fn is_missed_offer(&self) -> bool {
        let words = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("rona"))
        };
        self.reason.as_deref().is_some_and(words)
    }
}

impl EventKind {
    /// The type as Webex names it; the bridge's own events have names that Webex has not.
    pub fn name(&self) -> &str {
        match self {
            Self::New => "task:new",
            Self::OriginUpdated => "task:origin-updated",
            Self::Parked => "task:parked",
            Self::CallbackChosen => "task:optOutOfQueue",
            Self::CallbackFailed => "task:callbackFailed",
            Self::Connect => "task:connect",
            Self::Connected => "task:connected",
            Self::OnHold => "task:on-hold",
            Self::Consulting => "task:consulting",
            Self::Conferencing => "task:conferencing",
            Self::ConferenceDone => "task:conference-done",
            Self::ConferenceTransferred => "task:conference-transferred",
            Self::Transferred => "task:transferred",
            Self::ConsultDone => "task:consult-done",
            Self::HoldDone => "task:hold-done",
            Self::Agent(_) => "agent:state_change",
            Self::Failed(_) => "task:failed",
            Self::Ended(_) => "task:ended",
            Self::CaptureAvailable => "capture:available",
            Self::Other(name) => name,
            Self::Captured(_) => "captured",
            Self::NeverQueued => "never-queued",
            Self::UpdateSent(_) => "told",
            Self::Summary(_) => "summary",
        }
    }

    /// Whether it cannot happen to a call that no agent has had.
    pub fn implies_agent(&self) -> bool {
        match self {
            Self::Connected
            | Self::OnHold
            | Self::HoldDone
            | Self::Consulting
            | Self::ConsultDone
            | Self::Conferencing
            | Self::ConferenceDone
            | Self::ConferenceTransferred
            | Self::Transferred
            | Self::Agent(AgentState::Connected | AgentState::WrapUp { .. }) => true,
            Self::New
            | Self::OriginUpdated
            | Self::Parked
            | Self::CallbackChosen
            | Self::CallbackFailed
            | Self::NeverQueued
            | Self::Connect
            | Self::Agent(AgentState::Other { .. })
            | Self::Failed(_)
            | Self::Ended(_)
            | Self::CaptureAvailable
            | Self::Other(_)
            | Self::Captured(_)
            | Self::UpdateSent(_)
            | Self::Summary(_) => false,
        }
    }

    /// Whether an agent joins the call by it, or does something that only an agent who has the call at that time does.
    pub fn opens_with_agent(&self) -> bool {
        matches!(
            self,
            Self::Connected
                | Self::OnHold
                | Self::Consulting
                | Self::Conferencing
                | Self::Agent(AgentState::Connected)
        )
    }

    /// Whether something that lasts begins with it: a wait, an offer, a hold, a consult or a conference.
    pub(super) fn begins_something(&self) -> bool {
        matches!(self, Self::Parked | Self::Connect | Self::OnHold | Self::Consulting | Self::Conferencing)
    }

    /// Whether the call is over with it.
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Failed(_) | Self::CallbackFailed)
    }

    /// Whether the bridge itself has added it: nothing has happened to the call.
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Captured(_) | Self::NeverQueued | Self::UpdateSent(_))
    }

    /// Whether it is an event of an agent rather than of the task.
    pub(super) fn is_of_agent(&self) -> bool {
        matches!(self, Self::Agent(_))
    }

    /// Whether it shows that the caller's call goes on.
    pub(super) fn goes_on(&self) -> bool {
        matches!(
            self,
            Self::Parked
                | Self::Connect
                | Self::Connected
                | Self::OnHold
                | Self::HoldDone
                | Self::Conferencing
                | Self::ConferenceTransferred
        )
    }
}

impl AgentState {
    /// Parses `currentState`, in any spelling of capitals and hyphens.
    pub fn read(name: &str, code: Option<String>) -> Self {
        let plain: String =
            name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        match plain.as_str() {
            "connected" => Self::Connected,
            "wrapup" => Self::WrapUp { code },
            _ => Self::Other { name: name.to_owned(), code },
        }
    }

    /// The wrap-up code in this state.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Connected => None,
            Self::WrapUp { code } | Self::Other { code, .. } => code.as_deref(),
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A time as epoch milliseconds.
pub(super) mod millisecond {
    use jiff::Timestamp;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes the field by reference")]
    pub(in crate::domain::timeline) fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::as_millisecond).serialize(serializer)
    }

    pub(in crate::domain::timeline) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let at = Option::<i64>::deserialize(deserializer)?;
        at.map(Timestamp::from_millisecond).transpose().map_err(D::Error::custom)
    }
}
