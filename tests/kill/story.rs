//! One call, from the first ring to the hang-up, as a flow tells it.

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::MockOrg;
use serde_json::{Value, json};

use super::flow::{Flow, Reply};
use super::site::{CENTER, DEFERRING};

/// What will happen to a call.
pub struct Story {
    /// vendorCallKey.
    pub key: String,
    /// Whether an agent takes it.
    pub agent: bool,
    center: &'static str,
    starts: Timestamp,
    routed: bool,
    /// The agent accepts in Salesforce, too.
    accepts: bool,
    /// The hang-up names the agent even if AgentAnswered was heard.
    named: bool,
    /// The caller hangs up while the create is still in flight.
    early: bool,
    /// The caller hangs up while the call is being routed.
    impatient: bool,
    /// clearRouting and updateVoiceCall instead of phoneContactEnded.
    vendors: bool,
    /// The hang-up comes twice.
    twice: bool,
    dice: StdRng,
}

/// What the flow was told of it.
#[derive(Debug, Default)]
pub struct Told {
    /// vendorCallKey.
    pub key: String,
    /// Whether an agent took it.
    pub agent: bool,
    /// The VoiceCall's id.
    pub voice_call_id: Option<String>,
    /// When the first hang-up was answered 200.
    pub ended: Option<Timestamp>,
    /// The outcome of each hang-up that was answered 200.
    pub outcomes: Vec<Outcome>,
    /// Answers that it should not have got.
    pub strange: Vec<String>,
}

/// What was made of a hang-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Abandoned,
    Answered,
    Duplicate,
    /// updateVoiceCall does not say.
    Taken,
}

