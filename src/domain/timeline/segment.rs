//! The parts of a call, in the words of contact-center reporting.

use jiff::Timestamp;

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
