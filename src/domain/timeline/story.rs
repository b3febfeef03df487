//! What the events of a call mean, as reports and Salesforce want it.

use jiff::{SignedDuration, Timestamp};

use super::segment::span;
use super::{
    CallOutcome, CallTotals, Direction, Recording, SearchSummary, Segment, SegmentKind, StretchKind,
    TaskEnding,
};

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
