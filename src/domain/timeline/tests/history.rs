//! Generated calls: their events, and the history that these events must give.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{at, event, of_agent};
use crate::domain::timeline::{AgentState, CallHistory, EventKind, SegmentKind, TaskEnding, TaskEvent};
use crate::domain::{CallTotals, FinalRecord, MappedName, MappedNames};

/// A call that has ended. Times are milliseconds after its beginning.
#[derive(Clone, Default)]
pub struct GeneratedCall {
    /// In order.
    pub events: Vec<TaskEvent>,
    pub outline: Vec<(SegmentKind, u64, Option<u64>)>,
    pub ended_at: u64,
    pub accepted_at: Option<u64>,
    pub enqueued_at: Option<u64>,
    pub holds: Vec<u64>,
    pub consults: usize,
    /// The queue that it was in last.
    pub queue: Option<String>,
    /// The agent who had it last.
    pub agent: Option<String>,
    /// How long agents had it, holds included.
    pub with_agents: u64,
    /// How often the caller was queued.
    pub queued: usize,
    /// When it was transferred to an outside number, by Search.
    pub transferred: Option<u64>,
}

/// The shortest time between two things that somebody does.
const LEAST: u64 = 250;

/// Short: what happened at which millisecond, and to whom.
impl std::fmt::Debug for GeneratedCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for event in &self.events {
            let time = event.at.map_or(0, |own| own.as_millisecond() - at(0).as_millisecond());
            let (agent, queue) = (event.agent.as_deref().unwrap_or(""), event.queue.as_deref().unwrap_or(""));
            writeln!(f, "{time:>8} {:?} {agent} {queue}", event.kind)?;
        }
        write!(f, "{:?}, holds {:?}, ended {}", self.outline, self.holds, self.ended_at)
    }
}

impl GeneratedCall {
    /// Whether it happened to the consulted party.
    pub fn is_of_party(event: &TaskEvent) -> bool {
        event.id.starts_with("party-")
    }

    /// Compares the final record of a call history with this generated call. `apart`: by how many seconds sums may differ,
    /// where events were lost and Search's times stand for theirs.
    pub fn assert_matches(&self, call_history: &CallHistory, apart: u64) {
        let seconds = |milliseconds: u64| (milliseconds + 500) / 1000;
        let total: u64 = self.holds.iter().sum();
        let none = BTreeMap::new();
        let actual = FinalRecord::of(call_history, MappedNames { queues: &none, agents: &none }, None);
        let given = |id: &Option<String>| id.clone().map(MappedName::Unmapped);
        // Where events were lost and Search's sums count, the longest hold may be unknown.
        let is_known = call_history.summary.is_none() || actual.sums.longest_hold.is_some();
        let longest = self.holds.iter().copied().max().unwrap_or_default();
        let near = |actual: Option<u64>, truth: u64| {
            actual.filter(|actual| actual.abs_diff(truth) <= apart).or(Some(truth))
        };
        let longest = near(actual.sums.longest_hold, seconds(longest)).filter(|_| is_known);
        let truth = FinalRecord {
            has_agent: self.accepted_at.is_some(),
            start_time: Some(at(0)),
            enqueue_time: self.enqueued_at.map(at),
            accept_time: self.accepted_at.map(at),
            // A record and a webhook count as the same within two seconds, and so may the end of a consulted party.
            end_time: actual
                .end_time
                .filter(|end| end.duration_since(at(self.ended_at)).abs().as_millis() <= 2000)
                .or(Some(at(self.ended_at))),
            sums: CallTotals {
                holds: Some(self.holds.len()),
                longest_hold: longest,
                total_hold: near(actual.sums.total_hold, seconds(total)),
                agent_interaction: near(actual.sums.agent_interaction, seconds(self.with_agents - total)),
            },
            queue: given(&self.queue),
            agent: given(&self.agent),
            recording: None,
            disconnect_reason: actual.disconnect_reason.clone(),
        };
        assert_eq!(actual, truth);
    }
}

