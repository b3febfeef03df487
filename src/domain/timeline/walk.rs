//! The walk through a call's events, in the order of their times: from events to segments, agents and the end.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::event::{JITTER, SOON};
use super::history::{CLOSE_MILLIS, summary};
use super::recording::recordings;
use super::{
    AgentInvolvement, AgentState, CallHistory, CallState, EventKind, SearchSummary, Segment, SegmentEnd,
    SegmentKind, StretchKind, TaskEnding, TaskEvent,
};

/// Walks through deduplicated events in their order.
pub(super) fn walk(events: &[&TaskEvent]) -> CallHistory {
    let end = end(events);
    let mut walk = Walk { is_over: end.is_some(), ..Walk::default() };
    for (place, event) in events.iter().enumerate() {
        let later = events.get(place + 1..).unwrap_or_default();
        match (event.at, &end) {
            (Some(at), None) => walk.step(event, at, later),
            // A segment or stretch that begins after the end of the call is due to clock jitter, and has no length.
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
    /// How many agents have transferred the call and are not in wrap-up yet.
    awaiting_wrap_up: usize,
}

impl Walk {
    fn step(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        match &event.kind {
            EventKind::New if self.current.is_none() => self.begin(SegmentKind::Menu, at, event),
            EventKind::Parked => self.parked(event, at, later),
            EventKind::Connect => self.connect(event, at, later),
            EventKind::Connected | EventKind::Agent(AgentState::Connected) => {
                self.connected(event, at, later);
            }
            EventKind::OnHold => self.with_agent(at, event).hold(at),
            EventKind::HoldDone if self.is_duplicate(StretchKind::Hold, at) => {}
            EventKind::HoldDone => self.with_agent(at, event).hold_done(at),
            EventKind::Consulting => self.with_agent(at, event).begin_consult(at),
            EventKind::ConsultDone if self.is_duplicate(StretchKind::Consult, at) => {}
            EventKind::ConsultDone => self.with_agent(at, event).consult_done(at),
            EventKind::Conferencing => {
                let event_follows =
                    later.iter().any(|next| next.kind == EventKind::HoldDone && is_within(next, at, SOON));
                self.with_agent(at, event).begin_conference(at, event_follows);
            }
            EventKind::ConferenceDone => {
                self.with_agent(at, event).close_or_note(StretchKind::Conference, at);
            }
            EventKind::ConferenceTransferred => {
                self.with_agent(at, event).close_or_note(StretchKind::Conference, at);
                self.begin(SegmentKind::Agent, at, event);
                self.provisional();
            }
            EventKind::Agent(AgentState::WrapUp { .. }) | EventKind::Transferred => {
                self.release(event, at, later);
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

    /// No agent is free. A consulted party in a queue is not the caller's matter.
    fn parked(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let (queue, is_consult_offer) = (event.queue.as_deref(), self.is_consult_offer(at, later));
        match self.current.as_mut().map(|part| (part.segment.kind, part)) {
            Some((SegmentKind::Agent, part)) if part.waits_for_consult(at) || is_consult_offer => {
                part.consult.is_asked = true;
                return;
            }
            Some((SegmentKind::Queue, part))
                if queue.is_none_or(|queue| Some(queue) == part.segment.queue.as_deref()) =>
            {
                return;
            }
            Some((SegmentKind::Agent, _)) => self.transfer_to(SegmentKind::Queue, at, event),
            _ => self.begin(SegmentKind::Queue, at, event),
        }
        if let Some(part) = &mut self.current {
            part.segment.open(StretchKind::Parked, at);
        }
    }

    /// An agent is offered the call: for the caller, or for a consult of the agent who has the call.
    fn connect(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let is_consult_offer = self.is_consult_offer(at, later);
        match self.agent_part() {
            Some(part) if part.waits_for_consult(at) || is_consult_offer => part.consult.is_asked = true,
            // A late event about the agent who has accepted already changes nothing.
            Some(part) if at.duration_since(part.segment.start) <= JITTER && !part.is_of_another(event) => {}
            Some(_) => self.transfer_to(SegmentKind::Invitation, at, event),
            None => self.begin(SegmentKind::Invitation, at, event),
        }
    }

    fn connected(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let (is_consult_offer, is_twice) =
            (self.is_consult_offer(at, later), self.is_accepted_twice(at, later));
        let event_follows = is_followed(later, &EventKind::HoldDone);
        let Some(part) = self.agent_part() else {
            return self.begin_accepted(at, event);
        };
        let consults = part.waits_for_consult(at);
        match () {
            () if part.is_left(at) => self.accept(at, event),
            () if part.segment.is_open(StretchKind::Conference) => part.consulted_accepts(event, at),
            () if part.is_of_same(event) || !consults && !is_consult_offer && part.is_duplicate(event) => {
                part.merge(event);
                part.retrieve(at, event_follows);
            }
            () if consults && part.is_consulted(event, at, is_consult_offer, is_twice) => {
                part.consulted_accepts(event, at);
            }
            () if is_consult_offer => {}
            () if part.retrieves(event) => part.retrieve(at, event_follows),
            () => self.accept(at, event),
        }
    }

    /// Another agent has accepted the call.
    fn accept(&mut self, at: Timestamp, event: &TaskEvent) {
        self.transfer_to(SegmentKind::Agent, at, event);
        if event.kind.is_of_agent() {
            self.provisional();
        }
    }

    /// The first agent has accepted the call, or one after a queue or an invitation.
    fn begin_accepted(&mut self, at: Timestamp, event: &TaskEvent) {
        self.begin(SegmentKind::Agent, at, event);
        if event.kind.is_of_agent() {
            self.provisional();
        }
    }

    /// Whether the agent who is offered the call, or accepts it, while the caller waits is a consulted party: then the
    /// consult, or the hold, ends afterwards. For one who gets the call itself both have ended, and another hold begins
    /// before it ends.
    fn is_consult_offer(&self, at: Timestamp, later: &[&TaskEvent]) -> bool {
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

    /// Whether the consulted party accepts now and gets the caller afterwards: the task has events of both, or the agent
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

    /// Whether this is the end of a stretch that was just ended by another event.
    fn is_duplicate(&mut self, kind: StretchKind, at: Timestamp) -> bool {
        let Some(part) = &mut self.current else { return false };
        match part.segment.kind {
            SegmentKind::Agent => part.released.is_some_and(|left| {
                let since = at.duration_since(left);
                since > JITTER && since <= SOON
            }),
            _ => at.duration_since(part.segment.start) <= SOON && part.ended_otherwise.contains(&kind),
        }
    }

    /// An agent leaves the call, or begins wrap-up: the agent who has the call, or one who transferred it before.
    fn release(&mut self, event: &TaskEvent, at: Timestamp, later: &[&TaskEvent]) {
        let (awaiting_wrap_up, is_wrap_up) = (self.awaiting_wrap_up, event.kind.is_of_agent());
        let Some(part) = self.agent_part() else {
            self.awaiting_wrap_up = awaiting_wrap_up.saturating_sub(usize::from(is_wrap_up));
            return;
        };
        let is_theirs = match (&part.segment.agent, &event.agent) {
            (Some(mine), Some(theirs)) => mine == theirs,
            // Clocks differ, so a transfer may have a later time than the acceptance that it led to.
            _ if !is_wrap_up && at.duration_since(part.segment.start) <= JITTER => return,
            _ => !is_wrap_up || awaiting_wrap_up == 0 && !goes_on_with_agent(later),
        };
        if is_theirs {
            // Search reports a transfer twice: when it begins, and a moment later when it is done.
            let is_done_by_then = |left: &Timestamp| is_wrap_up || at.duration_since(*left) > SOON;
            part.released = part.released.filter(is_done_by_then).or(Some(at));
            part.is_transferred |= !is_wrap_up;
            part.segment.agent = part.segment.agent.take().or_else(|| event.agent.clone());
        } else {
            self.awaiting_wrap_up = awaiting_wrap_up.saturating_sub(1);
        }
    }

    /// The segment of the agent who has the call.
    fn agent_part(&mut self) -> Option<&mut OpenSegment> {
        self.current.as_mut().filter(|part| part.segment.kind == SegmentKind::Agent)
    }

    /// Ends the current segment and begins another one.
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
                self.awaiting_wrap_up += 1;
            }
            next.ended_otherwise = before.open_or_ended_otherwise();
            before.segment.finish(at, mark);
            self.done.push(before.segment);
        }
        self.current = Some(next);
    }

    /// The agent's segment ends when they left; until the next agent had the call, it was offered, unless the agent left
    /// it to the agent whom they had consulted.
    fn transfer_to(&mut self, kind: SegmentKind, at: Timestamp, event: &TaskEvent) {
        let Some(part) = &self.current else { return self.begin(kind, at, event) };
        let successor = part.successor().map(|accepted| accepted.agent.clone());
        // Search also reports the beginning of a transfer out of a consult, which is done once the other agent has the call.
        let is_consulted = part.is_transferred && part.segment.is_open(StretchKind::Consult);
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

    /// The agent's segment. Where the acceptance was lost, it was before this event; so it is where the agent before has
    /// left.
    fn with_agent(&mut self, at: Timestamp, event: &TaskEvent) -> &mut OpenSegment {
        match self.agent_part().map(|part| part.is_left(at)) {
            Some(false) => {}
            is_left => {
                match is_left {
                    Some(_) => self.transfer_to(SegmentKind::Agent, at, event),
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

    /// The segments of the call. After its last agent has left, the call was with an agent who is known by a wrap-up
    /// only, and then with an outside party.
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

/// Whether the event is at most `time` after `at`.
fn is_within(event: &TaskEvent, at: Timestamp, time: SignedDuration) -> bool {
    event.at.is_some_and(|own| own.duration_since(at) <= time)
}

/// Whether an event of this kind comes before another hold begins.
fn is_followed(later: &[&TaskEvent], kind: &EventKind) -> bool {
    let next = later
        .iter()
        .find(|event| event.kind == *kind || matches!(event.kind, EventKind::OnHold | EventKind::Parked));
    next.is_some_and(|event| event.kind == *kind)
}

/// Whether the next event is of the agent who has the call.
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

/// A consult of the agent who has the call, from the caller's side.
#[derive(Default)]
struct Consult {
    /// The caller is on hold: the agent who is offered the call, or accepts it, is the consulted party.
    caller_waits: bool,
    /// The consulted party was offered the call: an acceptance that is not of the caller's call will follow.
    is_asked: bool,
    /// The consulted party has accepted.
    accepted: Option<ConsultAcceptance>,
    /// The consult is over and the caller still on hold: the agent retrieves the caller, or transfers them.
    is_over: bool,
}

/// The consulted party's acceptance.
struct ConsultAcceptance {
    at: Timestamp,
    agent: Option<String>,
    /// Whether the consulted party is an agent, not an outside party.
    is_agent: bool,
}

/// A segment before its end.
struct OpenSegment {
    segment: Segment,
    /// It began by another event than `task:connected`, which may still come for the same acceptance.
    is_provisional: bool,
    /// When the agent began wrap-up. If the call went on, the agent had transferred it.
    released: Option<Timestamp>,
    /// Whether by Search the agent transferred the call then.
    is_transferred: bool,
    consult: Consult,
    /// Stretches ended by other events than `hold-done` and `consult-done`, which may still come.
    ended_otherwise: Vec<StretchKind>,
}

impl OpenSegment {
    fn new(kind: SegmentKind, at: Timestamp, event: &TaskEvent) -> Self {
        let mut segment = Segment::new(kind, at);
        segment.queue.clone_from(&event.queue);
        segment.agent.clone_from(&event.agent);
        let (consult, ended_otherwise) = (Consult::default(), Vec::new());
        Self {
            segment,
            is_provisional: false,
            released: None,
            is_transferred: false,
            consult,
            ended_otherwise,
        }
    }

    fn is_of_same(&self, event: &TaskEvent) -> bool {
        self.segment.agent.is_some() && self.segment.agent == event.agent
    }

    /// Whether it names another agent than the one who has the call.
    fn is_of_another(&self, event: &TaskEvent) -> bool {
        self.segment.agent.is_some() && event.agent.is_some() && self.segment.agent != event.agent
    }

    /// Whether it reports a known acceptance: the task and its agent each have an event.
    fn is_duplicate(&self, event: &TaskEvent) -> bool {
        (event.kind.is_of_agent() || self.is_provisional) && !self.is_of_another(event)
    }

    /// Adds queue and agent from another event of the same acceptance.
    fn merge(&mut self, event: &TaskEvent) {
        self.is_provisional &= event.kind.is_of_agent();
        self.segment.agent = self.segment.agent.take().or_else(|| event.agent.clone());
        self.segment.queue = self.segment.queue.take().or_else(|| event.queue.clone());
    }

    /// Whether the agent had left by then. An event within the jitter of the wrap-up may have been before it.
    fn is_left(&self, at: Timestamp) -> bool {
        self.released.is_some_and(|left| self.is_transferred || at.duration_since(left) > JITTER)
    }

    /// Whether the caller is on hold during a consult.
    fn waits_for_consult(&self, at: Timestamp) -> bool {
        self.segment.is_open(StretchKind::Consult) && self.consult.caller_waits && !self.is_left(at)
    }

    /// The consulted agent, who gets the call if the agent leaves in the middle of a consult or a conference.
    fn successor(&self) -> Option<&ConsultAcceptance> {
        let is_open = |kind| self.segment.is_open(kind);
        let is_present = is_open(StretchKind::Consult) || is_open(StretchKind::Conference);
        self.consult.accepted.as_ref().filter(|accepted| is_present && accepted.is_agent)
    }

    /// Whether an acceptance during a consult is the consulted party's own, rather than that of the caller's call.
    fn is_consulted(&self, event: &TaskEvent, at: Timestamp, is_consult_offer: bool, is_twice: bool) -> bool {
        match &self.consult.accepted {
            Some(known) => {
                is_consult_offer || event.kind.is_of_agent() || at.duration_since(known.at) <= JITTER
            }
            None => is_consult_offer || is_twice || self.consult.is_asked,
        }
    }

    fn consulted_accepts(&mut self, event: &TaskEvent, at: Timestamp) {
        let is_asked = self.consult.is_asked;
        let new = || ConsultAcceptance { at, agent: None, is_agent: is_asked };
        let accepted = self.consult.accepted.get_or_insert_with(new);
        accepted.agent = accepted.agent.take().or_else(|| event.agent.clone());
        accepted.is_agent |= accepted.agent.is_some();
    }

    /// Whether, after a consult, an acceptance is of the agent who retrieves the caller.
    fn retrieves(&self, event: &TaskEvent) -> bool {
        self.consult.is_over && !self.consult.is_asked && !self.is_of_another(event)
    }

    /// The agent retrieves the caller after a consult. `event_follows`: the event for the end of the hold comes later.
    fn retrieve(&mut self, at: Timestamp, event_follows: bool) {
        if self.consult.is_over && !event_follows {
            self.consult.is_over = false;
            self.close_otherwise(StretchKind::Hold, at);
        }
    }

    fn hold(&mut self, at: Timestamp) {
        self.segment.open(StretchKind::Hold, at);
        self.ended_otherwise.retain(|kind| *kind != StretchKind::Hold);
        self.consult.caller_waits = self.segment.is_open(StretchKind::Consult);
        self.consult.is_over = false;
    }

    fn hold_done(&mut self, at: Timestamp) {
        self.close_or_note(StretchKind::Hold, at);
        self.consult.caller_waits = false;
        self.consult.is_over = false;
        self.consult.is_asked &= self.segment.is_open(StretchKind::Consult);
    }

    fn begin_consult(&mut self, at: Timestamp) {
        self.segment.open(StretchKind::Consult, at);
        self.ended_otherwise.retain(|kind| *kind != StretchKind::Consult);
        self.consult = Consult { caller_waits: true, is_asked: self.consult.is_asked, ..Consult::default() };
    }

    fn consult_done(&mut self, at: Timestamp) {
        self.close_or_note(StretchKind::Consult, at);
        self.consult = Consult { is_over: self.segment.is_open(StretchKind::Hold), ..Consult::default() };
    }

    /// A conference begins. `event_follows`: the event for the end of the hold comes later.
    fn begin_conference(&mut self, at: Timestamp, event_follows: bool) {
        self.close_otherwise(StretchKind::Consult, at);
        if !event_follows {
            self.close_otherwise(StretchKind::Hold, at);
        }
        self.segment.open(StretchKind::Conference, at);
        (self.consult.caller_waits, self.consult.is_over) = (false, false);
    }

    /// Ends a stretch by its own event, or adds one whose beginning was lost.
    fn close_or_note(&mut self, kind: StretchKind, at: Timestamp) {
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

    /// Stretches whose end may still be reported after the segment has ended.
    fn open_or_ended_otherwise(&self) -> Vec<StretchKind> {
        let kinds = [StretchKind::Hold, StretchKind::Consult];
        kinds.into_iter().filter(|kind| self.segment.is_open(*kind)).collect()
    }
}

/// Wrap-ups: from an agent's wrap-up event to the next event of that agent.
fn wrap_ups(events: &[&TaskEvent]) -> Vec<Segment> {
    let mut open: BTreeMap<Option<&str>, Segment> = BTreeMap::new();
    let mut done = Vec::new();
    for event in events {
        let (EventKind::Agent(state), Some(at)) = (&event.kind, event.at) else { continue };
        let agent = event.agent.as_deref();
        match state {
            AgentState::WrapUp { .. } => {
                let begin =
                    || Segment { agent: event.agent.clone(), ..Segment::new(SegmentKind::WrapUp, at) };
                open.entry(agent).or_insert_with(begin);
            }
            AgentState::Connected | AgentState::Other { .. } => {
                if let Some(mut segment) = open.remove(&agent) {
                    segment.finish(at, None);
                    done.push(segment);
                }
            }
        }
    }
    done.extend(open.into_values());
    done.sort_by(|one, other| (one.start, &one.agent).cmp(&(other.start, &other.agent)));
    done
}

/// Names agents who are known by their wrap-up only: each segment gets the agent of the wrap-up nearest to its end.
fn name_by_wrap_ups(segments: &mut [Segment], wrap_ups: &[Segment]) {
    let is_agent = |segment: &&mut Segment| segment.kind == SegmentKind::Agent;
    let named: BTreeSet<String> =
        segments.iter_mut().filter(is_agent).filter_map(|segment| segment.agent.clone()).collect();
    let is_free = |one: &&Segment| one.agent.as_ref().is_some_and(|agent| !named.contains(agent));
    for segment in segments.iter_mut().filter(is_agent).filter(|segment| segment.agent.is_none()) {
        let Some(end) = segment.end else { continue };
        let since = wrap_ups.iter().filter(is_free).filter(|one| one.start >= segment.start);
        let nearest = since.min_by_key(|one| one.start.duration_since(end).abs());
        segment.agent = nearest.and_then(|one| one.agent.clone());
    }
}

/// The agents in the order in which events first name them.
fn agents(events: &[&TaskEvent]) -> Vec<AgentInvolvement> {
    let mut agents: Vec<AgentInvolvement> = Vec::new();
    for event in events {
        let Some(name) = &event.agent else { continue };
        let accepts = matches!(event.kind, EventKind::Connected | EventKind::Agent(AgentState::Connected));
        let accepted_at = event.at.filter(|_| accepts);
        let code = match &event.kind {
            EventKind::Agent(state) => state.code().map(str::to_owned),
            _ => None,
        };
        match agents.iter_mut().find(|agency| agency.agent == *name) {
            Some(agency) => {
                agency.accepted_at = agency.accepted_at.or(accepted_at);
                agency.wrap_up_code = code.or(agency.wrap_up_code.take());
            }
            None => agents.push(AgentInvolvement { agent: name.clone(), accepted_at, wrap_up_code: code }),
        }
    }
    agents
}

/// The end of a call, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallEnd {
    pub(super) at: Timestamp,
    ending: TaskEnding,
    /// It comes where the end of a consulted party would, and no later event decides whose it is.
    is_doubtful: bool,
}

/// The end of deduplicated events in their order. A callback goes on after an offer that no agent accepted. An end that
/// is followed by events of an ongoing call was not the caller's, unless they are within the jitter of clocks. Search's
/// record of a task that has ended decides.
pub(super) fn end(events: &[&TaskEvent]) -> Option<CallEnd> {
    let mut consulted = ConsultedParty::default();
    let mut ends: Vec<CallEnd> = Vec::new();
    let is_callback = events.iter().any(|event| event.is_of_callback());
    for event in events {
        let Some(at) = event.at else { continue };
        match &event.kind {
            EventKind::Ended(ending) if is_callback && ending.is_missed_offer() => {}
            EventKind::CallbackFailed => {
                ends.push(CallEnd { at, ending: TaskEnding::default(), is_doubtful: false });
            }
            EventKind::Ended(ending) | EventKind::Failed(ending) => {
                ends.push(CallEnd { at, ending: ending.clone(), is_doubtful: consulted.ends(at) });
            }
            _ => consulted.step(event, at),
        }
    }
    let known = summary(events);
    if let Some(SearchSummary { is_active: false, ended: Some(ended), .. }) = known {
        return Some(search_end(*ended, &ends));
    }
    if let Some(SearchSummary { is_active: true, ended, .. }) = known {
        ends.retain(|end| ended.is_some_and(|ended| end.at.duration_since(ended) > SOON));
    }
    let alive = events.iter().filter(|event| event.kind.goes_on()).filter_map(|event| event.at).max();
    ends.retain(|end| {
        let tolerance = if end.is_doubtful { SignedDuration::ZERO } else { JITTER };
        alive.is_none_or(|alive| alive.duration_since(end.at) <= tolerance)
    });
    let last =
        |is_doubtful| ends.iter().filter(|end| end.is_doubtful == is_doubtful).max_by_key(|end| end.at);
    // The event of the consulted party's end may come a moment after the caller's. One that comes long after shows that
    // the call went on.
    let last = match (last(false), last(true)) {
        (Some(own), Some(other)) if other.at.duration_since(own.at) > SOON => other,
        (own, other) => own.or(other)?,
    };
    let is_doubtful = last.is_doubtful && !consulted.is_left_by_agent(events, last.at);
    Some(CallEnd { is_doubtful, ..last.clone() })
}

/// The end by Search: the end of the events at about that time, if there is one.
fn search_end(ended: Timestamp, ends: &[CallEnd]) -> CallEnd {
    let distance = |end: &&CallEnd| end.at.duration_since(ended).abs();
    let near = ends.iter().filter(|end| distance(end) <= SOON).min_by_key(distance);
    let is_close = |end: &&CallEnd| distance(end).unsigned_abs().as_millis() <= u128::from(CLOSE_MILLIS);
    let at = near.filter(is_close).map_or(ended, |end| end.at);
    let ending = near.map_or_else(TaskEnding::default, |end| end.ending.clone());
    CallEnd { at, ending, is_doubtful: false }
}

/// A consulted party whose events come under the caller's task.
#[derive(Default)]
struct ConsultedParty<'a> {
    is_on_hold: bool,
    consults: bool,
    confers: bool,
    /// An agent was offered the call while the caller was on hold, before the event of the consult.
    was_asked: bool,
    /// There is a consulted party, and no event of their end yet.
    is_present: bool,
    has_accepted: bool,
    /// After that no event of their end is expected.
    until: Option<Timestamp>,
    transferred_at: Option<Timestamp>,
    /// An acceptance that looked like a transfer of the caller.
    transfer_like_at: Option<Timestamp>,
    /// Agents named as consulted parties.
    agents: BTreeSet<&'a str>,
}

impl<'a> ConsultedParty<'a> {
    fn step(&mut self, event: &'a TaskEvent, at: Timestamp) {
        match event.kind {
            EventKind::OnHold => self.is_on_hold = true,
            EventKind::Consulting => {
                // The consult begins with the consulted party's acceptance, whose event may come first.
                let has_accepted =
                    self.transfer_like_at.is_some_and(|before| at.duration_since(before) <= JITTER);
                self.is_present |= std::mem::take(&mut self.was_asked) || has_accepted;
                self.is_on_hold |= has_accepted;
                (self.consults, self.has_accepted, self.until) = (true, has_accepted, None);
            }
            EventKind::New | EventKind::Parked | EventKind::Connect if self.consults => self.is_asked(event),
            EventKind::Parked | EventKind::Connect => self.was_asked = self.is_on_hold,
            EventKind::Connected if self.consults && self.is_present && self.has_accepted => {
                self.transfer(at);
            }
            // The acceptance may come some milliseconds before the consult that begins with it.
            EventKind::Connected if self.consults || self.was_asked && self.is_on_hold => {
                self.is_present |= self.consults;
                self.has_accepted = true;
                self.agents.extend(event.agent.as_deref());
            }
            EventKind::Connected if self.confers => {}
            EventKind::Connected | EventKind::Transferred | EventKind::ConferenceTransferred => {
                self.transfer(at);
            }
            EventKind::Agent(AgentState::Connected) if self.consults => {
                self.agents.extend(event.agent.as_deref());
            }
            EventKind::ConsultDone => {
                if std::mem::take(&mut self.was_asked) {
                    (self.is_present, self.until) = (true, None);
                } else if !self.consults && !self.is_present {
                    // The event that began the consult was lost, so an end at the same time as this one is the end of the
                    // consulted party.
                    (self.is_present, self.until) = (true, at.checked_add(JITTER).ok());
                }
                self.consults = false;
            }
            EventKind::Conferencing => (self.consults, self.confers) = (false, true),
            EventKind::HoldDone => {
                (self.is_on_hold, self.consults, self.was_asked) = (false, false, false);
                if !self.confers {
                    self.until = at.checked_add(SOON).ok();
                }
            }
            EventKind::ConferenceDone => (self.confers, self.until) = (false, at.checked_add(SOON).ok()),
            _ => {}
        }
    }

    fn is_asked(&mut self, event: &'a TaskEvent) {
        (self.is_present, self.until) = (true, None);
        self.agents.extend(event.agent.as_deref());
    }

    /// The call is transferred: the consulted party, if there is one, becomes part of it.
    fn transfer(&mut self, at: Timestamp) {
        let transferred_at = self.is_present.then_some(at);
        *self = Self { transferred_at, transfer_like_at: Some(at), ..Self::default() };
    }

    /// Whether an end at that time may be that of the consulted party.
    fn ends(&mut self, at: Timestamp) -> bool {
        let expected = std::mem::take(&mut self.is_present) && self.until.is_none_or(|until| at <= until);
        expected || self.transferred_at.is_some_and(|before| at.duration_since(before) <= SOON)
    }

    /// Whether an agent who is not a consulted party began wrap-up, at about that time or since.
    fn is_left_by_agent(&self, events: &[&TaskEvent], at: Timestamp) -> bool {
        events.iter().any(|event| {
            let is_wrap_up = matches!(event.kind, EventKind::Agent(AgentState::WrapUp { .. }));
            let is_since = event.at.is_some_and(|own| at.duration_since(own) <= SOON);
            is_wrap_up && is_since && event.agent.as_deref().is_some_and(|agent| !self.agents.contains(agent))
        })
    }
}
