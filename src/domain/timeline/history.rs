//! The history of a call, as reports and Salesforce want it: its segments, its agents, its totals.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::event::{SOON, millisecond};
use super::walk::CallEnd;
use super::{CallOutcome, Direction, EventKind, Recording, TaskEnding, TaskEvent};

/// How long an end is doubted that may be a consulted party's. Search has settled by then.
const DOUBT: SignedDuration = SignedDuration::from_mins(10);

/// Where a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallState {
    /// It has arrived; or nothing is known but that it exists.
    New,
    /// It waits for an agent.
    Queued,
    /// It is offered to an agent.
    Offered,
    /// An agent has it.
    Connected,
    /// The caller is on hold.
    OnHold,
    /// The agent speaks with somebody else.
    Consulting,
    /// All speak together.
    Conferencing,
    /// The caller's call is over.
    Ended,
}

/// An agent's part in a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentInvolvement {
    /// Their id in Webex.
    pub agent: String,
    /// When they accepted it, if they are known to have.
    pub accepted_at: Option<Timestamp>,
    /// The id of the code they wrote it up with.
    pub wrap_up_code: Option<String>,
}

/// What the events of a call mean. Durations are in whole seconds, rounded to the nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHistory {
    /// Where the call is.
    pub state: CallState,
    /// Who called whom, if any event told.
    pub direction: Option<Direction>,
    /// The parts of the call in order, then the wrap-ups.
    pub segments: Vec<Segment>,
    /// When the caller's call was over.
    pub ended_at: Option<Timestamp>,
    /// How it ended.
    pub ending: Option<TaskEnding>,
    /// Whether that may have been the end of a consulted party only.
    pub is_end_doubtful: bool,
    /// The agents in the order in which they are first named.
    pub agents: Vec<AgentInvolvement>,
    /// Whether an agent has had it, by any sign.
    pub is_answered: bool,
    /// Whether the caller has chosen to be called back.
    pub is_callback: bool,
    /// Whether Webex's record says that it was never queued.
    pub is_never_queued: bool,
    /// The recordings that Webex has given, the first first.
    pub recordings: Vec<Recording>,
    /// What Search says of all of it, where that is needed besides the events.
    pub summary: Option<SearchSummary>,
}

impl CallHistory {
    /// Whether an agent had it: by any sign, or because an agent dialed it.
    #[must_use]
    pub fn has_agent(&self) -> bool {
        self.is_answered || self.direction == Some(Direction::Outbound)
    }

    /// Until when its end is not to be believed, if that may have been a consulted party's only. Meanwhile the call's own
    /// end, a wrap-up or Search says whose it was.
    #[must_use]
    pub fn doubted_until(&self) -> Option<Timestamp> {
        self.ended_at.filter(|_| self.is_end_doubtful)?.checked_add(DOUBT).ok()
    }

    /// What became of the caller, as far as is known.
    #[must_use]
    pub fn outcome(&self) -> CallOutcome {
        match (self.has_agent(), self.is_callback) {
            (true, _) => CallOutcome::Answered,
            (false, true) => CallOutcome::Callback,
            (false, false) => CallOutcome::Abandoned,
        }
    }

    /// When the call began, as far as is known.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.segments.iter().find(|segment| segment.kind != SegmentKind::WrapUp).map(|segment| segment.start)
    }

    /// When it first waited for an agent, or was first offered to one that was free.
    #[must_use]
    pub fn enqueued_at(&self) -> Option<Timestamp> {
        let waits = |segment: &&Segment| matches!(segment.kind, SegmentKind::Queue | SegmentKind::Invitation);
        self.segments.iter().find(waits).map(|segment| segment.start)
    }

    /// When an agent first accepted it.
    #[must_use]
    pub fn accepted_at(&self) -> Option<Timestamp> {
        self.of(SegmentKind::Agent).next().map(|segment| segment.start)
    }

    /// The queue it was in last, by its id in Webex.
    #[must_use]
    pub fn queue(&self) -> Option<&str> {
        self.segments.iter().rev().find_map(|segment| segment.queue.as_deref())
    }

    /// The agent who had it last, by their id in Webex. If an agent had it at all, Search knows best who: the acceptance of
    /// the last may be lost.
    #[must_use]
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

    /// The code that the last agent wrote it up with.
    #[must_use]
    pub fn wrap_up_code(&self) -> Option<&str> {
        self.agents.iter().rev().find_map(|agency| agency.wrap_up_code.as_deref())
    }

    /// What it adds up to, by its events and by what Search says of it.
    #[must_use]
    pub fn sums(&self) -> CallTotals {
        CallTotals::of(self)
    }

    /// How often the caller was put on hold, by its events.
    #[must_use]
    pub fn holds(&self) -> usize {
        self.stretches(StretchKind::Hold).count()
    }

    /// The longest hold, by its events.
    #[must_use]
    pub fn longest_hold(&self) -> u64 {
        seconds(self.stretches(StretchKind::Hold).max().unwrap_or_default())
    }

    /// All holds together, by its events.
    #[must_use]
    pub fn total_hold(&self) -> u64 {
        seconds(self.milliseconds_held())
    }

    /// The time that agents spent with the caller, by its events: without holds, without wrap-up.
    #[must_use]
    pub fn agent_interaction(&self) -> u64 {
        seconds(self.milliseconds_with_agents().saturating_sub(self.milliseconds_held()))
    }

    pub(super) fn milliseconds_held(&self) -> u64 {
        self.stretches(StretchKind::Hold).sum()
    }

    /// Holds included.
    pub(super) fn milliseconds_with_agents(&self) -> u64 {
        self.of(SegmentKind::Agent).filter_map(Segment::milliseconds).sum()
    }

    /// The time in queues; while the call rings at an agent it is not in a queue.
    #[must_use]
    pub fn queue_duration(&self) -> u64 {
        seconds(self.of(SegmentKind::Queue).filter_map(Segment::milliseconds).sum())
    }

    /// From the beginning to the end of the caller's call: the sum of its segments without wrap-up.
    #[must_use]
    pub fn duration(&self) -> Option<u64> {
        span(self.started_at()?, self.ended_at).map(seconds)
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

/// What the caller meets, or an agent does, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
    /// Before the queue: announcements, menus, self-service.
    Menu,
    /// Waiting for an agent.
    Queue,
    /// The call is offered to an agent.
    Invitation,
    /// An agent has it.
    Agent,
    /// The last agent has left, and the caller speaks on with somebody outside, whom the agent gave the call to.
    Outside,
    /// The agent writes it up. It lies behind the call, or beside it where the call went on to another agent.
    WrapUp,
}