/// What happens while an agent has the call; milliseconds.
#[derive(Debug, Clone)]
enum CallTurn {
    Talk(u64),
    Hold(u64),
    /// On hold, a consult in the middle of it, after which the caller still waits for a while.
    Consult(Party, u64, u64),
    /// A consult that becomes a conference.
    Conference(Party, u64, u64),
}

/// Who is consulted.
#[derive(Debug, Clone, Copy)]
enum Party {
    /// A party without events: an outside number, or an agent who is consulted directly.
    Silent,
    /// An agent with events of ringing and acceptance.
    Agent,
    /// A queue: it has a beginning and an end of its own.
    Queue,
    /// A queue where no agent is free.
    BusyQueue,
}

/// How an agent's part ends.
#[derive(Debug, Clone)]
enum Leave {
    /// By the end of the call, or to a queue or an agent who is rung.
    Plainly,
    /// To the party of a consult of so many milliseconds; where there is no next agent, the caller hangs up meanwhile.
    Consulting(Party, u64),
    /// To somebody outside, perhaps from a hold; where there is a next agent, as above.
    Outside(Option<u64>, u64),
}

/// One agent's part, and how they came to it.
#[derive(Debug, Clone)]
struct Stay {
    /// Queued, with so many milliseconds without an agent; or not at all.
    parked: Option<u64>,
    /// Agents who did not accept.
    missed: Vec<u64>,
    ringing: u64,
    turns: Vec<CallTurn>,
    leave: Leave,
    wrap_up: u64,
}

/// What comes after an agent's part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NextEvent {
    Agent,
    /// It waits for one until the caller hangs up.
    Nobody,
    End,
}

fn party() -> impl Strategy<Value = Party> {
    prop_oneof![Just(Party::Silent), Just(Party::Agent), Just(Party::Queue), Just(Party::BusyQueue)]
}

fn turn() -> impl Strategy<Value = CallTurn> {
    let time = || LEAST..90_000;
    prop_oneof![
        time().prop_map(CallTurn::Talk),
        time().prop_map(CallTurn::Hold),
        (party(), time(), time()).prop_map(|(party, time, after)| CallTurn::Consult(party, time, after)),
        (party(), time(), time()).prop_map(|(party, time, talk)| CallTurn::Conference(party, time, talk)),
    ]
}

fn leave() -> impl Strategy<Value = Leave> {
    let time = || LEAST..90_000;
    prop_oneof![
        2 => Just(Leave::Plainly),
        1 => (party(), time()).prop_map(|(party, time)| Leave::Consulting(party, time)),
        1 => (proptest::option::of(time()), time()).prop_map(|(hold, time)| Leave::Outside(hold, time)),
    ]
}

fn stay() -> impl Strategy<Value = Stay> {
    (
        proptest::option::of(LEAST..600_000),
        proptest::collection::vec(LEAST..20_000, 0..3),
        LEAST..20_000,
        proptest::collection::vec(turn(), 0..5),
        leave(),
        LEAST..60_000,
    )
        .prop_map(|(parked, missed, ringing, turns, leave, wrap_up)| Stay {
            parked,
            missed,
            ringing,
            turns,
            leave,
            wrap_up,
        })
}

