//! The walk through a call's events, in the order of their times.

use jiff::{SignedDuration, Timestamp};

use super::agents::{agents, name_by_wrap_ups, wrap_ups};
use super::end::{CallEnd, end};
use super::event::{JITTER, SOON};
use super::part::OpenSegment;
use super::recording::recordings;
use super::summary::summary;
use super::{
    AgentState, CallHistory, CallState, EventKind, Segment, SegmentEnd, SegmentKind, StretchKind, TaskEvent,
};

/// Walks through deduplicated events in their order.
pub(super) fn walk(events: &[&TaskEvent]) -> CallHistory {
    let end = end(events);
    let mut walk = Walk { is_over: end.is_some(), ..Walk::default() };
    for (place, event) in events.iter().enumerate() {
        let later = events.get(place + 1..).unwrap_or_default();
        match (event.at, &end) {
            (Some(at), None) => walk.step(event, at, later),
            // What begins after the end, by a clock that jitters, has no length.
            (Some(at), Some(end)) if at > end.at && event.kind.begins_something() => {}
            (Some(at), Some(end)) if at.duration_since(end.at) <= JITTER => {
                walk.step(event, at.min(end.at), later);
            }
            (None, _) if event.kind == EventKind::ConferenceDone => walk.untimed_conference_ends += 1,
            _ => {}
        }
    }
    let state = walk.state();
    let wrap_ups = wrap_ups(events);
    let mut segments = walk.finish(end.as_ref(), &wrap_ups);
    name_by_wrap_ups(&mut segments, &wrap_ups);
    segments.extend(wrap_ups);
    CallHistory {
        state,
        direction: events.iter().find_map(|event| event.direction),
        segments,
        ended_at: end.as_ref().map(|end| end.at),
        is_end_doubtful: end.as_ref().is_some_and(|end| end.is_doubtful),
        ending: end.map(|end| end.ending),
        agents: agents(events),
        is_answered: events.iter().any(|event| event.kind.implies_agent()),
        is_callback: events.iter().any(|event| event.is_of_callback()),
        is_never_queued: events.iter().any(|event| event.kind == EventKind::NeverQueued),
        recordings: recordings(events),
        summary: summary(events).cloned(),
    }
}

#[derive(Default)]
struct Walk {
    done: Vec<Segment>,
    current: Option<OpenSegment>,
    is_over: bool,
    untimed_conference_ends: usize,
    /// Agents who gave the call away and have not begun to write it up.
    unwritten: usize,
}

impl Walk {
    fn step(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        match &event.kind {
            EventKind::New if self.current.is_none() => self.begin(SegmentKind::Menu, at, event),
            EventKind::Parked => self.parked(event, at, later),
            EventKind::Connect => self.connect(event, at, later),
            EventKind::Connected | EventKind::Agent(AgentState::Connected) => {
                self.connected(event, at, later)
            }
            EventKind::OnHold => self.with_agent(at, event).hold(at),
            EventKind::HoldDone if self.is_echo(StretchKind::Hold, at) => {}
            EventKind::HoldDone => self.with_agent(at, event).hold_done(at),
            EventKind::Consulting => self.with_agent(at, event).begin_consult(at),
            EventKind::ConsultDone if self.is_echo(StretchKind::Consult, at) => {}
            EventKind::ConsultDone => self.with_agent(at, event).consult_done(at),
            EventKind::Conferencing => {
                let is_told =
                    later.iter().any(|next| next.kind == EventKind::HoldDone && is_within(next, at, SOON));
                self.with_agent(at, event).begin_conference(at, is_told);
            }
            EventKind::ConferenceDone => {
                self.with_agent(at, event).close_or_note(StretchKind::Conference, at)
            }
            EventKind::ConferenceTransferred => {
                self.with_agent(at, event).close_or_note(StretchKind::Conference, at);
                self.begin(SegmentKind::Agent, at, event);
                self.provisional();
            }
            EventKind::Agent(AgentState::WrapUp { .. }) | EventKind::Transferred => {
                self.release(event, at, later)
            }
            EventKind::New
            | EventKind::OriginUpdated
            | EventKind::CallbackChosen
            | EventKind::CallbackFailed
            | EventKind::NeverQueued
            | EventKind::Agent(AgentState::Other { .. })
            | EventKind::Failed(_)
            | EventKind::Ended(_)
            | EventKind::CaptureAvailable
            | EventKind::Other(_)
            | EventKind::Captured(_)
            | EventKind::UpdateSent(_)
            | EventKind::Summary(_) => {}
        }
    }

