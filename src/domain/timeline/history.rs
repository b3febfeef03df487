//! The history of a call, as reports and Salesforce want it: its segments, its agents, its totals.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::millisecond;
use super::{CallOutcome, Direction, EventKind, Recording, TaskEnding, TaskEvent};

/// How long an end that may be a consulted party's is in doubt. Search has the final record by then.
const DOUBT: SignedDuration = SignedDuration::from_mins(10);

/// The state of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// It has arrived; or nothing else is known.
    New,
    /// It waits for an agent.
    Queued,
    /// It is offered to an agent.
    Offered,
    /// An agent has it.
    Connected,
    /// The caller is on hold.
    OnHold,
    /// The agent consults another party.
    Consulting,
    /// Caller, agent and another party are in a conference.
    Conferencing,
    /// It is over.
    Ended,
}

/// An agent's part in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentInvolvement {
    /// Their id in Webex.
    pub agent: String,
    /// When they accepted the call, if they did.
    pub accepted_at: Option<Timestamp>,
    /// The id of their wrap-up code.
    pub wrap_up_code: Option<String>,
}

/// The history of a call. Durations are in whole seconds, rounded to the nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHistory {
    /// Where the call is.
    pub state: CallState,
    /// The direction, if any event has it.
    pub direction: Option<Direction>,
    /// The segments of the call in order, then the wrap-ups.
    pub segments: Vec<Segment>,
    /// When the call ended.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub ending: Option<TaskEnding>,
    /// Whether that may have been the end of a consulted party only.
    pub is_end_doubtful: bool,
    /// The agents in the order in which they are first named.
    pub agents: Vec<AgentInvolvement>,
    /// Whether an agent has had the call, by any event.
    pub is_answered: bool,
    /// Whether the caller has chosen to be called back.
    pub is_callback: bool,
    /// Whether by Webex's record the call was never queued.
    pub is_never_queued: bool,
    /// The recordings, the first first.
    pub recordings: Vec<Recording>,
    /// Search's record of the whole call, where that is needed besides the events.
    pub summary: Option<SearchSummary>,
}

impl CallHistory {
    /// Whether an agent had the call: by any event, or because an agent dialed it.
    pub fn has_agent(&self) -> bool {
        self.is_answered || self.direction == Some(Direction::Outbound)
    }

    /// Until when the end is in doubt, because it may be a consulted party's. Meanwhile the call's own end, a wrap-up or
    /// Search decides whose it was.
    pub fn doubted_until(&self) -> Option<Timestamp> {
        self.ended_at.filter(|_| self.is_end_doubtful)?.checked_add(DOUBT).ok()
    }

    /// The outcome for the caller, as far as is known.
    pub fn outcome(&self) -> CallOutcome {
        match (self.has_agent(), self.is_callback) {
            (true, _) => CallOutcome::Answered,
            (false, true) => CallOutcome::Callback,
            (false, false) => CallOutcome::Abandoned,
        }
    }

    /// When the call began, as far as is known.
    pub fn started_at(&self) -> Option<Timestamp> {
        self.segments.iter().find(|segment| segment.kind != SegmentKind::WrapUp).map(|segment| segment.start)
    }

    /// When the call first waited for an agent, or was first offered to a free one.
    pub fn enqueued_at(&self) -> Option<Timestamp> {
        let waits = |segment: &&Segment| matches!(segment.kind, SegmentKind::Queue | SegmentKind::Invitation);
        self.segments.iter().find(waits).map(|segment| segment.start)
    }

    /// When an agent first accepted it.
    pub fn accepted_at(&self) -> Option<Timestamp> {
        self.of(SegmentKind::Agent).next().map(|segment| segment.start)
    }

    /// The last queue, by its id in Webex.
    pub fn queue(&self) -> Option<&str> {
        self.segments.iter().rev().find_map(|segment| segment.queue.as_deref())
    }

    /// The last agent, by their id in Webex. If an agent had the call at all, Search knows best who: the last acceptance
    /// may be lost.
    pub fn agent(&self) -> Option<&str> {
        let by_search =
            self.summary.as_ref().filter(|_| self.is_answered).and_then(|all| all.agent.as_deref());
        by_search.or_else(|| self.agent_by_events())
    }