/// Any call: hung up in the menu, in the queue, at an agent, after transfers.
pub fn history() -> impl Strategy<Value = GeneratedCall> {
    let gives_up = proptest::option::of((proptest::option::of(LEAST..600_000), LEAST..20_000));
    (LEAST..60_000, proptest::collection::vec(stay(), 0..3), gives_up).prop_map(|(menu, stays, last)| {
        let mut generator = HistoryGenerator::default();
        generator.add_event(EventKind::New);
        generator.pass(SegmentKind::Menu, menu);
        for (number, stay) in stays.iter().enumerate() {
            let next = match (number + 1 < stays.len(), &last) {
                (true, _) => NextEvent::Agent,
                (false, Some(_)) => NextEvent::Nobody,
                (false, None) => NextEvent::End,
            };
            generator.stay(stay, number, next);
        }
        if let Some((parked, ringing)) = last {
            generator.enqueue(parked, stays.len());
            generator.wait(parked, &[ringing]);
        }
        generator.queue = None;
        generator.history.ended_at = generator.now;
        generator.add_event(EventKind::Ended(TaskEnding { party: Some("Customer".into()), reason: None }));
        generator.end()
    })
}

#[derive(Default)]
struct HistoryGenerator {
    history: GeneratedCall,
    now: u64,
    /// The queue that generated events carry.
    queue: Option<String>,
    wrap_ups: Vec<(String, u64, u64)>,
    parties: usize,
    /// The next agent has the call already.
    is_given: bool,
}

impl HistoryGenerator {
    fn add_event(&mut self, kind: EventKind) {
        let queue = self.queue.clone();
        self.history.events.push(TaskEvent { queue, ..event(kind, self.now) });
    }

    fn tell_of_party(&mut self, kind: EventKind, party: usize) {
        let id = format!("party-{party}-{kind}-{}", self.now);
        self.history.events.push(TaskEvent {
            id,
            queue: Some(format!("help-{party}")),
            ..event(kind, self.now)
        });
    }

    /// A call comes out of the menu into a queue, even if an agent is free; later only if it waits there: else one
    /// agent gives it to another.
    fn enqueue(&mut self, parked: Option<u64>, number: usize) {
        self.queue = (parked.is_some() || number == 0).then(|| format!("queue-{number}"));
        self.history.queued += usize::from(self.queue.is_some());
        self.history.queue = self.queue.clone().or(self.history.queue.take());
    }

    fn pass(&mut self, kind: SegmentKind, time: u64) {
        self.history.outline.push((kind, self.now, Some(self.now + time)));
        self.now += time;
    }

    fn wait(&mut self, parked: Option<u64>, missed: &[u64]) {
        self.history.enqueued_at = self.history.enqueued_at.or(Some(self.now));
        if let Some(time) = parked {
            self.add_event(EventKind::Parked);
            self.pass(SegmentKind::Queue, time);
        }
        for &time in missed {
            self.add_event(EventKind::Connect);
            self.pass(SegmentKind::Invitation, time);
        }
    }

    fn stay(&mut self, stay: &Stay, number: usize, next: NextEvent) {
        let agent = format!("agent-{number}");
        if !std::mem::take(&mut self.is_given) {
            self.enqueue(stay.parked, number);
            self.wait(stay.parked, &stay.missed);
            self.add_event(EventKind::Connect);
            self.pass(SegmentKind::Invitation, stay.ringing);
        }
        self.history.accepted_at = self.history.accepted_at.or(Some(self.now));
        self.history.agent = Some(agent.clone());
        self.add_event(EventKind::Connected);
        self.history.events.push(of_agent(AgentState::Connected, self.now, &agent));
        let start = self.now;
        self.queue = None;
        self.now += LEAST;
        for turn in &stay.turns {
            self.turn(turn);
        }
        let outside = self.leave(&stay.leave, number, next);
        self.history.outline.push((SegmentKind::Agent, start, Some(self.now)));
        self.history.with_agents += self.now - start;
        self.wrap_ups.push((agent, self.now, self.now + stay.wrap_up));
        if let Some(time) = outside {
            self.history.transferred = Some(self.now);
            self.pass(SegmentKind::Outside, time);
        }
    }

