//! The walk through a call's events, in the order of their times.

use jiff::Timestamp;

use super::agents::{agents, wrap_ups};
use super::recording::recordings;
use super::{AgentState, Ending, Event, Mark, Segment, SegmentKind, State, Story, StretchKind, What};

/// When and how the call ended. An end that is followed by signs of life was that of a consulted party, or came with
/// a wrong time.
pub(super) fn end(events: &[&Event]) -> Option<(Timestamp, Ending)> {
    let alive = events.iter().filter(|event| event.what.goes_on()).filter_map(|event| event.at).max();
    events
        .iter()
        .filter_map(|event| match (&event.what, event.at) {
            (What::Ended(ending) | What::Failed(ending), Some(at)) => Some((at, ending.clone())),
            _ => None,
        })
        .filter(|(at, _)| alive.is_none_or(|alive| *at >= alive))
        .max()
}

/// Walks through deduplicated events in their order.
pub(super) fn walk(events: &[&Event]) -> Story {
    let end = end(events);
    let mut walk = Walk { is_over: end.is_some(), ..Walk::default() };
    for (place, event) in events.iter().enumerate() {
        let later = events.get(place + 1..).unwrap_or_default();
        let is_within = end.as_ref().is_none_or(|(end, _)| event.at <= Some(*end));
        match event.at {
            Some(at) if is_within => walk.step(event, at, later),
            None if event.what == What::ConferenceDone => walk.untimed_conference_ends += 1,
            _ => {}
        }
    }
    let state = walk.state();
    let mut segments = walk.done;
    if let Some(mut last) = walk.current {
        if let Some((at, _)) = &end {
            last.segment.finish(*at, None);
        }
        segments.push(last.segment);
    }
    segments.extend(wrap_ups(events));
    let (ended_at, ending) = end.unzip();
    Story {
        state,
        direction: events.iter().find_map(|event| event.direction),
        segments,
        ended_at,
        ending,
        agents: agents(events),
        is_answered: events.iter().any(|event| event.what.implies_agent()),
        has_capture: events.iter().any(|event| event.what == What::CaptureAvailable),
        recordings: recordings(events),
    }
}

/// The segment that is being walked through.
struct Part {
    segment: Segment,
    /// Began by another sign than `task:connected`, which may still come for the same acceptance.
    is_provisional: bool,
    /// When the agent began to write it up: if the call went on, they had given it away.
    released: Option<Timestamp>,
}

impl Part {
    fn new(kind: SegmentKind, at: Timestamp, event: &Event) -> Self {
        let mut segment = Segment::new(kind, at);
        segment.queue.clone_from(&event.queue);
        segment.agent.clone_from(&event.agent);
        Self { segment, is_provisional: false, released: None }
    }
}

#[derive(Default)]
struct Walk {
    done: Vec<Segment>,
    current: Option<Part>,
    is_over: bool,
    untimed_conference_ends: usize,
    /// Agents who gave the call away and have not begun to write it up.
    unwritten: usize,
}

impl Walk {
    fn step(&mut self, event: &Event, at: Timestamp, later: &[&Event]) {
        match &event.what {
            What::New if self.current.is_none() => self.begin(SegmentKind::Menu, at, event),
            What::Parked => self.parked(event, at),
            What::Connect => self.connect(event, at, later),
            What::Connected | What::Agent(AgentState::Connected) => self.connected(event, at, later),
            What::OnHold => self.with_agent(at, event).open(StretchKind::Hold, at),
            What::HoldDone => self.with_agent(at, event).close_or_note(StretchKind::Hold, at),
            What::Consulting => self.with_agent(at, event).open(StretchKind::Consult, at),
            What::ConsultDone => self.with_agent(at, event).close_or_note(StretchKind::Consult, at),
            What::Conferencing => {
                let segment = self.with_agent(at, event);
                let _consult_is_over = segment.close(StretchKind::Consult, at);
                segment.open(StretchKind::Conference, at);
            }
            What::ConferenceDone => self.with_agent(at, event).close_or_note(StretchKind::Conference, at),
            What::ConferenceTransferred => {
                self.with_agent(at, event).close_or_note(StretchKind::Conference, at);
                self.begin(SegmentKind::Agent, at, event);
                self.provisional();
            }
            What::Agent(AgentState::WrapUp { .. }) => self.wrap_up(event, at),
            What::New
            | What::OriginUpdated
            | What::Agent(AgentState::Other { .. })
            | What::Failed(_)
            | What::Ended(_)
            | What::CaptureAvailable
            | What::Other(_)
            | What::Captured(_)
            | What::Told(_) => {}
        }
    }

    /// No agent is free. A consulted party that waits is no matter of the caller's.
    fn parked(&mut self, event: &Event, at: Timestamp) {
        let (kind, queue) = match &self.current {
            Some(part) => (Some(part.segment.kind), part.segment.queue.as_deref()),
            None => (None, None),
        };
        match kind {
            Some(SegmentKind::Agent) if self.is_open(StretchKind::Consult) => return,
            Some(SegmentKind::Queue) if event.queue.as_deref().is_none_or(|own| Some(own) == queue) => return,
            Some(SegmentKind::Agent) => self.hand_over(SegmentKind::Queue, at, event),
            _ => self.begin(SegmentKind::Queue, at, event),
        }
        if let Some(part) = &mut self.current {
            part.segment.open(StretchKind::Parked, at);
        }
    }

    /// An agent is asked: for the caller, or by the agent who has the call and looks for help.
    fn connect(&mut self, event: &Event, at: Timestamp, later: &[&Event]) {
        match self.kind() {
            Some(SegmentKind::Agent) if self.is_help(later) => {}
            Some(SegmentKind::Agent) => self.hand_over(SegmentKind::Invitation, at, event),
            _ => self.begin(SegmentKind::Invitation, at, event),
        }
    }

