//! What happens to a call, one thing after the other: as webhooks tell it, as Search shows it, and what is true of it.

use rand::RngExt as _;
use rand::rngs::StdRng;
use scv_bridge::mock::webex::Event;
use serde_json::{Value, json};

use super::call::Truth;
use super::consult::Party;
use super::site::{AGENTS, QUEUES};
use super::weights::{KINDS, Kind, LEAVINGS, Leaving, TURNS, Turn, happens, one_of, signs};

/// What shows that an address is signed, and dies.
pub const SIGNED: &str = "X-Amz-Signature";
/// By how many milliseconds events may differ that tell of the same moment.
pub const JITTER: i64 = 8;
/// The most agents that a call has.
const MOST_AGENTS: usize = 3;

/// What was made up.
pub struct Told {
    pub kind: Kind,
    /// As webhooks tell it, in order.
    pub events: Vec<(i64, Event)>,
    /// As Search shows it, in order.
    pub activities: Vec<(i64, &'static str)>,
    pub truth: Truth,
    /// When the flow hears that the caller is gone.
    pub hung_up: i64,
    /// When it may look as if all was over though it is not: what leads to it has begun then, and the next thing happens
    /// then, or later.
    pub pauses: Vec<(i64, i64)>,
}

/// Who tells it.
pub struct Tale<'a> {
    pub(super) task: &'a str,
    pub(super) dice: StdRng,
    pub(super) now: i64,
    /// The queue that what is told belongs to.
    pub(super) queue: Option<String>,
    /// `channelType`, `direction` and `outboundType`.
    pub(super) way: [Option<&'static str>; 3],
    jitter: i64,
    /// Since when the present agent has the call.
    since: i64,
    pub(super) told: Told,
}

impl<'a> Tale<'a> {
    /// A call that begins then.
    pub fn tell(task: &'a str, start: i64, mut dice: StdRng) -> Told {
        let kind = one_of(&mut dice, &KINDS);
        let jitter = if happens(&mut dice, signs::JITTER) { JITTER } else { 0 };
        let truth = Truth { start, jitter, slack: 3 * jitter, ..Truth::default() };
        let (events, activities, pauses) = (Vec::new(), Vec::new(), Vec::new());
        let told = Told { kind, events, activities, truth, hung_up: start, pauses };
        let way = [Some("telephony"), Some("INBOUND"), None];
        let mut tale = Tale { task, dice, now: start, queue: None, way, jitter, since: start, told };
        match kind {
            Kind::Outdial => tale.way = [Some("telephony"), Some("OUTBOUND"), Some("OUTDIAL")],
            Kind::Chat => tale.way[0] = Some(if tale.dice.random_bool(0.7) { "chat" } else { "email" }),
            _ => {}
        }
        tale.event("task:new", &json!({}));
        tale.activity("flow-activity");
        match kind {
            Kind::LeftInMenu => {
                tale.pass(3_000, 40_000);
            }
            Kind::LeftInQueue => {
                tale.pass(3_000, 40_000);
                tale.enqueue(true, 0.8);
                tale.ring(0.7);
            }
            Kind::Answered | Kind::Chat => {
                tale.pass(3_000, 40_000);
                tale.agents();
            }
            Kind::HungUpAtOnce => {
                tale.pass(3_000, 40_000);
                return tale.hung_up_at_once();
            }
            Kind::Callback => {
                tale.pass(3_000, 40_000);
                return tale.callback();
            }
            Kind::Outdial => tale.outdial(),
        }
        tale.end("Customer", "Customer Left")
    }

    pub(super) fn event(&mut self, kind: &str, more: &Value) {
        self.event_at(self.now, kind, more);
    }

    /// An event that tells of this moment, by a clock of its own.
    pub(super) fn near(&mut self, kind: &str, more: &Value) -> i64 {
        let at = self.about_now();
        self.event_at(at, kind, more);
        at
    }

    pub(super) fn about_now(&mut self) -> i64 {
        self.now + self.dice.random_range(-self.jitter..=self.jitter)
    }

    pub(super) fn event_at(&mut self, at: i64, kind: &str, more: &Value) {
        let [channel, direction, outbound_type] = self.way;
        let mut data = json!({
            "taskId": self.task, "createdTime": at, "channelType": channel, "direction": direction,
            "outboundType": outbound_type, "origin": "+14693150217", "destination": "+18005550100",
        });
        if let Some(queue) = &self.queue {
            data["queueId"] = queue.as_str().into();
        }
        for (name, value) in more.as_object().into_iter().flatten() {
            data[name] = value.clone();
        }
        let id = format!("{}-{}", self.task, self.told.events.len());
        self.told.events.push((at, Event::new(id, kind, data)));
        if let Some(name) = activity_of(kind) {
            self.told.activities.push((at, name));
        }
    }

