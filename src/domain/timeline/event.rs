//! What Webex tells of a task, one event at a time. Without phone numbers: nothing here needs them.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{CapturedRecordings, SearchSummary, SentUpdate};

/// How far the times of events may differ that tell of the same moment: Webex's clocks jitter. Nobody acts twice
/// within it.
pub(super) const JITTER: SignedDuration = SignedDuration::from_millis(100);

/// How soon everything has been told that follows from one act, such as a transfer.
pub(super) const SOON: SignedDuration = SignedDuration::from_secs(2);

/// An event of one task.
///
/// Events order by their own time. At the same millisecond the order is that of [`EventKind`], which is the order in
/// which these things happen to a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskEvent {
    /// When it happened, by Webex's clock; `task:conference-done` of the first version of webhooks tells none.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What happened.
    #[serde(rename = "what")]
    pub kind: EventKind,
    /// Its id; a doubled event has the same one.
    pub id: String,
    /// The queue, by its id in Webex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue: Option<String>,
    /// The agent, by their id in Webex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Who called whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
}

/// What happened. The order of the variants is that of things that happen at the same millisecond.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// `task:new`: the call has arrived.
    New,
    /// `task:origin-updated`.
    OriginUpdated,
    /// `task:parked`: it waits in a queue, no agent is free.
    Parked,
    /// The caller has chosen to be called back, and keeps the place in the queue. Only Search tells.
    CallbackChosen,
    /// `task:connect`: it is offered to an agent.
    Connect,
    /// `task:connected`: an agent has accepted it.
    Connected,
    /// `task:on-hold`.
    OnHold,
    /// `task:consulting`: the agent speaks with somebody else about it.
    Consulting,
    /// `task:conferencing`: caller, agent and somebody else speak together.
    Conferencing,
    /// `task:conference-done`.
    ConferenceDone,
    /// `task:conference-transferred`: the agent has left the others alone.
    ConferenceTransferred,
    /// Not of webhooks: Search's history says that the agent has given the call away.
    Transferred,
    /// `task:consult-done`.
    ConsultDone,
    /// `task:hold-done`.
    HoldDone,
    /// `agent:state_change` with this task: what an agent does with it.
    Agent(AgentState),
    /// The call that the caller was promised came to nothing, and no other is tried. Only Search tells.
    CallbackFailed,
    /// `task:failed`: it came to nothing.
    Failed(TaskEnding),
    /// `task:ended`: the caller's call is over.
    Ended(TaskEnding),
    /// `capture:available`: there is a recording.
    CaptureAvailable,
    /// A type that we do not know, kept by its name.
    Other(String),
    /// Not of Webex: what it answered when it was asked for recordings.
    Captured(CapturedRecordings),
    /// Not of Webex: its record says that the call was never queued.
    NeverQueued,
    /// Not of Webex: what Salesforce has been told of a call.
    #[serde(rename = "told")]
    UpdateSent(SentUpdate),
    /// Not of Webex's webhooks: what Search says of the whole task.
    Summary(SearchSummary),
}

/// How a task ended, in Webex's words.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct TaskEnding {
    /// Who ended it (`terminatingParty`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<String>,
    /// Why: free text, no list of it is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What an agent does with a task.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentState {
    /// They have accepted it.
    Connected,
    /// They write it up. The code (`wrapUpAuxCodeId`) may come with the beginning or with the end of it.
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

/// Who called whom.
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

/// How much is lost with an event, where there are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EventWeight {
    /// Without it nothing would ever be concluded, or it would be concluded twice.
    Frame,
    /// It shows that the call was answered.
    Agent,
    /// It only makes the story more exact.
    Rest,
}

impl TaskEvent {
    /// Ends and the bridge's own marks weigh most, then what only an answered call can tell.
    pub(super) fn weight(&self) -> EventWeight {
        match &self.kind {
            kind if kind.is_end() || kind.is_internal() => EventWeight::Frame,
            EventKind::Summary(_) => EventWeight::Frame,
            kind if kind.implies_agent() => EventWeight::Agent,
            _ => EventWeight::Rest,
        }
    }

    /// Whether it shows that the caller has chosen to be called back.
    pub(super) fn is_of_callback(&self) -> bool {
        self.direction == Some(Direction::Callback)
            || matches!(self.kind, EventKind::CallbackChosen | EventKind::CallbackFailed)
    }
}

impl TaskEnding {
    /// Whether an agent did not take an offer in time ("RONA Timer Expired"): a callback goes on after that.
    pub(super) fn is_missed_offer(&self) -> bool {
        let words = |text: &str| {
            text.split(|c: char| !c.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case("rona"))
        };
        self.reason.as_deref().is_some_and(words)
    }
}

impl EventKind {
    /// The type as Webex names it; what is kept by the bridge itself has names that Webex has not.
    #[must_use]
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
    #[must_use]
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

    /// Whether an agent comes in by it, or does something that an agent does who has the call at that time.
    #[must_use]
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

    /// Whether something begins with it that lasts: a wait, an offer, a hold, a consult or a conference.
    pub(super) fn begins_something(&self) -> bool {
        matches!(self, Self::Parked | Self::Connect | Self::OnHold | Self::Consulting | Self::Conferencing)
    }

    /// Whether it says that the call is over.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Failed(_) | Self::CallbackFailed)
    }

    /// Whether the bridge itself has kept it: nothing has happened to the call.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        matches!(self, Self::Captured(_) | Self::NeverQueued | Self::UpdateSent(_))
    }

    /// Whether it tells of an agent rather than of the task.
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
    /// Reads `currentState`, in any spelling of capitals and hyphens.
    #[must_use]
    pub fn read(name: &str, code: Option<String>) -> Self {
        let plain: String =
            name.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
        match plain.as_str() {
            "connected" => Self::Connected,
            "wrapup" => Self::WrapUp { code },
            _ => Self::Other { name: name.to_owned(), code },
        }
    }

    /// The wrap-up code that comes with it.
    #[must_use]
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
