//! How Search shows a call afterwards.

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::call::Call;
use super::weights::Kind;

/// What may be odd about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oddity {
    /// There is no history.
    NoHistory,
    /// The list of what happened is null.
    NullNodes,
    /// Something that happened is null.
    NullNode,
    /// Durations are texts.
    Texts,
    /// Durations have a fraction.
    Fractions,
    /// Neither a reason nor a way of ending is given.
    NoReason,
}

impl Oddity {
    /// One of them.
    pub fn any(dice: &mut StdRng) -> Self {
        use Oddity::{Fractions, NoHistory, NoReason, NullNode, NullNodes, Texts};
        let all = [NoHistory, NullNodes, NullNode, Texts, Fractions, NoReason];
        all[dice.random_range(0..all.len())]
    }

    /// Whether what happened cannot be read.
    pub fn hides_history(self) -> bool {
        matches!(self, Self::NoHistory | Self::NullNodes | Self::NullNode)
    }
}

impl Call {
    /// The record. Searches of the real tenant give the newest activity first.
    pub fn record(&self) -> Value {
        let truth = &self.truth;
        let times: Vec<(i64, &str)> =
            (0..).zip(&self.activities).map(|(place, (at, name))| (self.clock(place, *at), *name)).collect();
        let (created, ended) = (self.clock(0, truth.start), self.clock(times.len(), truth.end));
        let mut newest_first = times;
        newest_first.reverse();
        newest_first.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
        let nodes: Vec<Value> =
            newest_first.iter().map(|(at, name)| json!({ "eventName": name, "createdTime": at })).collect();
        let held: i64 = truth.holds.iter().sum();
        let is_answered = truth.accepted.is_some();
        let handled = match (is_answered, truth.queued) {
            (true, _) | (false, 0) => "normal",
            (false, _) => "abandoned",
        };
        let channel = self.events[0].1.data["channelType"].clone();
        let (end, reason) = self.last_words();
        let mut record = json!({
            "id": self.task, "channelType": channel, "isActive": false, "status": "ended",
            "direction": if self.kind == Kind::Outdial { "outbound" } else { "inbound" },
            "createdTime": created, "endedTime": ended,
            "origin": "+14693150217", "destination": "+18005550100",
            "contactHandleType": handled, "terminationType": "normal", "terminationReason": reason,
            "terminatingEnd": end, "isCallback": truth.is_callback,
            "connectedCount": truth.connected, "connectedDuration": truth.with_agents - held,
            "holdCount": truth.holds.len(), "holdDuration": held,
            "queueCount": truth.queued, "queueDuration": truth.queued_for, "ringingDuration": truth.rang_for,
            "totalDuration": truth.end - truth.start, "captureRequested": truth.recorded.is_some(),
            "lastQueue": { "id": truth.queue }, "lastAgent": { "id": truth.agent },
            "activities": { "totalCount": nodes.len(), "nodes": nodes },
        });
        if let Some(oddity) = self.oddity {
            oddity.spoil(&mut record);
        }
        record
    }

    /// A time by the clock of Search, which may differ from that of webhooks, each time by another millisecond or some.
    fn clock(&self, place: usize, at: i64) -> i64 {
        let jitter = self.truth.jitter;
        let number = i64::try_from(place).unwrap() * 7 + at;
        at - jitter + number.rem_euclid(2 * jitter + 1)
    }

    /// Who ended it, and why.
    pub fn last_words(&self) -> (Value, Value) {
        let ended =
            self.events.iter().rfind(|(at, event)| event.kind == "task:ended" && *at == self.truth.end);
        let data = &ended.unwrap().1.data;
        (data["terminatingParty"].clone(), data["reason"].clone())
    }
}

impl Oddity {
    fn spoil(self, record: &mut Value) {
        const DURATIONS: [&str; 3] = ["queueDuration", "ringingDuration", "totalDuration"];
        match self {
            Self::NoHistory => record["activities"] = Value::Null,
            Self::NullNodes => record["activities"]["nodes"] = Value::Null,
            Self::NullNode => record["activities"]["nodes"][0] = Value::Null,
            Self::Texts => DURATIONS.iter().for_each(|name| record[name] = record[name].to_string().into()),
            Self::Fractions => {
                for name in DURATIONS {
                    record[name] = (record[name].as_i64().unwrap() as f64 + 0.25).into();
                }
            }
            Self::NoReason => {
                record["terminationReason"] = Value::Null;
                record["terminatingEnd"] = Value::Null;
            }
        }
    }
}
