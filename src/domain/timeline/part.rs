//! The part of a call that is being walked through, and what its agent does meanwhile.

use jiff::Timestamp;

use super::event::JITTER;
use super::{Segment, SegmentKind, StretchKind, TaskEvent};

/// A consult of the agent who has the call, from the caller's side.
#[derive(Default)]
pub(super) struct Consult {
    /// The caller waits meanwhile: who is asked or accepts is the consulted party.
    pub(super) caller_waits: bool,
    /// The consulted party was asked: somebody will accept who does not get the caller.
    pub(super) is_asked: bool,
    /// The consulted party has accepted.
    pub(super) accepted: Option<ConsultAcceptance>,
    /// It is over, and the caller still waits: the agent takes them back, or gives them away.
    is_over: bool,
}

/// The consulted party's acceptance.
pub(super) struct ConsultAcceptance {
    at: Timestamp,
    pub(super) agent: Option<String>,
    /// Whether the consulted party is an agent, not somebody outside.
    is_agent: bool,
}

/// A segment before it is over.
pub(super) struct OpenSegment {
    pub(super) segment: Segment,
    /// Began by another sign than `task:connected`, which may still come for the same acceptance.
    pub(super) is_provisional: bool,
    /// When the agent left: they began to write it up. If the call went on, they had given it away.
    pub(super) released: Option<Timestamp>,
    /// Whether Search tells that they gave it away then.
    pub(super) is_given_away: bool,
    pub(super) consult: Consult,
    /// Ended by other signs than `hold-done` and `consult-done`, which may still come.
    pub(super) ended_otherwise: Vec<StretchKind>,
}

impl OpenSegment {
    pub(super) fn new(kind: SegmentKind, at: Timestamp, event: &TaskEvent) -> Self {
        let mut segment = Segment::new(kind, at);
        segment.queue.clone_from(&event.queue);
        segment.agent.clone_from(&event.agent);
        let (consult, ended_otherwise) = (Consult::default(), Vec::new());
        Self {
            segment,
            is_provisional: false,
            released: None,
            is_given_away: false,
            consult,
            ended_otherwise,
        }
    }

    pub(super) fn is_of_same(&self, event: &TaskEvent) -> bool {
        self.segment.agent.is_some() && self.segment.agent == event.agent
    }

    /// Whether it names another agent than the one who has the call.
    pub(super) fn is_of_another(&self, event: &TaskEvent) -> bool {
        self.segment.agent.is_some() && event.agent.is_some() && self.segment.agent != event.agent
    }

    /// Whether it tells of an acceptance that is known: the task and its agent each report it.
    pub(super) fn is_echo(&self, event: &TaskEvent) -> bool {
        (event.kind.is_of_agent() || self.is_provisional) && !self.is_of_another(event)
    }

    /// Takes in what another event tells of the same acceptance.
    pub(super) fn merge(&mut self, event: &TaskEvent) {
        self.is_provisional &= event.kind.is_of_agent();
        self.segment.agent = self.segment.agent.take().or_else(|| event.agent.clone());
        self.segment.queue = self.segment.queue.take().or_else(|| event.queue.clone());
    }

    /// Whether the agent had left by then. What is told within the jitter of their wrap-up may have been before it.
    pub(super) fn is_left(&self, at: Timestamp) -> bool {
        self.released.is_some_and(|left| self.is_given_away || at.duration_since(left) > JITTER)
    }

    /// Whether the caller waits while the agent consults.
    pub(super) fn waits_for_consult(&self, at: Timestamp) -> bool {
        self.segment.is_open(StretchKind::Consult) && self.consult.caller_waits && !self.is_left(at)
    }

    /// The consulted agent who gets the call if the agent leaves in the middle of a consult or a conference.
    pub(super) fn successor(&self) -> Option<&ConsultAcceptance> {
        let is_open = |kind| self.segment.is_open(kind);
        let is_there = is_open(StretchKind::Consult) || is_open(StretchKind::Conference);
        self.consult.accepted.as_ref().filter(|accepted| is_there && accepted.is_agent)
    }