    fn agent_by_events(&self) -> Option<&str> {
        let last = self.of(SegmentKind::Agent).last();
        let since = last.map(|segment| segment.start);
        let accepted =
            self.agents.iter().rev().find(|agency| agency.accepted_at.is_some_and(|at| Some(at) >= since));
        let named = last.and_then(|segment| segment.agent.as_deref());
        named.or(accepted.map(|agency| agency.agent.as_str()))
    }

    /// The wrap-up code of the last agent.
    pub fn wrap_up_code(&self) -> Option<&str> {
        self.agents.iter().rev().find_map(|agency| agency.wrap_up_code.as_deref())
    }

    /// The totals by the events and by Search.
    pub fn sums(&self) -> CallTotals {
        CallTotals::of(self)
    }

    /// How often the caller was put on hold, by the events.
    pub fn holds(&self) -> usize {
        self.stretches(StretchKind::Hold).count()
    }

    /// The longest hold in seconds, by the events.
    pub fn longest_hold(&self) -> u64 {
        seconds(self.stretches(StretchKind::Hold).max().unwrap_or_default())
    }

    pub(super) fn milliseconds_held(&self) -> u64 {
        self.stretches(StretchKind::Hold).sum()
    }

    /// With holds.
    pub(super) fn milliseconds_with_agents(&self) -> u64 {
        self.of(SegmentKind::Agent).filter_map(Segment::milliseconds).sum()
    }

    /// The segments of one kind.
    pub fn of(&self, kind: SegmentKind) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(move |segment| segment.kind == kind)
    }

    /// Milliseconds of all stretches of one kind.
    fn stretches(&self, kind: StretchKind) -> impl Iterator<Item = u64> {
        let stretches = self.segments.iter().flat_map(move |segment| segment.stretches_of(kind));
        stretches.map(|stretch| stretch.milliseconds().unwrap_or_default())
    }
}

/// Milliseconds as whole seconds, half of one rounded up.
pub(super) fn seconds(milliseconds: u64) -> u64 {
    milliseconds.saturating_add(500) / 1000
}

/// The kind of a segment, in the terms of contact-center reporting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// In the IVR, before the queue: announcements, menus, self-service.
    Menu,
    /// Waiting for an agent.
    Queue,
    /// The call is offered to an agent.
    Invitation,
    /// An agent has it.
    Agent,
    /// The last agent has left, and the caller talks to an outside party to whom the agent transferred the call.
    Outside,
    /// An agent is in wrap-up: after the call, or beside it where the call went on to another agent.
    WrapUp,
}

/// How a segment ended, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentEnd {
    /// An invitation that an agent accepted.
    Accepted,
    /// An invitation that no agent accepted.
    Missed,
    /// The agent transferred the call to another agent or to a queue.
    Transferred,
}

/// What lasts for a while within a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StretchKind {
    /// In a queue where no agent is free.
    Parked,
    /// The caller is on hold.
    Hold,
    /// The agent consults another party.
    Consult,
    /// Caller, agent and another party are in a conference.
    Conference,
}

/// A hold, a consult, a conference or a wait within a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its kind.
    pub kind: StretchKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; none while it is open or where the end is unknown.
    pub end: Option<Timestamp>,
}

/// A segment of a call. Menu, Queue, Invitation, Agent and Outside follow each other without a gap from the first event
/// to the end, so that their durations add up to the call's. Wrap-up is not part of that sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its kind.
    pub kind: SegmentKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; none while it is open or where the end is unknown.
    pub end: Option<Timestamp>,
    /// How it ended.
    pub mark: Option<SegmentEnd>,
    /// The queue, by its id in Webex.
    pub queue: Option<String>,
    /// The agent, by their id in Webex.
    pub agent: Option<String>,
    /// The stretches within it, in order.
    pub stretches: Vec<Stretch>,
}

impl Segment {
    pub(super) fn new(kind: SegmentKind, start: Timestamp) -> Self {
        Self { kind, start, end: None, mark: None, queue: None, agent: None, stretches: Vec::new() }
    }

    /// How long it took, in milliseconds.
    pub fn milliseconds(&self) -> Option<u64> {
        span(self.start, self.end)
    }

    /// Its stretches of one kind.
    pub fn stretches_of(&self, kind: StretchKind) -> impl Iterator<Item = &Stretch> {
        self.stretches.iter().filter(move |stretch| stretch.kind == kind)
    }

