//! A webhook: what Webex sends when something happens to a task or an agent.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::domain::{
    AgentState, Direction, EventKind, FlowTime, TaskEnding, TaskEvent, TaskId, TaskNumbers, quote,
};
use crate::phone::PhoneNumber;

/// The longest id, name or code that is kept, in characters.
const LONGEST_TEXT: usize = 255;

/// A parsed webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// The type, as Webex spells it.
    pub kind: String,
    /// The organisation that sent it.
    pub org: Option<String>,
    /// When it was sent; of the second version only.
    pub sent_at: Option<Timestamp>,
    /// Its subject.
    pub about: WebhookSubject,
}

/// The subject of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookSubject {
    /// A telephony task.
    Task {
        /// The task.
        task: TaskId,
        /// The event.
        event: Box<TaskEvent>,
        /// Its phone numbers.
        numbers: TaskNumbers,
    },
    /// A task of another channel: chat, email, social.
    OtherChannel,
    /// No task: for example the login of an agent.
    NoTask,
}

/// Why a body is no webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhook {
    /// It is not JSON, or its `data` is not an object.
    #[error("body: not a webhook of Webex Contact Center at line {line}, column {column}")]
    Unreadable {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// It has no `id`, which identifies it.
    #[error("id: missing or empty")]
    NoId,
    /// It has no `type`.
    #[error("type: missing or empty")]
    NoType,
    /// Its `id` contains control characters, which not every database stores.
    #[error("id: holds characters that it must not hold")]
    Id,
    /// Its `type` contains control characters.
    #[error("type: holds characters that it must not hold")]
    Type,
    /// Its `data.taskId` cannot be part of a key.
    #[error("data.taskId: longer than 250 characters, or with characters that it must not hold")]
    TaskId,
}

#[derive(Deserialize)]
struct WebhookEnvelope {
    #[serde(default)]
    id: LooseText,
    #[serde(default, rename = "type")]
    kind: LooseText,
    #[serde(default)]
    comciscoorgid: LooseText,
    /// Another spelling, in some documents.
    #[serde(default)]
    comciscocorgid: LooseText,
    #[serde(default)]
    comciscotimestamp: LooseText,
    #[serde(default)]
    data: Option<WebhookData>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WebhookData {
    task_id: LooseText,
    created_time: LooseText,
    channel_type: LooseText,
    direction: LooseText,
    outbound_type: LooseText,
    origin: LooseText,
    destination: LooseText,
    queue_id: LooseText,
    agent_id: LooseText,
    terminating_party: LooseText,
    reason: LooseText,
    current_state: LooseText,
    wrap_up_aux_code_id: LooseText,
}

impl Webhook {
    /// Parses a body of either version. An unknown type is kept by its name; unknown fields are ignored.
    ///
    /// # Errors
    /// When it is no webhook.
    pub fn parse(body: &[u8]) -> Result<Self, InvalidWebhook> {
        let envelope: WebhookEnvelope = serde_json::from_slice(body).map_err(|error| {
            InvalidWebhook::Unreadable { line: error.line(), column: error.column().max(1) }
        })?;
        let id = envelope.id.within(LONGEST_TEXT).ok_or(InvalidWebhook::NoId)?;
        let kind = envelope.kind.within(LONGEST_TEXT).ok_or(InvalidWebhook::NoType)?;
        for (text, problem) in [(&id, InvalidWebhook::Id), (&kind, InvalidWebhook::Type)] {
            if text.chars().any(char::is_control) {
                return Err(problem);
            }
        }
        let sent_at = moment(&envelope.comciscotimestamp);
        let data = envelope.data.unwrap_or_default();
        let about = data.about(id, &kind, sent_at)?;
        let org =
            envelope.comciscoorgid.within(LONGEST_TEXT).or(envelope.comciscocorgid.within(LONGEST_TEXT));
        Ok(Self { kind, org, sent_at, about })
    }

    /// The `data` of a body; none where it has none.
    pub fn data(body: &[u8]) -> Option<Map<String, Value>> {
        #[derive(Deserialize)]
        struct DataOnly {
            data: Option<Map<String, Value>>,
        }
        serde_json::from_slice::<DataOnly>(body).ok()?.data
    }

    /// The type as a label of metrics: a known one, or `other`.
    pub fn label(&self) -> &'static str {
        const AGENTS: [&str; 5] = [
            "agent:login",
            "agent:logout",
            "agent:state_change",
            "agent:channel_state_change",
            "agent:channelType_state_change",
        ];
        let tasks = TASKS.iter().map(|(name, _)| *name).chain(["task:ended", "task:failed", CAPTURE]);
        let full = full_name(&self.kind);
        tasks.chain(AGENTS).find(|name| *name == full).unwrap_or("other")
    }
}