    /// No agent is free. A consulted party that waits is no matter of the caller's.
    fn parked(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let (queue, is_help) = (event.queue.as_deref(), self.is_help(at, later));
        match self.current.as_mut().map(|part| (part.segment.kind, part)) {
            Some((SegmentKind::Agent, part)) if part.waits_for_consult(at) || is_help => {
                part.consult.is_asked = true;
                return;
            }
            Some((SegmentKind::Queue, part))
                if queue.is_none_or(|queue| Some(queue) == part.segment.queue.as_deref()) =>
            {
                return;
            }
            Some((SegmentKind::Agent, _)) => self.hand_over(SegmentKind::Queue, at, event),
            _ => self.begin(SegmentKind::Queue, at, event),
        }
        if let Some(part) = &mut self.current {
            part.segment.open(StretchKind::Parked, at);
        }
    }

    /// An agent is asked: for the caller, or by the agent who has the call and looks for help.
    fn connect(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let is_help = self.is_help(at, later);
        match self.agent_part() {
            Some(part) if part.waits_for_consult(at) || is_help => part.consult.is_asked = true,
            // Told late of the agent who has accepted already.
            Some(part) if at.duration_since(part.segment.start) <= JITTER && !part.is_of_another(event) => {}
            Some(_) => self.hand_over(SegmentKind::Invitation, at, event),
            None => self.begin(SegmentKind::Invitation, at, event),
        }
    }

    fn connected(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let (is_help, is_twice) = (self.is_help(at, later), self.is_accepted_twice(at, later));
        let is_told = is_followed(later, &EventKind::HoldDone);
        let Some(part) = self.agent_part() else {
            return self.begin_accepted(at, event);
        };
        let consults = part.waits_for_consult(at);
        match () {
            () if part.is_left(at) => self.accept(at, event),
            () if part.segment.is_open(StretchKind::Conference) => part.consulted_accepts(event, at),
            () if part.is_of_same(event) || !consults && !is_help && part.is_echo(event) => {
                part.merge(event);
                part.take_back(at, is_told);
            }
            () if consults && part.is_consulted(event, at, is_help, is_twice) => {
                part.consulted_accepts(event, at);
            }
            () if is_help => {}
            () if part.takes_back(event) => part.take_back(at, is_told),
            () => self.accept(at, event),
        }
    }

    /// Another agent has the call.
    fn accept(&mut self, at: Timestamp, event: &TaskEvent) {
        self.hand_over(SegmentKind::Agent, at, event);
        if event.kind.is_of_agent() {
            self.provisional();
        }
    }

    /// The first agent has it, or one after a queue or an invitation.
    fn begin_accepted(&mut self, at: Timestamp, event: &TaskEvent) {
        self.begin(SegmentKind::Agent, at, event);
        if event.kind.is_of_agent() {
            self.provisional();
        }
    }

    /// Whether somebody who is asked or accepts while the caller waits is one consulted: then the consult, or the
    /// hold, ends afterwards. With one who gets the call itself both are over, and another hold begins before it ends.
    fn is_help(&self, at: Timestamp, later: &[&TaskEvent]) -> bool {
        let Some(part) = self.current.as_ref().filter(|part| part.segment.kind == SegmentKind::Agent) else {
            return false;
        };
        let consults = part.segment.is_open(StretchKind::Consult);
        if !consults && !part.segment.is_open(StretchKind::Hold) {
            return false;
        }
        for event in later {
            match event.kind {
                EventKind::HoldDone | EventKind::ConsultDone if is_within(event, at, JITTER) => {}
                EventKind::HoldDone | EventKind::ConsultDone | EventKind::Conferencing => return true,
                EventKind::Consulting => return !consults,
                EventKind::OnHold | EventKind::Parked => return false,
                EventKind::Agent(AgentState::WrapUp { .. }) if part.is_of_same(event) => return false,
                _ => {}
            }
        }
        !self.is_over && !later.iter().any(|event| event.kind.goes_on())
    }

    /// Whether the consulted party accepts now and gets the caller afterwards: the task tells of both, or the agent
    /// leaves long after the first.
    fn is_accepted_twice(&self, at: Timestamp, later: &[&TaskEvent]) -> bool {
        let Some(part) = &self.current else { return false };
        for event in later {
            match event.kind {
                EventKind::Connected if is_within(event, at, JITTER) => {}
                EventKind::Connected => return true,
                EventKind::Transferred => return !is_within(event, at, SOON),
                EventKind::Agent(AgentState::WrapUp { .. }) if !part.is_of_another(event) => {
                    return !is_within(event, at, SOON);
                }
                EventKind::Parked | EventKind::Connect | EventKind::OnHold | EventKind::Consulting => {
                    return false;
                }
                EventKind::HoldDone | EventKind::ConsultDone | EventKind::Conferencing => return false,
                _ => {}
            }
        }
        false
    }

