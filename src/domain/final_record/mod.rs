//! What a call's final update says: the whole story in Salesforce's terms. A pure function of the story and of the names
//! that an administrator has given to Webex's ids.

mod location;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{CallHistory, CallTotals, Recording, TaskEnding, TaskId, cut};

pub use location::LocationTemplate;

/// The longest disconnect reason, in characters: that of a text field.
const LONGEST_REASON: usize = 255;

/// What Salesforce calls Webex's queues and agents, by their ids in Webex.
#[derive(Debug, Clone, Copy)]
pub struct MappedNames<'a> {
    /// Names of queues.
    pub queues: &'a BTreeMap<String, String>,
    /// User names of agents.
    pub agents: &'a BTreeMap<String, String>,
}

/// What became of an id of Webex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappedName {
    /// Its name in Salesforce.
    Name(String),
    /// The id itself: nobody has given it a name. It is not sent: Salesforce would refuse or misread it.
    Unmapped(String),
}

/// A recording, as Salesforce takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalRecording {
    /// A lasting address. It may hold a phone number that the file is called by.
    pub location: String,
    /// All recordings together, in whole seconds; none where Webex has not told.
    pub total: Option<u64>,
}

/// What is known of a call once it has ended. Durations are in whole seconds, rounded to the nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalRecord {
    /// Whether an agent had it. If not, it was abandoned.
    pub has_agent: bool,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When it first waited for an agent, or was first offered to one.
    pub enqueue_time: Option<Timestamp>,
    /// When an agent first accepted it.
    pub accept_time: Option<Timestamp>,
    /// When it was over.
    pub end_time: Option<Timestamp>,
    /// How often, how long, and how long agents and caller spoke.
    pub sums: CallTotals,
    /// The last queue.
    pub queue: Option<MappedName>,
    /// The last agent.
    pub agent: Option<MappedName>,
    /// Where the recording is.
    pub recording: Option<FinalRecording>,
    /// Why an answered call ended, in Webex's words. That of an abandoned one is the administrator's.
    pub disconnect_reason: Option<String>,
}

impl MappedName {
    fn of(id: Option<&str>, names: &BTreeMap<String, String>) -> Option<Self> {
        let id = id?;
        Some(names.get(id).cloned().map_or_else(|| Self::Unmapped(id.to_owned()), Self::Name))
    }

    /// The name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Unmapped(_) => None,
        }
    }

    /// The id that has none.
    #[must_use]
    pub fn unmapped(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Unmapped(id) => Some(id),
        }
    }
}

impl FinalRecord {
    /// The record of a call. `location`: the template for its recording, and the id of its task.
    #[must_use]
    pub fn of(
        story: &CallHistory,
        names: MappedNames<'_>,
        location: Option<(&LocationTemplate, &TaskId)>,
    ) -> Self {
        let has_agent = story.has_agent();
        let agent = story.agent().filter(|_| has_agent);
        let location = location.filter(|_| has_agent);
        Self {
            has_agent,
            start_time: story.started_at(),
            enqueue_time: story.enqueued_at(),
            accept_time: story.accepted_at(),
            end_time: story.ended_at,
            sums: story.sums(),
            queue: MappedName::of(story.queue(), names.queues),
            agent: MappedName::of(agent, names.agents),
            recording: location.and_then(|(template, task)| note(&story.recordings, template, task)),
            disconnect_reason: story.ending.as_ref().filter(|_| has_agent).and_then(words),
        }
    }

    /// With the time at which the flow saw it begin: the earlier of the two counts, for the first events may be lost. One
    /// that lies behind the end is none.
    #[must_use]
    pub fn begun(mut self, at: Option<Timestamp>) -> Self {
        let earliest = [self.start_time, at].into_iter().flatten().min();
        self.start_time = earliest.filter(|start| self.end_time.is_none_or(|end| *start <= end));
        self
    }
}

/// The reason; where Webex gives none, who ended it.
fn words(ending: &TaskEnding) -> Option<String> {
    let said = [&ending.reason, &ending.party].into_iter().flatten().map(|text| text.trim());
    said.into_iter().find(|text| !text.is_empty()).map(|text| cut(text.to_owned(), LONGEST_REASON))
}

/// The first recording gives the name, all together the duration.
fn note(recordings: &[Recording], template: &LocationTemplate, task: &TaskId) -> Option<FinalRecording> {
    let location = template.fill(task, recordings.first().map(|first| &first.file))?;
    let known: Vec<u64> = recordings.iter().filter_map(Recording::milliseconds).collect();
    let total = known.iter().fold(0_u64, |sum, next| sum.saturating_add(*next));
    let total = (!known.is_empty()).then(|| total.saturating_add(500) / 1000);
    Some(FinalRecording { location, total })
}