/// The types of task events without further data.
const TASKS: [(&str, EventKind); 14] = [
    ("task:new", EventKind::New),
    ("task:origin-updated", EventKind::OriginUpdated),
    ("task:parked", EventKind::Parked),
    ("task:optOutOfQueue", EventKind::CallbackChosen),
    ("task:callbackFailed", EventKind::CallbackFailed),
    ("task:connect", EventKind::Connect),
    ("task:connected", EventKind::Connected),
    ("task:on-hold", EventKind::OnHold),
    ("task:hold-done", EventKind::HoldDone),
    ("task:consulting", EventKind::Consulting),
    ("task:consult-done", EventKind::ConsultDone),
    ("task:conferencing", EventKind::Conferencing),
    ("task:conference-done", EventKind::ConferenceDone),
    ("task:conference-transferred", EventKind::ConferenceTransferred),
];

const CAPTURE: &str = "capture:available";

/// The kind of a task event without further data.
pub(super) fn kind_of_task_event(name: &str) -> Option<EventKind> {
    TASKS.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind.clone())
}

/// Two headings of the vendor's document leave `task:` out.
fn full_name(kind: &str) -> &str {
    match kind {
        "conference-done" => "task:conference-done",
        "conference-transferred" => "task:conference-transferred",
        _ => kind,
    }
}

impl WebhookData {
    fn about(
        self,
        id: String,
        kind: &str,
        sent_at: Option<Timestamp>,
    ) -> Result<WebhookSubject, InvalidWebhook> {
        let Some(task) = self.task_id.0.clone() else { return Ok(WebhookSubject::NoTask) };
        let channel = self.channel_type.0.as_deref();
        if channel.is_some_and(|channel| !channel.eq_ignore_ascii_case("telephony")) {
            return Ok(WebhookSubject::OtherChannel);
        }
        let task = TaskId::parse(task).map_err(|_| InvalidWebhook::TaskId)?;
        if task.vendor_call_key().is_none() {
            return Err(InvalidWebhook::TaskId);
        }
        let number = |text: &LooseText| text.0.as_deref().map(PhoneNumber::from);
        let numbers = TaskNumbers { origin: number(&self.origin), destination: number(&self.destination) };
        let direction = match self.direction.0.as_deref() {
            Some(word) if word.eq_ignore_ascii_case("inbound") => Some(Direction::Inbound),
            Some(word) if word.eq_ignore_ascii_case("outbound") => Some(self.outbound()),
            _ => None,
        };
        // An event without a time of its own gets the time at which it was sent.
        let at = moment(&self.created_time).or(sent_at);
        let queue = self.queue_id.clone().within(LONGEST_TEXT);
        let agent = self.agent_id.clone().within(LONGEST_TEXT);
        let kind = self.event_kind(full_name(kind));
        Ok(WebhookSubject::Task {
            task,
            event: Box::new(TaskEvent { at, kind, id, queue, agent, direction }),
            numbers,
        })
    }

    /// `COURTESY_CALLBACK`, and other callbacks, are not dialed by an agent.
    fn outbound(&self) -> Direction {
        let kind = self.outbound_type.0.as_deref().unwrap_or_default();
        if kind.to_ascii_uppercase().contains("CALLBACK") { Direction::Callback } else { Direction::Outbound }
    }

    fn event_kind(self, kind: &str) -> EventKind {
        if let Some(kind) = kind_of_task_event(kind) {
            return kind;
        }
        match kind {
            "task:ended" => EventKind::Ended(self.ending()),
            "task:failed" => EventKind::Failed(self.ending()),
            CAPTURE => EventKind::CaptureAvailable,
            "agent:state_change" | "agent:channel_state_change" => {
                let name = self.current_state.within(LONGEST_TEXT).unwrap_or_default();
                EventKind::Agent(AgentState::read(&name, self.wrap_up_aux_code_id.within(LONGEST_TEXT)))
            }
            other => EventKind::Other(other.to_owned()),
        }
    }

    /// The reason is free text: a phone number in it is hidden.
    fn ending(self) -> TaskEnding {
        let party = self.terminating_party.within(LONGEST_TEXT);
        TaskEnding { party, reason: self.reason.0.map(|reason| quote(&reason)) }
    }
}

/// An epoch, as number or text.
fn moment(text: &LooseText) -> Option<Timestamp> {
    let time = FlowTime::parse(text.0.as_deref()?).ok()?;
    Some(time.timestamp())
}

/// A text, also where it is sent as a number; none where it is null, empty or something else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct LooseText(pub(super) Option<String>);

impl LooseText {
    /// At most `longest` characters of it.
    pub(super) fn within(self, longest: usize) -> Option<String> {
        self.0.map(|text| crate::domain::cut(text, longest))
    }
}

impl<'de> Deserialize<'de> for LooseText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseTextVisitor)
    }
}

struct LooseTextVisitor;

impl<'de> Visitor<'de> for LooseTextVisitor {
    type Value = LooseText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<LooseText, E> {
        let text = text.trim();
        Ok(LooseText((!text.is_empty()).then(|| text.to_owned())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<LooseText, E> {
        Ok(LooseText(Some(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<LooseText, E> {
        Ok(LooseText(Some(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<LooseText, E> {
        Ok(LooseText(Some(number.to_string())))
    }

    fn visit_bool<E>(self, _: bool) -> Result<LooseText, E> {
        Ok(LooseText(None))
    }

    fn visit_unit<E>(self) -> Result<LooseText, E> {
        Ok(LooseText(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<LooseText, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(LooseText(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LooseText, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(LooseText(None))
    }
}