    /// Whether the end of a stretch is told that was ended otherwise just now.
    fn is_echo(&mut self, kind: StretchKind, at: Timestamp) -> bool {
        let Some(part) = &mut self.current else { return false };
        match part.segment.kind {
            SegmentKind::Agent => part.released.is_some_and(|left| {
                let since = at.duration_since(left);
                since > JITTER && since <= SOON
            }),
            _ => at.duration_since(part.segment.start) <= SOON && part.ended_otherwise.contains(&kind),
        }
    }

    /// An agent leaves the call, or writes it up: the one who has it, or one who has given it away before.
    fn release(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let (unwritten, is_wrap_up) = (self.unwritten, event.kind.is_of_agent());
        let Some(part) = self.agent_part() else {
            self.unwritten = unwritten.saturating_sub(usize::from(is_wrap_up));
            return;
        };
        let is_theirs = match (&part.segment.agent, &event.agent) {
            (Some(mine), Some(theirs)) => mine == theirs,
            // Told by another clock after the acceptance that the transfer led to.
            _ if !is_wrap_up && at.duration_since(part.segment.start) <= JITTER => return,
            _ => !is_wrap_up || unwritten == 0 && !goes_on_with_agent(later),
        };
        if is_theirs {
            // Search tells of a transfer where it begins and where it is done, a moment later.
            let is_done_by_then = |left: &Timestamp| is_wrap_up || at.duration_since(*left) > SOON;
            part.released = part.released.filter(is_done_by_then).or(Some(at));
            part.is_given_away |= !is_wrap_up;
            part.segment.agent = part.segment.agent.take().or_else(|| event.agent.clone());
        } else {
            self.unwritten = unwritten.saturating_sub(1);
        }
    }

    /// The part of the agent who has the call.
    fn agent_part(&mut self) -> Option<&mut OpenSegment> {
        self.current.as_mut().filter(|part| part.segment.kind == SegmentKind::Agent)
    }

    /// Ends what was before and begins something else.
    fn begin(&mut self, kind: SegmentKind, at: Timestamp, event: &TaskEvent) {
        let mut next = OpenSegment::new(kind, at, event);
        if let Some(mut before) = self.current.take() {
            let mark = match (before.segment.kind, kind) {
                (SegmentKind::Invitation, SegmentKind::Agent) => Some(SegmentEnd::Accepted),
                (SegmentKind::Invitation, _) => Some(SegmentEnd::Missed),
                (SegmentKind::Agent, _) => Some(SegmentEnd::Transferred),
                _ => None,
            };
            if before.segment.kind == SegmentKind::Agent && before.released.is_none() {
                self.unwritten += 1;
            }
            next.ended_otherwise = before.open_or_ended_otherwise();
            before.segment.finish(at, mark);
            self.done.push(before.segment);
        }
        self.current = Some(next);
    }

    /// The agent's part is over since they left; until the next one had the call, it was offered, unless they left it to
    /// the agent whom they had consulted.
    fn hand_over(&mut self, kind: SegmentKind, at: Timestamp, event: &TaskEvent) {
        let Some(part) = &self.current else { return self.begin(kind, at, event) };
        let successor = part.successor().map(|accepted| accepted.agent.clone());
        // Of a transfer out of a consult Search tells where it begins, too: it is done when the other has the call.
        let is_consulted = part.is_given_away && part.segment.is_open(StretchKind::Consult);
        let is_same = if is_consulted { SOON } else { JITTER };
        let left = part.released.filter(|left| at.duration_since(*left) > is_same);
        match left {
            Some(left) if kind == SegmentKind::Agent && successor.is_none() => {
                self.begin(SegmentKind::Invitation, left, event);
                self.begin(kind, at, event);
            }
            _ => self.begin(kind, left.unwrap_or(at), event),
        }
        if let (SegmentKind::Agent, Some(Some(agent)), Some(part)) = (kind, successor, &mut self.current) {
            part.segment.agent.get_or_insert(agent);
        }
    }

    fn provisional(&mut self) {
        if let Some(part) = &mut self.current {
            part.is_provisional = true;
        }
    }

