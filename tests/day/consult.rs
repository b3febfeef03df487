//! What an agent asks somebody else while the caller is on hold. What happens to the consulted party is told in the same
//! task.

use rand::RngExt as _;
use serde_json::{Value, json};

use super::tale::{JITTER, Tale};

/// Who is consulted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Another agent.
    Agent,
    /// Whoever is free in a queue.
    Queue,
    /// A number outside.
    Number,
}

/// What happens to the consulted party while the caller is on hold.
pub const PARTYS: [&str; 4] = ["task:new", "task:parked", "task:connect", "task:connected"];
/// Within how many milliseconds a caller is handed over.
const HAND_OVER: i64 = 12;

impl Tale<'_> {
    /// A hold with a consult within, after which the agent has the caller again.
    pub(super) fn consult(&mut self, party: Party) {
        let began = self.now;
        self.ask(party);
        self.near("task:consult-done", &json!({}));
        // Of a party of whom nothing is told, the end is not told either.
        if self.has_party(began) && self.dice.random_bool(0.6) {
            self.near("task:ended", &party_left());
            self.told.pauses.push((began, self.now + JITTER + 1));
        }
        self.pass(300, 8_000);
        self.event("task:hold-done", &json!({}));
        self.told.truth.holds.push(self.now - began);
    }

    /// A consult during which the caller hangs up.
    pub(super) fn consult_until_end(&mut self) {
        let began = self.now;
        self.ask(Party::Agent);
        self.near("task:consult-done", &json!({}));
        if self.has_party(began) && self.dice.random_bool(0.6) {
            self.near("task:ended", &party_left());
            self.told.truth.ends_twice = true;
        }
    }

    /// The caller goes to the agent who was consulted, and is on hold until then.
    pub(super) fn consult_transfer(&mut self, agent: &str, next: &str) {
        let began = self.now;
        self.event("task:on-hold", &json!({}));
        self.pass(300, 900);
        self.event("task:consulting", &json!({}));
        if self.dice.random_bool(0.7) {
            self.pass(100, 500);
            self.event("task:connect", &json!({}));
        }
        self.pass(2_000, 12_000);
        if self.dice.random_bool(0.7) {
            self.event("task:connected", &json!({}));
        }
        self.pass(3_000, 40_000);
        self.activity("ConsultTransfer");
        self.pass(300, 900);
        self.activity("Transferred");
        self.pass(0, HAND_OVER);
        self.told.truth.slack += HAND_OVER;
        self.told.truth.holds.push(self.now - began);
        if self.dice.random_bool(0.3) {
            self.near("task:consult-done", &json!({}));
        }
        self.release(agent);
        self.accept(next);
    }

    /// A consult whose party joins the caller.
    pub(super) fn conference(&mut self) {
        let began = self.now;
        self.event("task:on-hold", &json!({}));
        self.pass(300, 900);
        self.event("task:consulting", &json!({}));
        if self.dice.random_bool(0.5) {
            self.pass(100, 500);
            self.event("task:connect", &json!({}));
            self.pass(1_000, 8_000);
            self.event("task:connected", &json!({}));
        }
        self.pass(3_000, 20_000);
        self.near("task:conferencing", &json!({}));
        self.event("task:hold-done", &json!({}));
        self.told.truth.holds.push(self.now - began);
        self.pass(3_000, 60_000);
        self.event("task:conference-done", &json!({}));
    }

    /// Whether something of the consulted party has been told since.
    fn has_party(&self, since: i64) -> bool {
        let of_party = |kind: &str| PARTYS.contains(&kind);
        self.told.events.iter().any(|(at, event)| *at >= since && of_party(&event.kind))
    }

    fn ask(&mut self, party: Party) {
        self.activity("consult");
        self.event("task:on-hold", &json!({}));
        self.pass(300, 900);
        match party {
            Party::Agent => self.ask_agent(),
            Party::Queue => self.ask_queue(),
            Party::Number => {
                self.event("task:consulting", &json!({}));
                self.pass(2_000, 12_000);
                if self.dice.random_bool(0.5) {
                    self.event("task:connected", &json!({}));
                    self.pass(2_000, 30_000);
                }
            }
        }
    }

    /// The consult is told once it is asked for, or once the two speak.
    fn ask_agent(&mut self) {
        let answers = self.dice.random_bool(0.85);
        let is_early = !answers || self.dice.random_bool(0.5);
        if is_early {
            self.event("task:consulting", &json!({}));
        }
        let rings = self.dice.random_bool(0.7);
        if rings {
            self.pass(100, 500);
            self.event("task:connect", &json!({}));
        }
        self.pass(2_000, 12_000);
        if !answers {
            return;
        }
        if rings {
            self.event("task:connected", &json!({}));
        }
        if !is_early {
            self.near("task:consulting", &json!({}));
        }
        self.pass(3_000, 40_000);
    }

    /// The consult has a way of its own: into a queue, perhaps to an agent.
    fn ask_queue(&mut self) {
        self.event("task:consulting", &json!({}));
        let queue = self.some_queue();
        self.queue = Some(queue);
        self.pass(1, 30);
        if self.dice.random_bool(0.6) {
            self.event("task:new", &json!({}));
            self.activity("flow-activity");
        }
        self.pass(200, 2_000);
        if self.dice.random_bool(0.6) {
            self.event("task:parked", &json!({}));
            self.pass(1_000, 20_000);
        }
        for answers in [false, true] {
            if self.dice.random_bool(0.8) {
                self.event("task:connect", &json!({}));
                self.pass(2_000, 12_000);
                if answers {
                    self.event("task:connected", &json!({}));
                    self.pass(3_000, 40_000);
                }
            }
        }
        self.queue = None;
    }
}

/// The words are those of any end.
fn party_left() -> Value {
    json!({ "terminatingParty": "Agent", "reason": "Agent Left" })
}
