//! The timeline of a call: Webex's events of one task, in whatever order they arrive, doubled or with gaps.
//!
//! A [`CallTimeline`] is a set of events. [`CallTimeline::history`] walks through them in the order of their own times and
//! gives the [`CallHistory`]. So neither order nor repetition of arrival can leave a trace.

mod event;
mod history;
mod parts;
mod recording;
mod sent_updates;
#[cfg(test)]
pub(crate) mod tests;
mod walk;

use std::collections::{BTreeSet, HashSet};

use event::EventWeight;
pub use event::{AgentState, Direction, EventKind, TaskEnding, TaskEvent};
pub use history::{
    AgentInvolvement, CallHistory, CallState, CallTotals, SearchSummary, Segment, SegmentEnd, SegmentKind,
    Stretch, StretchKind,
};
use jiff::Timestamp;
pub use recording::{AnnouncedRecordings, CapturedRecordings, FileName, InvalidFileName, Recording};
pub use sent_updates::{CallOutcome, FinalUpdateState, SentUpdate, UpdateContent};
use serde::{Deserialize, Serialize};

use super::StoredJson;
use crate::phone::PhoneNumber;

/// The most events that a timeline keeps; a real call has some dozens.
const MOST_EVENTS: usize = 2000;

/// All events of one task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallTimeline {
    events: BTreeSet<TaskEvent>,
}

impl CallTimeline {
    /// Adds an event. A known event changes nothing, in whatever order they come; of more than 2,000 some are dropped, by
    /// `TaskEvent::weight`.
    pub fn apply(&mut self, event: TaskEvent) {
        self.events.insert(event);
        self.trim();
    }

    /// Drops the middle where there are too many events: the beginning and the end of a call are never among a thousand
    /// alike. The heaviest go last. Of each weight the first and the last events ever added stay, so that the order in
    /// which they came has no effect.
    fn trim(&mut self) {
        if self.events.len() <= MOST_EVENTS {
            return;
        }
        let mut left = MOST_EVENTS;
        let mut dropped = HashSet::new();
        for weight in [EventWeight::Frame, EventWeight::Agent, EventWeight::Rest] {
            let alike: Vec<&TaskEvent> =
                self.events.iter().filter(|event| event.weight() == weight).collect();
            let kept = alike.len().min(left);
            let (first, too_many) = (kept.div_ceil(2), alike.len() - kept);
            dropped.extend(alike.into_iter().skip(first).take(too_many).cloned());
            left -= kept;
        }
        self.events.retain(|event| !dropped.contains(event));
    }

    /// How many different events there are.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether Webex has reported nothing: the bridge's own events do not count.
    pub fn is_empty(&self) -> bool {
        self.events.iter().all(|event| event.kind.is_internal())
    }

    /// All events, also those that Webex has sent twice.
    pub fn all(&self) -> impl Iterator<Item = &TaskEvent> {
        self.events.iter()
    }

    /// The events in the order of their own times, those without a time first, each once: Webex sends some twice, under
    /// the same id, or under another with the same type and time.
    pub fn events(&self) -> impl Iterator<Item = &TaskEvent> {
        let (mut ids, mut moments) = (HashSet::new(), HashSet::new());
        self.events.iter().filter(move |event| {
            let is_new = ids.insert(event.id.as_str());
            // Events of two agents may have the same millisecond, so the agent is part of the comparison.
            let agent = event.kind.is_of_agent().then_some((&event.agent, &event.kind));
            is_new && (event.at.is_none() || moments.insert((event.at, event.kind.name(), agent)))
        })
    }

    /// The history of the call that the events give.
    pub fn history(&self) -> CallHistory {
        walk::walk(&self.events().collect::<Vec<_>>())
    }

    /// Whether an agent has had the call, by any event: the acceptance itself may be lost.
    pub fn is_answered(&self) -> bool {
        self.events.iter().any(|event| event.kind.implies_agent())
    }

    /// Whether the caller's number has changed.
    pub fn has_new_caller(&self) -> bool {
        self.events.iter().any(|event| event.kind == EventKind::OriginUpdated)
    }

    /// When the call ended, if it has, as far as is known.
    pub fn ended_at(&self) -> Option<Timestamp> {
        walk::end(&self.events().collect::<Vec<_>>()).map(|end| end.at)
    }
}

impl FromIterator<TaskEvent> for CallTimeline {
    fn from_iter<T: IntoIterator<Item = TaskEvent>>(events: T) -> Self {
        let mut timeline = Self::default();
        timeline.extend(events);
        timeline
    }
}

impl Extend<TaskEvent> for CallTimeline {
    fn extend<T: IntoIterator<Item = TaskEvent>>(&mut self, events: T) {
        self.events.extend(events);
        self.trim();
    }
}

/// The phone numbers of a task. They are stored apart from its events, only while a call may still have to be logged.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskNumbers {
    /// The caller's number.
    pub origin: Option<PhoneNumber>,
    /// The dialed number.
    pub destination: Option<PhoneNumber>,
}

impl TaskNumbers {
    /// The stored form: JSON without a printable form. None where there is no number.
    pub fn body(&self) -> Option<StoredJson> {
        let number = |number: &Option<PhoneNumber>| number.as_ref().map(|number| number.expose().to_owned());
        let pair = (number(&self.origin), number(&self.destination));
        if pair == (None, None) { None } else { serde_json::to_string(&pair).ok().map(StoredJson::new) }
    }

    /// Reads the stored form.
    pub fn read(body: &StoredJson) -> Option<Self> {
        let (origin, destination): (Option<String>, Option<String>) =
            serde_json::from_str(body.expose()).ok()?;
        Some(Self { origin: origin.map(Into::into), destination: destination.map(Into::into) })
    }

    /// Adds the numbers that are not known yet.
    pub fn merge(&mut self, other: Self) {
        self.origin = self.origin.take().or(other.origin);
        self.destination = self.destination.take().or(other.destination);
    }
}