    /// What Search alone shows.
    pub(super) fn activity(&mut self, name: &'static str) {
        self.told.activities.push((self.now, name));
    }

    pub(super) fn pass(&mut self, least: i64, most: i64) -> i64 {
        let time = self.dice.random_range(least..most);
        self.now += time;
        time
    }

    pub(super) fn some_queue(&mut self) -> String {
        format!("queue-{}", self.dice.random_range(0..QUEUES))
    }

    /// Into a queue; one agent may also give it to another without.
    pub(super) fn enqueue(&mut self, is_first: bool, parked: f64) {
        let truth = &mut self.told.truth;
        truth.enqueued = truth.enqueued.or(Some(self.now));
        let parked = self.dice.random_bool(parked);
        self.queue = (parked || is_first).then(|| self.some_queue());
        let truth = &mut self.told.truth;
        truth.queue = self.queue.clone().or(truth.queue.take());
        truth.queued += u32::from(self.queue.is_some());
        if parked {
            self.event("task:parked", &json!({}));
            self.told.truth.queued_for += self.pass(1_000, 90_000);
        }
    }

    /// Perhaps it rings at an agent who does not accept, and waits again. A call that was not parked was offered at once.
    fn ring(&mut self, chance: f64) {
        let is_offered = self.told.events.last().is_some_and(|(_, event)| event.kind == "task:parked");
        if is_offered && !self.dice.random_bool(chance) {
            return;
        }
        self.event("task:connect", &json!({}));
        self.told.truth.rang_for += self.pass(2_000, 20_000);
        if self.dice.random_bool(0.4) {
            let agent = self.some_agent();
            self.state(&agent, "RONA");
        }
        if self.dice.random_bool(0.4) {
            self.near("task:parked", &json!({}));
            self.told.truth.queued_for += self.pass(1_000, 60_000);
        }
    }

    pub(super) fn some_agent(&mut self) -> String {
        format!("agent-{}", self.dice.random_range(0..AGENTS))
    }

    fn agents(&mut self) {
        let first = self.dice.random_range(0..AGENTS - MOST_AGENTS);
        self.enqueue(true, 0.8);
        self.ring(0.15);
        self.offer();
        for number in 0..MOST_AGENTS {
            let [agent, next] = [0, 1].map(|more| format!("agent-{}", first + number + more));
            if !self.is_with(&agent) {
                self.accept(&agent);
            }
            self.talk();
            let leaving = one_of(&mut self.dice, &LEAVINGS);
            if leaving == Leaving::TransferOnHold {
                self.on_hold();
            }
            match leaving {
                Leaving::OnHold => return self.gone_on_hold(&agent),
                Leaving::Outside => return self.outside(&agent),
                Leaving::Transfer | Leaving::TransferOnHold if self.dice.random_bool(0.1) => {
                    return self.left_in_next_queue(&agent);
                }
                Leaving::Transfer | Leaving::TransferOnHold if number + 1 < MOST_AGENTS => {
                    self.transfer(&agent);
                }
                Leaving::ConsultTransfer if number + 1 < MOST_AGENTS => self.consult_transfer(&agent, &next),
                _ => return self.release(&agent),
            }
        }
    }

    fn is_with(&self, agent: &str) -> bool {
        self.told.truth.agent.as_deref() == Some(agent)
    }

    pub(super) fn offer(&mut self) {
        self.event("task:connect", &json!({}));
        self.told.truth.rang_for += self.pass(1_000, 15_000);
    }

    /// The agent has the caller from now on.
    pub(super) fn accept(&mut self, agent: &str) {
        self.event("task:connected", &json!({}));
        self.activity("recording-started");
        self.state(agent, "connected");
        self.takes(agent);
        self.queue = None;
    }

    /// Whatever tells of it.
    pub(super) fn takes(&mut self, agent: &str) {
        self.since = self.now;
        let truth = &mut self.told.truth;
        truth.accepted = truth.accepted.or(Some(self.now));
        truth.agent = Some(agent.to_owned());
        truth.connected += 1;
    }

    /// The agent's time with the caller is over.
    pub(super) fn leaves(&mut self) {
        self.told.truth.with_agents += self.now - self.since;
    }

    /// Some time, with what agents do in it.
    pub(super) fn talk(&mut self) {
        self.pass(2_000, 60_000);
        for _ in 0..self.dice.random_range(0..3) {
            match one_of(&mut self.dice, &TURNS) {
                Turn::Hold => self.hold(),
                Turn::ConsultAgent => self.consult(Party::Agent),
                Turn::ConsultQueue => self.consult(Party::Queue),
                Turn::ConsultNumber => self.consult(Party::Number),
                Turn::Conference => self.conference(),
            }
            self.pass(1_000, 60_000);
        }
    }

    fn hold(&mut self) {
        self.event("task:on-hold", &json!({}));
        let held = self.pass(3_000, 60_000);
        self.event("task:hold-done", &json!({}));
        self.told.truth.holds.push(held);
    }

