//! What Search says of a whole task: facts of the tenant, which win where they contradict what events tell.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::end::CallEnd;
use super::event::{SOON, millisecond};
use super::story::seconds;
use super::{CallHistory, EventKind, TaskEnding, TaskEvent};

/// How far figures of events and of Search may differ without a contradiction: both are sums of times that jitter.
const CLOSE_MILLIS: u64 = 1000;

/// Figures of a task as Search has them. What it does not say is none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct SearchSummary {
    /// `isActive`: it goes on. One that does not is over for good.
    pub is_active: bool,
    /// `endedTime`.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// `holdCount`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<u32>,
    /// `holdDuration`, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_for: Option<u64>,
    /// `connectedDuration`, in milliseconds: agents and caller together, without holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_for: Option<u64>,
    /// `lastAgent`: who had the call last, by their id in Webex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Whether the events of agents are no more than an outline that was made of such figures: what these do not say is
    /// not known then.
    #[serde(default)]
    pub is_outline: bool,
}

/// What a call adds up to. Durations are in whole seconds, rounded to the nearest; what is not known is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallTotals {
    /// How often the caller was on hold.
    pub holds: Option<usize>,
    /// The longest hold.
    pub longest_hold: Option<u64>,
    /// All holds together.
    pub total_hold: Option<u64>,
    /// The time that agents spent with the caller: without holds, without wrap-up.
    pub agent_interaction: Option<u64>,
}

impl SearchSummary {
    /// As it is kept with the events of its task. The same facts give the same event again.
    #[must_use]
    pub fn event(self) -> TaskEvent {
        let Self { is_active, ended, holds, held_for, connected_for, agent, is_outline } = &self;
        let ended = ended.map(Timestamp::as_millisecond);
        let id = format!(
            "summary:{is_active}:{ended:?}:{holds:?}:{held_for:?}:{connected_for:?}:{agent:?}:{is_outline}"
        );
        TaskEvent { at: None, id, kind: EventKind::Summary(self), queue: None, agent: None, direction: None }
    }

    /// Of a part of a task: figures are those of all parts together, the last agent is that of the last.
    pub(super) fn of_last_part(&self) -> Self {
        let agent = self.agent.clone();
        Self { is_active: self.is_active, ended: self.ended, agent, ..Self::default() }
    }
}

/// The last word of Search: that a task is over is said after that it goes on.
pub(super) fn summary<'a>(events: &[&'a TaskEvent]) -> Option<&'a SearchSummary> {
    let all = events.iter().filter_map(|event| match &event.kind {
        EventKind::Summary(summary) => Some(summary),
        _ => None,
    });
    all.max_by_key(|summary| (!summary.is_active, summary.ended, *summary))
}

/// The end, by what Search says: where events tell of one at about that time, that.
pub(super) fn end(ended: Timestamp, ends: &[CallEnd]) -> CallEnd {
    let distance = |end: &&CallEnd| end.at.duration_since(ended).abs();
    let near = ends.iter().filter(|end| distance(end) <= SOON).min_by_key(distance);
    let is_close = |end: &&CallEnd| distance(end).unsigned_abs().as_millis() <= u128::from(CLOSE_MILLIS);
    let at = near.filter(is_close).map_or(ended, |end| end.at);
    let ending = near.map_or_else(TaskEnding::default, |end| end.ending.clone());
    CallEnd { at, ending, is_doubtful: false }
}

impl CallTotals {
    /// What the events of a call add up to, and Search's word where that contradicts, or where they are an outline.
    pub(super) fn of(story: &CallHistory) -> Self {
        let held = story.milliseconds_held();
        let with_caller = story.milliseconds_with_agents().saturating_sub(held);
        let own = Self {
            holds: Some(story.holds()),
            longest_hold: Some(story.longest_hold()),
            total_hold: Some(seconds(held)),
            agent_interaction: Some(seconds(with_caller)),
        };
        let Some(summary) = &story.summary else { return own };
        let figure = |told: Option<u64>, milliseconds, own| match told {
            Some(told) if told.abs_diff(milliseconds) > CLOSE_MILLIS => Some(seconds(told)),
            None if summary.is_outline => None,
            // What Search does not say is what events tell, if they are more than an outline.
            _ => own,
        };
        let agent_interaction = figure(summary.connected_for, with_caller, own.agent_interaction);
        let total_hold = figure(summary.held_for, held, own.total_hold);
        let told = summary.holds.and_then(|holds| usize::try_from(holds).ok());
        let by_events = own.holds.filter(|_| !summary.is_outline && total_hold == own.total_hold);
        match told.or(by_events) {
            Some(0) => Self { holds: Some(0), longest_hold: Some(0), total_hold: Some(0), agent_interaction },
            holds if holds == own.holds && total_hold == own.total_hold => Self { agent_interaction, ..own },
            // One hold is the longest, and all together.
            holds => {
                let total_hold = total_hold.filter(|_| summary.held_for.is_some());
                let longest_hold = total_hold.filter(|_| holds == Some(1));
                Self { holds, longest_hold, total_hold, agent_interaction }
            }
        }
    }
}