    /// Whether an acceptance during a consult is the consulted party's own, rather than that of the caller.
    pub(super) fn is_consulted(
        &self,
        event: &TaskEvent,
        at: Timestamp,
        is_help: bool,
        is_twice: bool,
    ) -> bool {
        match &self.consult.accepted {
            Some(known) => is_help || event.kind.is_of_agent() || at.duration_since(known.at) <= JITTER,
            None => is_help || is_twice || self.consult.is_asked,
        }
    }

    pub(super) fn consulted_accepts(&mut self, event: &TaskEvent, at: Timestamp) {
        let is_asked = self.consult.is_asked;
        let new = || ConsultAcceptance { at, agent: None, is_agent: is_asked };
        let accepted = self.consult.accepted.get_or_insert_with(new);
        accepted.agent = accepted.agent.take().or_else(|| event.agent.clone());
        accepted.is_agent |= accepted.agent.is_some();
    }

    /// Whether, after a consult, an acceptance is the agent's who takes the caller back.
    pub(super) fn takes_back(&self, event: &TaskEvent) -> bool {
        self.consult.is_over && !self.consult.is_asked && !self.is_of_another(event)
    }

    /// The agent speaks with the caller again after a consult. `is_told`: the end of the hold itself is told later.
    pub(super) fn take_back(&mut self, at: Timestamp, is_told: bool) {
        if self.consult.is_over && !is_told {
            self.consult.is_over = false;
            self.close_otherwise(StretchKind::Hold, at);
        }
    }

    pub(super) fn hold(&mut self, at: Timestamp) {
        self.segment.open(StretchKind::Hold, at);
        self.ended_otherwise.retain(|kind| *kind != StretchKind::Hold);
        self.consult.caller_waits = self.segment.is_open(StretchKind::Consult);
        self.consult.is_over = false;
    }

    pub(super) fn hold_done(&mut self, at: Timestamp) {
        self.close_or_note(StretchKind::Hold, at);
        self.consult.caller_waits = false;
        self.consult.is_over = false;
        self.consult.is_asked &= self.segment.is_open(StretchKind::Consult);
    }

    pub(super) fn begin_consult(&mut self, at: Timestamp) {
        self.segment.open(StretchKind::Consult, at);
        self.ended_otherwise.retain(|kind| *kind != StretchKind::Consult);
        self.consult = Consult { caller_waits: true, is_asked: self.consult.is_asked, ..Consult::default() };
    }

    pub(super) fn consult_done(&mut self, at: Timestamp) {
        self.close_or_note(StretchKind::Consult, at);
        self.consult = Consult { is_over: self.segment.is_open(StretchKind::Hold), ..Consult::default() };
    }

    /// All speak together. `is_told`: the end of the hold itself is told later.
    pub(super) fn begin_conference(&mut self, at: Timestamp, is_told: bool) {
        self.close_otherwise(StretchKind::Consult, at);
        if !is_told {
            self.close_otherwise(StretchKind::Hold, at);
        }
        self.segment.open(StretchKind::Conference, at);
        (self.consult.caller_waits, self.consult.is_over) = (false, false);
    }

    /// Ends a stretch by its own sign, or notes one whose beginning was lost.
    pub(super) fn close_or_note(&mut self, kind: StretchKind, at: Timestamp) {
        let ended = self.ended_otherwise.iter().position(|ended| *ended == kind);
        match ended.filter(|_| !self.segment.is_open(kind)) {
            Some(place) => drop(self.ended_otherwise.swap_remove(place)),
            None => self.segment.close_or_note(kind, at),
        }
    }

    fn close_otherwise(&mut self, kind: StretchKind, at: Timestamp) {
        if self.segment.close(kind, at) {
            self.ended_otherwise.push(kind);
        }
    }

    /// What may still be told to have ended after the part is over.
    pub(super) fn open_or_ended_otherwise(&self) -> Vec<StretchKind> {
        let kinds = [StretchKind::Hold, StretchKind::Consult];
        kinds.into_iter().filter(|kind| self.segment.is_open(*kind)).collect()
    }
}