    /// Gives for how long the caller speaks on with somebody outside.
    fn leave(&mut self, leave: &Leave, number: usize, next: NextEvent) -> Option<u64> {
        match leave {
            Leave::Consulting(party, time) => {
                let began = self.now;
                self.add_event(EventKind::OnHold);
                let accepts = matches!(party, Party::Silent | Party::Agent | Party::Queue);
                let is_given = next == NextEvent::Agent && accepts;
                let heir = is_given.then(|| format!("agent-{}", number + 1));
                self.consult(*party, *time, heir.as_deref());
                if is_given {
                    self.is_given = true;
                } else {
                    self.consult_done(*party);
                }
                // To the next queue without a word to the caller, or the caller hangs up.
                self.history.holds.push(self.now - began);
                None
            }
            Leave::Outside(hold, time) if next == NextEvent::End => {
                if let Some(hold) = hold {
                    self.add_event(EventKind::OnHold);
                    self.now += hold;
                    self.history.holds.push(*hold);
                }
                Some(*time)
            }
            Leave::Plainly | Leave::Outside(..) => None,
        }
    }

    /// A consult until its party speaks with the agent.
    fn consult(&mut self, party: Party, time: u64, helper: Option<&str>) {
        self.add_event(EventKind::Consulting);
        self.history.consults += 1;
        self.parties += 1;
        let number = self.parties;
        let has_own = matches!(party, Party::Queue | Party::BusyQueue);
        for kind in [EventKind::New, EventKind::Parked].into_iter().filter(|_| has_own) {
            self.now += 1;
            self.tell_of_party(kind, number);
        }
        if matches!(party, Party::Agent | Party::Queue | Party::BusyQueue) {
            self.now += LEAST;
            self.tell_of_party(EventKind::Connect, number);
        }
        if matches!(party, Party::Agent | Party::Queue) {
            self.now += LEAST;
            self.tell_of_party(EventKind::Connected, number);
            let agent = helper.map_or_else(|| format!("helper-{number}"), str::to_owned);
            self.history.events.push(of_agent(AgentState::Connected, self.now + 1, &agent));
        }
        self.now += LEAST + time;
    }

    fn consult_done(&mut self, party: Party) {
        self.add_event(EventKind::ConsultDone);
        if matches!(party, Party::Queue | Party::BusyQueue) {
            self.now += 2;
            self.tell_of_party(EventKind::Ended(TaskEnding::default()), self.parties);
        }
        self.now += 1;
    }

    fn turn(&mut self, turn: &CallTurn) {
        let began = self.now;
        match *turn {
            CallTurn::Talk(time) => self.now += time,
            CallTurn::Hold(time) => {
                self.add_event(EventKind::OnHold);
                self.now += time;
                self.add_event(EventKind::HoldDone);
                self.history.holds.push(time);
            }
            CallTurn::Consult(party, time, after) => {
                self.add_event(EventKind::OnHold);
                self.consult(party, time, None);
                self.consult_done(party);
                self.now += after;
                self.add_event(EventKind::HoldDone);
                self.history.holds.push(self.now - began);
            }
            CallTurn::Conference(party, time, talk) => {
                self.add_event(EventKind::OnHold);
                self.consult(party, time, None);
                self.add_event(EventKind::Conferencing);
                self.add_event(EventKind::HoldDone);
                self.history.holds.push(self.now - began);
                self.now += talk;
                self.add_event(EventKind::ConferenceDone);
                if matches!(party, Party::Queue | Party::BusyQueue) {
                    self.now += 2;
                    self.tell_of_party(EventKind::Ended(TaskEnding::default()), self.parties);
                }
            }
        }
        self.now += LEAST;
    }

    fn end(mut self) -> GeneratedCall {
        for (agent, start, end) in std::mem::take(&mut self.wrap_ups) {
            let done = AgentState::Other { name: "Available".into(), code: None };
            for (state, time) in [(AgentState::WrapUp { code: None }, start), (done, end)] {
                self.history.events.push(of_agent(state, time, &agent));
            }
            self.history.outline.push((SegmentKind::WrapUp, start, Some(end)));
        }
        self.history
    }
}
