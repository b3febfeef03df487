//! The timeline of a call: what Webex's events tell of it, in whatever order, doubled or with gaps.
//!
//! A [`CallTimeline`] is a set of events. [`CallTimeline::story`] walks through them in the order of their own times
//! and says what they mean. So neither order nor repetition of arrival can leave a trace.

mod agents;
mod cut;
mod end;
mod event;
mod numbers;
mod part;
mod recording;
mod segment;
mod story;
mod summary;
#[cfg(test)]
pub(crate) mod tests;
mod told;
mod walk;

use std::collections::{BTreeSet, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use event::EventWeight;
pub use event::{AgentState, Direction, EventKind, TaskEnding, TaskEvent};
pub use numbers::TaskNumbers;
pub use recording::{AnnouncedRecordings, CapturedRecordings, FileName, InvalidFileName, Recording};
pub use segment::{Segment, SegmentEnd, SegmentKind, Stretch, StretchKind};
pub use story::{AgentInvolvement, CallHistory, CallState};
pub use summary::{CallTotals, SearchSummary};
pub use told::{CallOutcome, FinalUpdateState, SentUpdate, UpdateContent};

/// The most events that a timeline keeps; a real call has some dozens.
const MOST: usize = 2000;

/// All events of one task.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallTimeline {
    events: BTreeSet<TaskEvent>,
}

impl CallTimeline {
    /// Takes an event in. An event that is known changes nothing, in whatever order they come; of more than 2,000 some
    /// are left out, as `TaskEvent::weight` says.
    pub fn apply(&mut self, event: TaskEvent) {
        self.events.insert(event);
        self.trim();
    }

    /// Of too many, the middle is dropped: the beginning and the end of a call are never among a thousand alike. What
    /// weighs most goes last. What is kept of each weight are its first and its last, of all that ever came: so the order
    /// in which they came leaves no trace.
    fn trim(&mut self) {
        if self.events.len() <= MOST {
            return;
        }
        let mut left = MOST;
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

    /// How many different events it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether Webex has told nothing: what the bridge has told Salesforce does not count.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.iter().all(|event| event.kind.is_internal())
    }

    /// All events as they were told, those that Webex has sent twice too.
    pub fn all(&self) -> impl Iterator<Item = &TaskEvent> {
        self.events.iter()
    }

    /// The events in the order of their own times, those without a time first, each once: Webex sends some twice,
    /// under the same id, or under another with the same type and time.
    pub fn events(&self) -> impl Iterator<Item = &TaskEvent> {
        let (mut ids, mut moments) = (HashSet::new(), HashSet::new());
        self.events.iter().filter(move |event| {
            let is_new = ids.insert(event.id.as_str());
            // Two agents may do something at the same millisecond.
            let agent = event.kind.is_of_agent().then_some((&event.agent, &event.kind));
            is_new && (event.at.is_none() || moments.insert((event.at, event.kind.name(), agent)))
        })
    }

    /// What the events mean.
    #[must_use]
    pub fn history(&self) -> CallHistory {
        walk::walk(&self.events().collect::<Vec<_>>())
    }

    /// Whether an agent has had the call, by any sign: with loss, the acceptance itself may be missing.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.events.iter().any(|event| event.kind.implies_agent())
    }

    /// Whether the caller's number has changed.
    #[must_use]
    pub fn has_new_caller(&self) -> bool {
        self.events.iter().any(|event| event.kind == EventKind::OriginUpdated)
    }

    /// When the call had ended, if it has, as far as is known.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        end::end(&self.events().collect::<Vec<_>>()).map(|end| end.at)
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
