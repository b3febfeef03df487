//! When a call ended. The consulted party's `task:ended` may come under the caller's task: it is told apart by its
//! place among the other events.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::event::{JITTER, SOON};
use super::{AgentState, EventKind, SearchSummary, TaskEnding, TaskEvent, summary};

/// The end of a call, as far as is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CallEnd {
    pub(super) at: Timestamp,
    pub(super) ending: TaskEnding,
    /// It comes where a consulted party's would, and nothing that was told since says whose it is.
    pub(super) is_doubtful: bool,
}

/// The end of deduplicated events in their order. A callback goes on after an offer that no agent took. One that is followed
/// by signs of life was not the caller's; how far
/// clocks jitter does not make a sign of life. What Search says of a task that is over decides.
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
    let known = summary::summary(events);
    if let Some(SearchSummary { is_active: false, ended: Some(ended), .. }) = known {
        return Some(summary::end(*ended, &ends));
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
    // The consulted party's may be told a moment after the caller's. One long after it shows that the call went on.
    let last = match (last(false), last(true)) {
        (Some(own), Some(other)) if other.at.duration_since(own.at) > SOON => other,
        (own, other) => own.or(other)?,
    };
    let is_doubtful = last.is_doubtful && !consulted.is_left_by_agent(events, last.at);
    Some(CallEnd { is_doubtful, ..last.clone() })
}

/// What is known of a consulted party whose events come under the caller's task.
#[derive(Default)]
struct ConsultedParty<'a> {
    is_on_hold: bool,
    consults: bool,
    confers: bool,
    /// Somebody was asked while the caller was on hold, before the consult was told.
    was_asked: bool,
    /// There is a consulted party whose end has not been told.
    is_there: bool,
    has_accepted: bool,
    /// After that its end is no longer expected.
    until: Option<Timestamp>,
    transferred_at: Option<Timestamp>,
    /// An acceptance that looked as if the caller was given away.
    given_at: Option<Timestamp>,
    /// Agents who are named on the consulted side.
    agents: BTreeSet<&'a str>,
}

impl<'a> ConsultedParty<'a> {
    fn step(&mut self, event: &'a TaskEvent, at: Timestamp) {
        match event.kind {
            EventKind::OnHold => self.is_on_hold = true,
            EventKind::Consulting => {
                // It begins with the consulted party's acceptance, which may be told first.
                let has_accepted = self.given_at.is_some_and(|before| at.duration_since(before) <= JITTER);
                self.is_there |= std::mem::take(&mut self.was_asked) || has_accepted;
                self.is_on_hold |= has_accepted;
                (self.consults, self.has_accepted, self.until) = (true, has_accepted, None);
            }
            EventKind::New | EventKind::Parked | EventKind::Connect if self.consults => self.is_asked(event),
            EventKind::Parked | EventKind::Connect => self.was_asked = self.is_on_hold,
            EventKind::Connected if self.consults && self.is_there && self.has_accepted => self.transfer(at),
            // It may be told some milliseconds before the consult that begins with it.
            EventKind::Connected if self.consults || self.was_asked && self.is_on_hold => {
                self.is_there |= self.consults;
                self.has_accepted = true;
                self.agents.extend(event.agent.as_deref());
            }
            EventKind::Connected if self.confers => {}
            EventKind::Connected | EventKind::Transferred | EventKind::ConferenceTransferred => {
                self.transfer(at)
            }
            EventKind::Agent(AgentState::Connected) if self.consults => {
                self.agents.extend(event.agent.as_deref())
            }
            EventKind::ConsultDone => {
                if std::mem::take(&mut self.was_asked) {
                    (self.is_there, self.until) = (true, None);
                } else if !self.consults && !self.is_there {
                    // Its beginning was not heard, so nothing is known of who is there: an end told with it is theirs.
                    (self.is_there, self.until) = (true, at.checked_add(JITTER).ok());
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
        (self.is_there, self.until) = (true, None);
        self.agents.extend(event.agent.as_deref());
    }

    /// The call is given away: the consulted party, if there is one, is part of it.
    fn transfer(&mut self, at: Timestamp) {
        let transferred_at = self.is_there.then_some(at);
        *self = Self { transferred_at, given_at: Some(at), ..Self::default() };
    }

    /// Whether an end at that time may be that of the consulted party.
    fn ends(&mut self, at: Timestamp) -> bool {
        let expected = std::mem::take(&mut self.is_there) && self.until.is_none_or(|until| at <= until);
        expected || self.transferred_at.is_some_and(|before| at.duration_since(before) <= SOON)
    }

    /// Whether an agent who is not on the consulted side wrote the call up, at about that time or since.
    fn is_left_by_agent(&self, events: &[&TaskEvent], at: Timestamp) -> bool {
        events.iter().any(|event| {
            let is_wrap_up = matches!(event.kind, EventKind::Agent(AgentState::WrapUp { .. }));
            let is_since = event.at.is_some_and(|own| at.duration_since(own) <= SOON);
            is_wrap_up && is_since && event.agent.as_deref().is_some_and(|agent| !self.agents.contains(agent))
        })
    }
}
