//! What happens to a call, one thing after the other.

use rand::RngExt as _;
use rand::rngs::StdRng;
use scv_bridge::mock::webex::Event;
use serde_json::{Value, json};

use super::call::Truth;
use super::site::{AGENTS, QUEUES};

/// What shows that an address is signed, and dies.
pub const SIGNED: &str = "X-Amz-Signature";

/// Who tells it.
pub struct Tale<'a> {
    task: &'a str,
    dice: StdRng,
    now: i64,
    /// The queue that what is told belongs to.
    queue: Option<String>,
    events: Vec<(i64, Event)>,
    truth: Truth,
}

impl<'a> Tale<'a> {
    /// A call that begins then: hung up in the menu, in a queue, or at an agent, perhaps the second or third.
    pub fn tell(task: &'a str, start: i64, dice: StdRng) -> (Vec<(i64, Event)>, Truth) {
        let truth = Truth { start, ..Truth::default() };
        let mut tale = Tale { task, dice, now: start, queue: None, events: Vec::new(), truth };
        tale.event("task:new", json!({}));
        tale.pass(3_000, 40_000);
        match tale.dice.random_range(0..100) {
            0..8 => {}
            8..23 => {
                tale.enqueue(0, 0.8);
                tale.ring(0.7);
            }
            _ => tale.agents(),
        }
        tale.end()
    }

    fn event(&mut self, kind: &str, more: Value) {
        self.event_at(self.now, kind, more);
    }

    fn event_at(&mut self, at: i64, kind: &str, more: Value) {
        let mut data = json!({
            "taskId": self.task, "createdTime": at, "channelType": "telephony", "direction": "INBOUND",
            "origin": "+14693150217", "destination": "+18005550100",
        });
        if let Some(queue) = &self.queue {
            data["queueId"] = queue.as_str().into();
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        let id = format!("{}-{}", self.task, self.events.len());
        self.events.push((at, Event::new(id, kind, data)));
    }

    fn pass(&mut self, least: i64, most: i64) -> i64 {
        let time = self.dice.random_range(least..most);
        self.now += time;
        time
    }

    /// Into a queue; one agent may also give it to another without.
    fn enqueue(&mut self, number: usize, parked: f64) {
        self.truth.enqueued = self.truth.enqueued.or(Some(self.now));
        let parked = self.dice.random_bool(parked);
        self.queue = (parked || number == 0).then(|| format!("queue-{}", self.dice.random_range(0..QUEUES)));
        self.truth.queue = self.queue.clone().or(self.truth.queue.take());
        if parked {
            self.event("task:parked", json!({}));
            self.pass(1_000, 90_000);
        }
    }

    /// Perhaps it rings at an agent who does not accept. A call that was not parked was offered at once.
    fn ring(&mut self, chance: f64) {
        let is_offered = self.events.last().is_some_and(|(_, event)| event.kind == "task:parked");
        if !is_offered || self.dice.random_bool(chance) {
            self.event("task:connect", json!({}));
            self.pass(2_000, 20_000);
        }
    }

    fn agents(&mut self) {
        let agents = match self.dice.random_range(0..100) {
            0..85 => 1,
            85..97 => 2,
            _ => 3,
        };
        let first = self.dice.random_range(0..AGENTS - 2);
        for number in 0..agents {
            self.enqueue(number, if number == 0 { 0.8 } else { 0.5 });
            self.ring(0.15);
            self.stay(&format!("agent-{}", first + number));
        }
    }

    fn stay(&mut self, agent: &str) {
        self.event("task:connect", json!({}));
        self.pass(1_000, 15_000);
        let accepted = self.now;
        self.truth.accepted = self.truth.accepted.or(Some(accepted));
        self.truth.agent = Some(agent.to_owned());
        self.event("task:connected", json!({}));
        self.state(self.now, agent, "connected");
        self.queue = None;
        self.pass(2_000, 60_000);
        for _ in 0..self.dice.random_range(0..3) {
            self.turn();
            self.pass(1_000, 60_000);
        }
        self.truth.with_agents += self.now - accepted;
        self.state(self.now, agent, "wrapup");
        let done = self.now + self.dice.random_range(2_000..60_000);
        self.state(done, agent, "available");
    }

    fn state(&mut self, at: i64, agent: &str, state: &str) {
        self.event_at(at, "agent:state_change", json!({ "agentId": agent, "currentState": state }));
    }

    /// A hold; some with a consult within, some of which become a conference.
    fn turn(&mut self) {
        self.event("task:on-hold", json!({}));
        let kind = self.dice.random_range(0..10);
        let held = match kind {
            0..8 => self.pass(3_000, 60_000),
            8 => {
                let before = self.pass(500, 3_000);
                self.event("task:consulting", json!({}));
                let consulted = self.pass(3_000, 40_000);
                self.event("task:consult-done", json!({}));
                before + consulted + self.pass(500, 3_000)
            }
            _ => {
                self.event("task:consulting", json!({}));
                let consulted = self.pass(3_000, 20_000);
                self.event("task:conferencing", json!({}));
                consulted
            }
        };
        self.event("task:hold-done", json!({}));
        self.truth.holds.push(held);
        if kind == 9 {
            self.pass(3_000, 60_000);
            self.event("task:conference-done", json!({}));
        }
    }

    fn end(mut self) -> (Vec<(i64, Event)>, Truth) {
        self.queue = None;
        self.truth.end = self.now;
        self.event("task:ended", json!({ "terminatingParty": "Customer", "reason": "Customer Left" }));
        if let Some(start) = self.truth.accepted.filter(|_| self.dice.random_bool(0.1)) {
            self.truth.recorded = Some((start, self.now));
            let at = self.now + self.dice.random_range(5_000..30_000);
            let path = format!("https://recordings.example.com/{}.wav?{SIGNED}=0123", self.task);
            self.event_at(at, "capture:available", json!({ "filePath": path }));
        }
        self.events.sort_by_key(|(at, _)| *at);
        (self.events, self.truth)
    }
}
