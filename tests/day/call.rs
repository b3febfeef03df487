//! A call, and the truth about it: told by who made it up.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use scv_bridge::mock::webex::Event;
use serde_json::{Value, json};

use super::site::CENTERS;
use super::tale::Tale;

/// From one call to the next, in milliseconds: 50,000 are a day.
const PACE: i64 = 1_700;

/// What the flow of a call tells of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// The vendor's: clearRouting and an update "Abandoned in queue" for every call, answered or not.
    Vendors,
    /// phoneContactEnded.
    Ours,
    /// Nothing: its event flow never runs.
    Silent,
    /// There is none: not even a create.
    None,
}

/// A call. Times are epoch milliseconds, durations milliseconds.
pub struct Call {
    /// The interaction id.
    pub task: String,
    /// vendorCallKey.
    pub key: String,
    /// Its contact center.
    pub center: &'static str,
    /// How its flow behaves.
    pub flow: Flow,
    /// What happens, in order, as webhooks tell it.
    pub events: Vec<(i64, Event)>,
    /// What is true.
    pub truth: Truth,
}

/// What a final record must say, and who gave up where.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pub start: i64,
    pub end: i64,
    pub enqueued: Option<i64>,
    pub accepted: Option<i64>,
    pub holds: Vec<i64>,
    /// Agents' time, holds included.
    pub with_agents: i64,
    pub queue: Option<String>,
    pub agent: Option<String>,
    /// When a recording began and ended.
    pub recorded: Option<(i64, i64)>,
}

impl Call {
    /// The call of this number: the same seed tells the same call. `begin`: of the day.
    pub fn of(seed: u64, number: usize, begin: i64) -> Self {
        let mut dice = StdRng::seed_from_u64(seed.wrapping_add(number as u64));
        let task = format!("{:08x}-5c1d-4b8e-9a55-{:012x}", seed as u32, number);
        let start = begin + PACE * i64::try_from(number).unwrap() + dice.random_range(0..PACE);
        let flow = match dice.random_range(0..100) {
            0..45 => Flow::Vendors,
            45..70 => Flow::Ours,
            70..98 => Flow::Silent,
            _ => Flow::None,
        };
        let (events, truth) = Tale::tell(&task, start, dice);
        let center = CENTERS[number % CENTERS.len()];
        Self { key: format!("wxcc_{task}"), task, center, flow, events, truth }
    }

    /// As Search shows it afterwards. Searches of the real tenant give the newest activity first.
    pub fn record(&self) -> Value {
        let truth = &self.truth;
        let count = |kind: &str| self.events.iter().filter(|(_, event)| event.kind == kind).count();
        let nodes: Vec<Value> = self
            .events
            .iter()
            .rev()
            .filter_map(|(at, event)| {
                let name = event.kind.strip_prefix("task:")?;
                Some(json!({ "eventName": name, "createdTime": at }))
            })
            .collect();
        let held: i64 = truth.holds.iter().sum();
        json!({
            "id": self.task, "channelType": "telephony", "isActive": false, "status": "ended", "direction": "inbound",
            "createdTime": truth.start, "endedTime": truth.end,
            "origin": "+14693150217", "destination": "+18005550100",
            "connectedCount": count("task:connected"), "connectedDuration": truth.with_agents - held,
            "holdCount": truth.holds.len(), "holdDuration": held,
            "queueCount": u8::from(truth.enqueued.is_some()), "captureRequested": truth.recorded.is_some(),
            "lastQueue": { "id": truth.queue }, "lastAgent": { "id": truth.agent },
            "activities": { "totalCount": nodes.len(), "nodes": nodes },
        })
    }
}
