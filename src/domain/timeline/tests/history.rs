//! Histories as they may truly happen: the events, and what they mean, told by who made them up.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{at, event, of_agent};
use crate::domain::timeline::{AgentState, Ending, Event, SegmentKind, Story, What};
use crate::domain::{FinalRecord, Given, Names};

/// A call that has ended. Times are milliseconds after its beginning.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// In order.
    pub events: Vec<Event>,
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
}

impl History {
    /// All that the final record tells, in its units, against what was made of events.
    pub fn assert_told_by(&self, story: &Story) {
        let seconds = |milliseconds: u64| (milliseconds + 500) / 1000;
        let total: u64 = self.holds.iter().sum();
        let none = BTreeMap::new();
        let told = FinalRecord::of(story, Names { queues: &none, agents: &none }, None);
        let given = |id: &Option<String>| id.clone().map(Given::Unmapped);
        let truth = FinalRecord {
            has_agent: self.accepted_at.is_some(),
            start_time: Some(at(0)),
            enqueue_time: self.enqueued_at.map(at),
            accept_time: self.accepted_at.map(at),
            end_time: Some(at(self.ended_at)),
            number_of_holds: self.holds.len(),
            longest_hold: seconds(self.holds.iter().copied().max().unwrap_or_default()),
            total_hold: seconds(total),
            agent_interaction: seconds(self.with_agents - total),
            queue: given(&self.queue),
            agent: given(&self.agent),
            recording: None,
            disconnect_reason: told.disconnect_reason.clone(),
        };
        assert_eq!(told, truth);
    }
}

/// What happens while an agent has the call; milliseconds.
#[derive(Debug, Clone)]
enum Turn {
    Talk(u64),
    Hold(u64),
    /// On hold, a consult in the middle of it, perhaps with a sign that the consulted one accepted.
    Consult(u64, bool),
    /// A consult that becomes a conference.
    Conference(u64),
}

/// One agent's part, and how they came to it.
#[derive(Debug, Clone)]
struct Stay {
    /// Queued, with so many milliseconds without an agent; or not at all.
    parked: Option<u64>,
    /// Agents who did not accept.
    missed: Vec<u64>,
    ringing: u64,
    turns: Vec<Turn>,
    wrap_up: u64,
}

fn turn() -> impl Strategy<Value = Turn> {
    let time = 1_u64..90_000;
    prop_oneof![
        time.clone().prop_map(Turn::Talk),
        time.clone().prop_map(Turn::Hold),
        (time.clone(), any::<bool>()).prop_map(|(time, accepts)| Turn::Consult(time + 3, accepts)),
        time.prop_map(|time| Turn::Conference(time + 3)),
    ]
}

fn stay() -> impl Strategy<Value = Stay> {
    (
        proptest::option::of(1_u64..600_000),
        proptest::collection::vec(1_u64..20_000, 0..3),
        1_u64..20_000,
        proptest::collection::vec(turn(), 0..5),
        1_u64..60_000,
    )
        .prop_map(|(parked, missed, ringing, turns, wrap_up)| Stay {
            parked,
            missed,
            ringing,
            turns,
            wrap_up,
        })
}

/// Any call: hung up in the menu, in the queue, at an agent, after transfers.
pub fn history() -> impl Strategy<Value = History> {
    let gives_up = proptest::option::of((proptest::option::of(1_u64..600_000), 1_u64..20_000));
    (1_u64..60_000, proptest::collection::vec(stay(), 0..3), gives_up).prop_map(|(menu, stays, last)| {
        let mut tale = Tale::default();
        tale.tell(What::New);
        tale.pass(SegmentKind::Menu, menu);
        for (number, stay) in stays.iter().enumerate() {
            tale.stay(stay, number);
        }
        if let Some((parked, ringing)) = last {
            tale.enqueue(parked, stays.len());
            tale.wait(parked, &[ringing]);
        }
        tale.queue = None;
        tale.history.ended_at = tale.now;
        tale.tell(What::Ended(Ending { party: Some("Customer".into()), reason: None }));
        tale.end()
    })
}

#[derive(Default)]
struct Tale {
    history: History,
    now: u64,
    /// The queue that what is told belongs to.
    queue: Option<String>,
    wrap_ups: Vec<(String, u64, u64)>,
}

impl Tale {
    fn tell(&mut self, what: What) {
        let queue = self.queue.clone();
        self.history.events.push(Event { queue, ..event(what, self.now) });
    }

    /// A call comes out of the menu into a queue, even if an agent is free; later only if it waits there: else one
    /// agent gives it to another.
    fn enqueue(&mut self, parked: Option<u64>, number: usize) {
        self.queue = (parked.is_some() || number == 0).then(|| format!("queue-{number}"));
        self.history.queue = self.queue.clone().or(self.history.queue.take());
    }

    fn pass(&mut self, kind: SegmentKind, time: u64) {
        self.history.outline.push((kind, self.now, Some(self.now + time)));
        self.now += time;
    }

    fn wait(&mut self, parked: Option<u64>, missed: &[u64]) {
        self.history.enqueued_at = self.history.enqueued_at.or(Some(self.now));
        if let Some(time) = parked {
            self.tell(What::Parked);
            self.pass(SegmentKind::Queue, time);
        }
        for &time in missed {
            self.tell(What::Connect);
            self.pass(SegmentKind::Invitation, time);
        }
    }

    fn stay(&mut self, stay: &Stay, number: usize) {
        let agent = format!("agent-{number}");
        self.enqueue(stay.parked, number);
        self.wait(stay.parked, &stay.missed);
        self.tell(What::Connect);
        self.pass(SegmentKind::Invitation, stay.ringing);
        self.history.accepted_at = self.history.accepted_at.or(Some(self.now));
        self.history.agent = Some(agent.clone());
        self.tell(What::Connected);
        self.history.events.push(of_agent(AgentState::Connected, self.now, &agent));
        let start = self.now;
        self.queue = None;
        self.now += 1;
        for turn in &stay.turns {
            self.turn(turn);
        }
        self.history.outline.push((SegmentKind::Agent, start, Some(self.now)));
        self.history.with_agents += self.now - start;
        self.wrap_ups.push((agent, self.now, self.now + stay.wrap_up));
    }

    fn turn(&mut self, turn: &Turn) {
        let began = self.now;
        match *turn {
            Turn::Talk(time) => self.now += time,
            Turn::Hold(time) => {
                self.tell(What::OnHold);
                self.now += time;
                self.tell(What::HoldDone);
                self.history.holds.push(time);
            }
            Turn::Consult(time, accepts) => {
                self.tell(What::OnHold);
                self.tell(What::Consulting);
                self.now += 1;
                if accepts {
                    self.tell(What::Connect);
                    self.now += 1;
                    self.tell(What::Connected);
                }
                self.now = began + time;
                self.tell(What::ConsultDone);
                self.tell(What::HoldDone);
                self.history.holds.push(time);
                self.history.consults += 1;
            }
            Turn::Conference(time) => {
                self.tell(What::OnHold);
                self.tell(What::Consulting);
                self.now += 1;
                self.tell(What::Conferencing);
                self.tell(What::HoldDone);
                self.history.holds.push(1);
                self.now = began + time;
                self.tell(What::ConferenceDone);
                self.history.consults += 1;
            }
        }
        self.now += 1;
    }

    fn end(mut self) -> History {
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