impl Story {
    /// The call of this number: the same seed tells the same story.
    pub fn of(seed: u64, number: u64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed.wrapping_add(number));
        let agent = dice.random_bool(0.25);
        let begin: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        Self {
            key: format!("wxcc_{seed:016x}-{number}"),
            agent,
            center: if dice.random_bool(0.3) { DEFERRING } else { CENTER },
            starts: begin + SignedDuration::from_millis(number.try_into().unwrap()),
            routed: dice.random_bool(0.85),
            accepts: dice.random_bool(0.5),
            named: dice.random_bool(0.3),
            early: !agent && dice.random_bool(0.1),
            impatient: !agent && dice.random_bool(0.1),
            vendors: dice.random_bool(0.2),
            twice: dice.random_bool(0.2),
            dice,
        }
    }

    /// Plays it.
    pub async fn play(mut self, flow: &Flow, org: &MockOrg) -> Told {
        let mut told = Told { key: self.key.clone(), agent: self.agent, ..Told::default() };
        let mut other = StdRng::from_rng(&mut self.dice);
        if self.early {
            let (create, hang_up) = (self.create(), self.phone_contact_ended(None, 0));
            let (created, ended) = tokio::join!(
                flow.post(&mut self.dice, "createVoiceCall", &create),
                flow.post(&mut other, "phoneContactEnded", &hang_up)
            );
            told.created(created);
            told.ended(ended);
        } else {
            let create = self.create();
            told.created(flow.post(&mut self.dice, "createVoiceCall", &create).await);
            let heard = self.talk(flow, org, &mut told).await;
            if told.outcomes.is_empty() {
                self.hang_up(flow, &mut told, heard).await;
            }
        }
        if self.twice {
            let heard = told.outcomes.contains(&Outcome::Answered);
            let again = self.phone_contact_ended(self.agent_id(heard), 1);
            told.ended(flow.post(&mut self.dice, "phoneContactEnded", &again).await);
        }
        told
    }

    /// Everything between ring and hang-up; whether the bridge has heard of an agent.
    async fn talk(&mut self, flow: &Flow, org: &MockOrg, told: &mut Told) -> bool {
        if let (true, Some(id)) = (self.routed, &told.voice_call_id) {
            let body = json!({ "callCenterDevName": self.center, "voiceCallId": id, "dialedNumber": "+18005550100" });
            if self.impatient {
                let hang_up = self.phone_contact_ended(None, 0);
                let mut other = StdRng::from_rng(&mut self.dice);
                let (routed, ended) = tokio::join!(
                    flow.post(&mut self.dice, "executeOmniFlow", &body),
                    flow.post(&mut other, "phoneContactEnded", &hang_up)
                );
                told.routed(routed);
                told.ended(ended);
                return false;
            }
            told.routed(flow.post(&mut self.dice, "executeOmniFlow", &body).await);
        }
        if !self.agent {
            return false;
        }
        if self.accepts {
            org.agent_accepts(&self.key, "agent@example.com");
        }
        let body = json!({ "callCenterDevName": self.center, "vendorCallKey": self.key, "agentId": "7d6a" });
        told.accepted(flow.post(&mut self.dice, "agentAnswered", &body).await).is_some()
    }

    /// The vendor's flow needs an id, and for an answered call a bridge that has heard of the agent.
    async fn hang_up(&mut self, flow: &Flow, told: &mut Told, heard: bool) {
        let id = told.voice_call_id.clone().filter(|_| self.vendors && (heard || !self.agent));
        let Some(id) = id else {
            let body = self.phone_contact_ended(self.agent_id(heard), 0);
            told.ended(flow.post(&mut self.dice, "phoneContactEnded", &body).await);
            return;
        };
        let clear = json!({ "callCenterDevName": self.center, "voiceCallId": id });
        let _ = told.accepted(flow.post(&mut self.dice, "clearRouting", &clear).await);
        let update = json!({
            "callCenterDevName": self.center,
            "voiceCallId": id,
            "startTime": self.starts.to_string(),
            "endTime": self.ends(0),
            "disconnectReason": { "value": "Abandoned in queue", "isError": true },
        });
        let taken = told.accepted(flow.post(&mut self.dice, "updateVoiceCall", &update).await);
        if taken.is_some() {
            told.took(Outcome::Taken);
        }
    }

    fn agent_id(&self, heard: bool) -> Option<&'static str> {
        (self.agent && (self.named || !heard)).then_some("7d6a")
    }

    fn create(&self) -> Value {
        json!({
            "callCenterDevName": self.center,
            "vendorCallKey": self.key,
            "to": "+18005550100",
            "from": "+14693150217",
            "initiationMethod": "Inbound",
            "startTime": self.starts.to_string(),
            "participants": [{ "participantKey": "+14693150217", "type": "END_USER" }],
        })
    }

    fn phone_contact_ended(&self, agent_id: Option<&str>, time: i64) -> Value {
        json!({
            "callCenterDevName": self.center,
            "vendorCallKey": self.key,
            "startTime": self.starts.to_string(),
            "endTime": self.ends(time),
            "agentId": agent_id.unwrap_or_default(),
            "from": "+14693150217",
            "to": "+18005550100",
        })
    }

    /// A second hang-up names another second: only one of them may reach the org.
    fn ends(&self, time: i64) -> String {
        (self.starts + SignedDuration::from_secs(30 + time)).to_string()
    }
}

impl Told {
    fn accepted(&mut self, reply: Reply) -> Option<Value> {
        match reply {
            Reply::Accepted(data) => Some(data),
            Reply::NotAccepted => None,
            Reply::Strange(words) => {
                self.strange.push(words);
                None
            }
        }
    }

    fn created(&mut self, reply: Reply) {
        let data = self.accepted(reply);
        self.voice_call_id = data.and_then(|data| Some(data["voiceCallId"].as_str()?.to_owned()));
    }

    /// The org does not know a call whose create waits in the outbox.
    fn routed(&mut self, reply: Reply) {
        let is_waiting = self.voice_call_id.as_ref() == Some(&self.key);
        match reply {
            Reply::Strange(words) if is_waiting && words.contains("no VoiceCall with this id") => {}
            other => _ = self.accepted(other),
        }
    }

    fn took(&mut self, outcome: Outcome) {
        self.ended.get_or_insert_with(|| SystemClock.now());
        self.outcomes.push(outcome);
    }

    fn ended(&mut self, reply: Reply) {
        let Some(data) = self.accepted(reply) else { return };
        match data["outcome"].as_str() {
            Some("abandoned") => self.took(Outcome::Abandoned),
            Some("answered") => self.took(Outcome::Answered),
            Some("duplicate") => self.took(Outcome::Duplicate),
            other => self.strange.push(format!("outcome {other:?}")),
        }
    }
}