    /// Begins a stretch; an open one of the same kind ends then.
    pub(super) fn open(&mut self, kind: StretchKind, start: Timestamp) {
        let _was_open = self.close(kind, start);
        self.stretches.push(Stretch { kind, start, end: None });
    }

    /// Ends the open stretch of this kind; returns whether there was one.
    pub(super) fn close(&mut self, kind: StretchKind, end: Timestamp) -> bool {
        let open =
            self.stretches.iter_mut().rev().find(|stretch| stretch.kind == kind && stretch.end.is_none());
        let Some(stretch) = open else { return false };
        stretch.end = Some(end);
        true
    }

    /// Ends the stretch, or adds one whose beginning was lost.
    pub(super) fn close_or_note(&mut self, kind: StretchKind, end: Timestamp) {
        if !self.close(kind, end) {
            self.stretches.push(Stretch { kind, start: end, end: Some(end) });
        }
    }

    pub(super) fn is_open(&self, kind: StretchKind) -> bool {
        self.stretches.iter().any(|stretch| stretch.kind == kind && stretch.end.is_none())
    }

    /// Ends the segment with everything open in it.
    pub(super) fn finish(&mut self, end: Timestamp, mark: Option<SegmentEnd>) {
        self.end = Some(end);
        self.mark = mark.or(self.mark);
        self.stretches.retain(|stretch| stretch.start <= end);
        for stretch in &mut self.stretches {
            stretch.end = Some(stretch.end.map_or(end, |own| own.min(end)));
        }
    }
}

impl Stretch {
    /// How long it took, in milliseconds.
    pub fn milliseconds(&self) -> Option<u64> {
        span(self.start, self.end)
    }
}

pub(super) fn span(start: Timestamp, end: Option<Timestamp>) -> Option<u64> {
    u64::try_from(end?.as_millisecond() - start.as_millisecond()).ok()
}

/// How far figures of events and of Search may differ without a contradiction: both are sums of times that jitter.
pub(super) const CLOSE_MILLIS: u64 = 1000;

/// Figures of a task as Search has them. A missing figure is none.
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
    /// Whether the events of agents are no more than an outline that was made of such figures: what these do not have is
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

/// The last record of Search: one of an ended task comes after one of an active task.
pub(super) fn summary<'a>(events: &[&'a TaskEvent]) -> Option<&'a SearchSummary> {
    let all = events.iter().filter_map(|event| match &event.kind {
        EventKind::Summary(summary) => Some(summary),
        _ => None,
    });
    all.max_by_key(|summary| (!summary.is_active, summary.ended, *summary))
}

impl CallTotals {
    /// What the events of a call add up to, and Search's word where that contradicts, or where they are an outline.
    pub(super) fn of(history: &CallHistory) -> Self {
        let held = history.milliseconds_held();
        let with_caller = history.milliseconds_with_agents().saturating_sub(held);
        let own = Self {
            holds: Some(history.holds()),
            longest_hold: Some(history.longest_hold()),
            total_hold: Some(seconds(held)),
            agent_interaction: Some(seconds(with_caller)),
        };
        let Some(summary) = &history.summary else { return own };
        let figure = |reported: Option<u64>, milliseconds, own| match reported {
            Some(reported) if reported.abs_diff(milliseconds) > CLOSE_MILLIS => Some(seconds(reported)),
            None if summary.is_outline => None,
            // Where Search has no figure, the one computed from the events counts, if they are more than an outline.
            _ => own,
        };
        let agent_interaction = figure(summary.connected_for, with_caller, own.agent_interaction);
        let total_hold = figure(summary.held_for, held, own.total_hold);
        let reported = summary.holds.and_then(|holds| usize::try_from(holds).ok());
        let by_events = own.holds.filter(|_| !summary.is_outline && total_hold == own.total_hold);
        match reported.or(by_events) {
            Some(0) => Self { holds: Some(0), longest_hold: Some(0), total_hold: Some(0), agent_interaction },
            holds if holds == own.holds && total_hold == own.total_hold => Self { agent_interaction, ..own },
            // The longest hold is known if there is one hold only: it equals the total.
            holds => {
                let total_hold = total_hold.filter(|_| summary.held_for.is_some());
                let longest_hold = total_hold.filter(|_| holds == Some(1));
                Self { holds, longest_hold, total_hold, agent_interaction }
            }
        }
    }
}