    /// The caller is on hold, perhaps beside a consult, and hangs up.
    fn gone_on_hold(&mut self, agent: &str) {
        let began = self.now;
        match self.dice.random_range(0..10) {
            0..4 => self.consult_until_end(),
            number => {
                self.event("task:on-hold", &json!({}));
                self.pass(3_000, 60_000);
                if number > 7 {
                    self.near("task:hold-done", &json!({}));
                }
            }
        }
        self.told.truth.holds.push(self.now - began);
        self.release(agent);
    }

    /// The agent is done, and writes it up.
    pub(super) fn release(&mut self, agent: &str) {
        self.leaves();
        self.state(agent, "wrapup");
        let done = self.now + self.dice.random_range(2_000..60_000);
        self.state_at(done, agent, "available");
    }

    /// To another agent, with or without a queue in between.
    fn transfer(&mut self, agent: &str) {
        if self.dice.random_bool(0.3) {
            self.activity("blind-transfer");
            self.activity("Transferred");
            self.release(agent);
            // Nobody tells that it rings.
            self.told.truth.rang_for += self.pass(2_100, 10_000);
            return;
        }
        self.release(agent);
        self.enqueue(false, 0.5);
        self.ring(0.15);
        self.offer();
    }

    /// A hold that ends with what comes next.
    fn on_hold(&mut self) {
        self.event("task:on-hold", &json!({}));
        let held = self.pass(3_000, 60_000);
        self.told.truth.holds.push(held);
    }

    /// To a queue in which the caller gives up.
    fn left_in_next_queue(&mut self, agent: &str) {
        self.release(agent);
        self.enqueue(false, 1.0);
        self.ring(0.3);
    }

    /// The caller speaks on with somebody outside, of whom nothing is told.
    fn outside(&mut self, agent: &str) {
        if self.dice.random_bool(0.6) {
            self.on_hold();
        }
        self.activity("blind-transfer");
        self.activity("Transferred");
        self.release(agent);
        self.pass(15_000, 120_000);
    }

    fn outdial(&mut self) {
        self.pass(200, 2_000);
        self.told.truth.enqueued = Some(self.now);
        self.offer();
        if self.dice.random_bool(0.8) {
            let agent = self.some_agent();
            self.accept(&agent);
            self.talk();
            self.release(&agent);
        }
    }

    /// The acceptance is told some milliseconds before the end, or after it.
    fn hung_up_at_once(mut self) -> Told {
        self.enqueue(true, 0.8);
        self.offer();
        let (end, agent) = (self.now, self.some_agent());
        self.now += self.dice.random_range(-5..=5);
        self.accept(&agent);
        self.now = end.max(self.now);
        self.leaves();
        self.state(&agent, "wrapup");
        self.now = end;
        self.told.truth.slack += 10;
        self.end("Customer", "Customer Left")
    }

    /// What an agent does, by their own clock.
    pub(super) fn state(&mut self, agent: &str, state: &str) {
        let at = self.about_now();
        self.state_at(at, agent, state);
    }

    fn state_at(&mut self, at: i64, agent: &str, state: &str) {
        self.event_at(at, "agent:state_change", &json!({ "agentId": agent, "currentState": state }));
        if state == "wrapup" {
            self.told.activities.push((at, "WrapUp"));
        }
    }

    pub(super) fn end(mut self, party: &str, reason: &str) -> Told {
        self.queue = None;
        self.told.truth.end = self.now;
        if self.told.hung_up == self.told.truth.start {
            self.told.hung_up = self.now;
        }
        self.event("task:ended", &json!({ "terminatingParty": party, "reason": reason }));
        let accepted = self.told.truth.accepted.filter(|accepted| *accepted + 1_000 < self.now);
        if let Some(start) = accepted.filter(|_| self.dice.random_bool(0.1)) {
            self.told.truth.recorded = Some((start, self.now));
            let at = self.now + self.dice.random_range(5_000..30_000);
            let path = format!("https://recordings.example.com/{}.wav?{SIGNED}=0123", self.task);
            self.event_at(at, "capture:available", &json!({ "filePath": path }));
        }
        self.told.events.sort_by_key(|(at, _)| *at);
        self.told.activities.sort_by_key(|(at, _)| *at);
        self.told
    }
}

/// What Search calls an event of a task.
fn activity_of(kind: &str) -> Option<&'static str> {
    const NAMES: [&str; 12] = [
        "new",
        "parked",
        "connect",
        "connected",
        "on-hold",
        "hold-done",
        "consulting",
        "consult-done",
        "conferencing",
        "conference-done",
        "conference-transferred",
        "ended",
    ];
    let name = kind.strip_prefix("task:")?;
    NAMES.into_iter().find(|known| *known == name)
}