    /// The agent's part. Where the acceptance was lost, it is known to have been by now; so it is where the agent before
    /// has left.
    fn with_agent(&mut self, at: Timestamp, event: &TaskEvent) -> &mut OpenSegment {
        match self.agent_part().map(|part| part.is_left(at)) {
            Some(false) => {}
            is_left => {
                match is_left {
                    Some(_) => self.hand_over(SegmentKind::Agent, at, event),
                    None => self.begin(SegmentKind::Agent, at, event),
                }
                self.provisional();
            }
        }
        self.current.get_or_insert_with(|| OpenSegment::new(SegmentKind::Agent, at, event))
    }

    fn state(&self) -> CallState {
        let Some(OpenSegment { segment, .. }) = &self.current else {
            return if self.is_over { CallState::Ended } else { CallState::New };
        };
        let conferences =
            segment.stretches_of(StretchKind::Conference).filter(|one| one.end.is_none()).count();
        match segment.kind {
            _ if self.is_over => CallState::Ended,
            SegmentKind::Menu => CallState::New,
            SegmentKind::Queue => CallState::Queued,
            SegmentKind::Invitation => CallState::Offered,
            _ if conferences > self.untimed_conference_ends => CallState::Conferencing,
            _ if segment.is_open(StretchKind::Consult) => CallState::Consulting,
            _ if segment.is_open(StretchKind::Hold) => CallState::OnHold,
            SegmentKind::Agent | SegmentKind::Outside | SegmentKind::WrapUp => CallState::Connected,
        }
    }

    /// The segments of the call. What lies behind the leaving of its last agent is that of one whose wrap-up tells of
    /// them, and then of somebody outside.
    fn finish(self, end: Option<&CallEnd>, wrap_ups: &[Segment]) -> Vec<Segment> {
        let Self { mut done, current, .. } = self;
        let Some(mut last) = current else { return done };
        let Some(end) = end else {
            done.push(last.segment);
            return done;
        };
        let left = last.released.filter(|left| end.at.duration_since(*left) > JITTER);
        let Some(left) = left else {
            last.segment.finish(end.at, None);
            done.push(last.segment);
            return done;
        };
        let is_new = |agent: &Option<String>| {
            agent.is_some() && *agent != last.segment.agent && done.iter().all(|one| one.agent != *agent)
        };
        let after = wrap_ups.iter().rfind(|one| one.start.duration_since(left) > SOON && is_new(&one.agent));
        let successor = last.successor().map(|accepted| accepted.agent.clone());
        let next = match (after, successor) {
            (Some(after), _) => Some((after.agent.clone(), after.start.min(end.at))),
            (None, Some(agent)) => Some((agent, end.at)),
            (None, None) => None,
        };
        last.segment.finish(left, Some(SegmentEnd::Transferred));
        done.push(last.segment);
        let mut since = left;
        if let Some((agent, until)) = next {
            let until = if end.at.duration_since(until) > JITTER { until } else { end.at };
            let mut segment = Segment { agent, ..Segment::new(SegmentKind::Agent, since) };
            segment.finish(until, None);
            done.push(segment);
            since = until;
        }
        if since < end.at {
            let mut segment = Segment::new(SegmentKind::Outside, since);
            segment.finish(end.at, None);
            done.push(segment);
        }
        done
    }
}

/// Whether it happened so soon after `at`.
fn is_within(event: &TaskEvent, at: Timestamp, time: SignedDuration) -> bool {
    event.at.is_some_and(|own| own.duration_since(at) <= time)
}

/// Whether a sign of this kind comes before another hold begins.
fn is_followed(later: &[&TaskEvent], kind: &EventKind) -> bool {
    let next = later
        .iter()
        .find(|event| event.kind == *kind || matches!(event.kind, EventKind::OnHold | EventKind::Parked));
    next.is_some_and(|event| event.kind == *kind)
}

/// Whether the agent who has the call does something next.
fn goes_on_with_agent(later: &[&TaskEvent]) -> bool {
    for event in later {
        match event.kind {
            EventKind::OnHold | EventKind::HoldDone | EventKind::Consulting | EventKind::ConsultDone => {
                return true;
            }
            EventKind::Conferencing | EventKind::ConferenceDone | EventKind::ConferenceTransferred => {
                return true;
            }
            EventKind::Parked
            | EventKind::Connect
            | EventKind::Connected
            | EventKind::Ended(_)
            | EventKind::Failed(_) => {
                return false;
            }
            _ => {}
        }
    }
    false
}