/// How a segment ended, where that is worth a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentEnd {
    /// An invitation that an agent accepted.
    Accepted,
    /// An invitation that no agent accepted.
    Missed,
    /// The agent gave the call to another agent or to a queue.
    Transferred,
}

/// What happens within a segment for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StretchKind {
    /// In a queue where no agent is free.
    Parked,
    /// The caller is on hold.
    Hold,
    /// The agent speaks with somebody else.
    Consult,
    /// All speak together.
    Conference,
}

/// A while within a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// What it is.
    pub kind: StretchKind,
    /// When it began.
    pub start: Timestamp,
    /// When it was over; not yet, or nobody knows.
    pub end: Option<Timestamp>,
}

/// A part of a call. Menu, Queue, Invitation, Agent and Outside follow each other without a gap from the first event to the
/// end, so their durations add up to the call's. Wrap-up lies outside of that sum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// What it is.
    pub kind: SegmentKind,
    /// When it began.
    pub start: Timestamp,
    /// When it was over; not yet, or nobody knows.
    pub end: Option<Timestamp>,
    /// How it ended.
    pub mark: Option<SegmentEnd>,
    /// The queue, by its id in Webex.
    pub queue: Option<String>,
    /// The agent, by their id in Webex.
    pub agent: Option<String>,
    /// What happened within it, in order.
    pub stretches: Vec<Stretch>,
}

impl Segment {
    pub(super) fn new(kind: SegmentKind, start: Timestamp) -> Self {
        Self { kind, start, end: None, mark: None, queue: None, agent: None, stretches: Vec::new() }
    }

    /// How long it took, in milliseconds.
    #[must_use]
    pub fn milliseconds(&self) -> Option<u64> {
        span(self.start, self.end)
    }

    /// Its stretches of one kind.
    pub fn stretches_of(&self, kind: StretchKind) -> impl Iterator<Item = &Stretch> {
        self.stretches.iter().filter(move |stretch| stretch.kind == kind)
    }

    /// Begins a stretch; one of the same kind that is still open is over then.
    pub(super) fn open(&mut self, kind: StretchKind, start: Timestamp) {
        let _was_open = self.close(kind, start);
        self.stretches.push(Stretch { kind, start, end: None });
    }

    /// Ends the open stretch of this kind; gives whether there was one.
    pub(super) fn close(&mut self, kind: StretchKind, end: Timestamp) -> bool {
        let open =
            self.stretches.iter_mut().rev().find(|stretch| stretch.kind == kind && stretch.end.is_none());
        let Some(stretch) = open else { return false };
        stretch.end = Some(end);
        true
    }

    /// Ends the stretch, or notes one whose beginning was lost.
    pub(super) fn close_or_note(&mut self, kind: StretchKind, end: Timestamp) {
        if !self.close(kind, end) {
            self.stretches.push(Stretch { kind, start: end, end: Some(end) });
        }
    }

    pub(super) fn is_open(&self, kind: StretchKind) -> bool {
        self.stretches.iter().any(|stretch| stretch.kind == kind && stretch.end.is_none())
    }

    /// Ends the segment with all that is open in it.
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
    #[must_use]
    pub fn milliseconds(&self) -> Option<u64> {
        span(self.start, self.end)
    }
}

pub(super) fn span(start: Timestamp, end: Option<Timestamp>) -> Option<u64> {
    u64::try_from(end?.as_millisecond() - start.as_millisecond()).ok()
}

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