    fn connected(&mut self, event: &Event, at: Timestamp, later: &[&Event]) {
        let helps = self.is_open(StretchKind::Conference) || self.is_help(later);
        let Some(part) = self.current.as_mut().filter(|part| part.segment.kind == SegmentKind::Agent) else {
            self.begin(SegmentKind::Agent, at, event);
            if event.what.is_of_agent() {
                self.provisional();
            }
            return;
        };
        if helps {
            return;
        }
        let is_other = match (&part.segment.agent, &event.agent) {
            (Some(mine), Some(theirs)) => mine != theirs,
            _ => false,
        };
        let is_same = part.segment.agent.is_some() && part.segment.agent == event.agent;
        let consults = part.segment.is_open(StretchKind::Consult);
        // The task and its agent each report the same acceptance.
        let is_echo = event.what.is_of_agent() || part.is_provisional;
        if is_same || is_echo && !is_other && !consults {
            part.is_provisional &= event.what.is_of_agent();
            part.segment.agent = part.segment.agent.take().or_else(|| event.agent.clone());
            part.segment.queue = part.segment.queue.take().or_else(|| event.queue.clone());
            return;
        }
        self.hand_over(SegmentKind::Agent, at, event);
        if event.what.is_of_agent() {
            self.provisional();
        }
    }

    /// Whether somebody who is asked or accepts while the caller waits is one consulted: then the consult, or the
    /// hold, ends afterwards. With one who gets the call itself both are over, and another hold begins before it ends.
    fn is_help(&self, later: &[&Event]) -> bool {
        let consults = self.is_open(StretchKind::Consult);
        if !consults && !self.is_open(StretchKind::Hold) {
            return false;
        }
        for event in later {
            match event.what {
                What::HoldDone | What::ConsultDone | What::Conferencing => return true,
                What::Consulting => return !consults,
                What::OnHold | What::Parked => return false,
                _ => {}
            }
        }
        !self.is_over && !later.iter().any(|event| event.what.goes_on())
    }

    /// An agent writes the call up: the one who has it, or one who has given it away before.
    fn wrap_up(&mut self, event: &Event, at: Timestamp) {
        let Some(part) = self.current.as_mut().filter(|part| part.segment.kind == SegmentKind::Agent) else {
            return;
        };
        let is_theirs = match (&part.segment.agent, &event.agent) {
            (Some(mine), Some(theirs)) => mine == theirs,
            _ => self.unwritten == 0,
        };
        if is_theirs {
            part.released = part.released.or(Some(at));
        } else {
            self.unwritten = self.unwritten.saturating_sub(1);
        }
    }

    fn kind(&self) -> Option<SegmentKind> {
        self.current.as_ref().map(|part| part.segment.kind)
    }

    fn is_open(&self, kind: StretchKind) -> bool {
        self.current.as_ref().is_some_and(|part| part.segment.is_open(kind))
    }

    /// Ends what was before and begins something else.
    fn begin(&mut self, kind: SegmentKind, at: Timestamp, event: &Event) {
        if let Some(mut before) = self.current.replace(Part::new(kind, at, event)) {
            let mark = match (before.segment.kind, kind) {
                (SegmentKind::Invitation, SegmentKind::Agent) => Some(Mark::Accepted),
                (SegmentKind::Invitation, _) => Some(Mark::Missed),
                (SegmentKind::Agent, _) => Some(Mark::Transferred),
                _ => None,
            };
            if before.segment.kind == SegmentKind::Agent && before.released.is_none() {
                self.unwritten += 1;
            }
            before.segment.finish(at, mark);
            self.done.push(before.segment);
        }
    }

    /// The agent's part is over since they began to write it up; until the next one had the call, it was offered.
    fn hand_over(&mut self, kind: SegmentKind, at: Timestamp, event: &Event) {
        let released = self.current.as_ref().and_then(|part| part.released).filter(|released| *released < at);
        match released {
            Some(released) if kind == SegmentKind::Agent => {
                self.begin(SegmentKind::Invitation, released, event);
                self.begin(kind, at, event);
            }
            _ => self.begin(kind, released.unwrap_or(at), event),
        }
    }

    fn provisional(&mut self) {
        if let Some(part) = &mut self.current {
            part.is_provisional = true;
        }
    }

    /// The agent's segment. Where the acceptance was lost, it is known to have been by now.
    fn with_agent(&mut self, at: Timestamp, event: &Event) -> &mut Segment {
        if self.kind() != Some(SegmentKind::Agent) {
            self.begin(SegmentKind::Agent, at, event);
            self.provisional();
        }
        let part = self.current.get_or_insert_with(|| Part::new(SegmentKind::Agent, at, event));
        &mut part.segment
    }

    fn state(&self) -> State {
        let Some(Part { segment, .. }) = &self.current else {
            return if self.is_over { State::Ended } else { State::New };
        };
        let conferences =
            segment.stretches_of(StretchKind::Conference).filter(|one| one.end.is_none()).count();
        match segment.kind {
            _ if self.is_over => State::Ended,
            SegmentKind::Menu => State::New,
            SegmentKind::Queue => State::Queued,
            SegmentKind::Invitation => State::Offered,
            _ if conferences > self.untimed_conference_ends => State::Conferencing,
            _ if segment.is_open(StretchKind::Consult) => State::Consulting,
            _ if segment.is_open(StretchKind::Hold) => State::OnHold,
            SegmentKind::Agent | SegmentKind::WrapUp => State::Connected,
        }
    }
}
