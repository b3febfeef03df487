//! The notes of a request for its line in the log. Never a body, a secret or a phone number.

use std::time::Duration;

use crate::bridge::Delivered;
use crate::domain::{CallCenterName, CallReference, SalesforceExchange, VendorCallKey, quote};
use crate::telemetry::LogSubject;

/// Collected while a request is served, and logged afterwards.
#[derive(Debug, Default)]
pub struct RequestNotes {
    /// The route's name.
    pub route: &'static str,
    /// The client's id.
    pub client: Option<String>,
    /// The contact center.
    pub call_center: Option<CallCenterName>,
    /// The key of the call.
    pub vendor_call_key: Option<VendorCallKey>,
    /// The id of the VoiceCall.
    pub voice_call_id: Option<String>,
    /// Time spent waiting for Salesforce.
    pub upstream: Option<Duration>,
    /// The outcome in one word.
    pub outcome: &'static str,
    /// Whether a success is one of very many, and is logged at level debug only.
    pub is_frequent: bool,
    /// The messages for the flow.
    pub error: Option<String>,
    /// Why Salesforce has not done it yet, of what was answered with success all the same.
    pub cause: Option<String>,
    /// The deadline of the route, where it has one.
    pub deadline: Option<Duration>,
    /// From where credentials came that were refused.
    pub address: Option<String>,
    /// In which way credentials came that were refused.
    pub failed_login: Option<&'static str>,
}

/// Outcomes of requests that were answered because their time was over.
const LATE: [&str; 4] = ["late", "no_time", "store_late", "in_flight"];

/// Outcomes of requests that were answered with success before Salesforce had done what they ask.
const LATER: [&str; 3] = ["deferred", "fallback", "pending"];

impl RequestNotes {
    /// Whether the flow was let wait: its answer came after the deadline, or says that this has passed. A body that came
    /// slowly is the flow's own matter.
    pub fn is_late(&self, took: Duration) -> bool {
        let is_over = self.deadline.is_some_and(|deadline| took > deadline);
        LATE.contains(&self.outcome) || (is_over && self.outcome != "slow_body")
    }

    /// Sets the contact center.
    pub fn call_center(&mut self, name: &CallCenterName) {
        LogSubject::learn_call_center(name.as_ref());
        self.call_center = Some(name.clone());
    }

    /// Sets the key of the call.
    pub fn vendor_call_key(&mut self, key: &VendorCallKey) {
        LogSubject::learn_call(key.as_ref());
        self.vendor_call_key = Some(key.clone());
    }

    /// Sets the id of the VoiceCall.
    pub fn voice_call_id(&mut self, id: &str) {
        self.voice_call_id = Some(id.to_owned());
    }

    /// Sets the call by the reference of the flow.
    pub fn call(&mut self, call: &CallReference) {
        match call {
            CallReference::Id(id) => self.voice_call_id(id.as_ref()),
            CallReference::Key(key) => self.vendor_call_key(key),
        }
    }

    /// The call, and its contact center, if both are known.
    pub fn named_call(&self) -> Option<(CallCenterName, CallReference)> {
        let call = match (&self.vendor_call_key, &self.voice_call_id) {
            (Some(key), _) => CallReference::Key(key.clone()),
            (None, Some(id)) => CallReference::parse(id.as_str()).ok()?,
            (None, None) => return None,
        };
        Some((self.call_center.clone()?, call))
    }

    /// The id of the call, where it has a key too.
    pub fn other_name(&self) -> Option<CallReference> {
        let id = self.voice_call_id.as_ref().filter(|_| self.vendor_call_key.is_some())?;
        CallReference::parse(id.as_str()).ok()
    }

    /// Sets the call, if the flow names one.
    pub fn meant(&mut self, call: Option<&CallReference>) {
        if let Some(call) = call {
            self.call(call);
        }
    }

    /// Sets the outcome of a delivery.
    pub fn delivered(&mut self, delivered: Delivered) {
        self.outcome = match delivered {
            Delivered::Now => "ok",
            Delivered::Later => "pending",
            Delivered::Withheld => "withheld",
            Delivered::NoSuchCall => "no_such_call",
        };
    }

    /// Of what is done later: the last that Salesforce said, or why it was not asked.
    pub fn learn_cause(&mut self, asked: &[SalesforceExchange]) {
        self.cause = match self.outcome {
            "pending" if asked.is_empty() => Some("an earlier request of the call is still owed".to_owned()),
            outcome if LATER.contains(&outcome) => {
                asked.iter().rev().find_map(|asked| asked.failure.as_deref()).map(quote)
            }
            _ => None,
        };
    }

    /// Sets the outcome, where it is not `ok`.
    pub fn outcome(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_later_has_the_last_cause_and_no_number() {
        let asked = |failure: Option<&str>| SalesforceExchange {
            operation: "createVoiceCall".into(),
            after: 0,
            milliseconds: 1,
            status: None,
            failure: failure.map(str::to_owned),
        };
        let exchanges = [asked(Some("HTTP 503")), asked(Some("HTTP 500 for +14693150217")), asked(None)];
        for (outcome, cause) in [
            ("deferred", Some("HTTP 500 for (number hidden)")),
            ("fallback", Some("HTTP 500 for (number hidden)")),
            ("pending", Some("HTTP 500 for (number hidden)")),
            ("ok", None),
            ("abandoned", None),
        ] {
            let mut notes = RequestNotes { outcome, ..RequestNotes::default() };
            notes.learn_cause(&exchanges);
            assert_eq!(notes.cause.as_deref(), cause, "{outcome}");
        }
        let mut notes = RequestNotes { outcome: "pending", ..RequestNotes::default() };
        notes.learn_cause(&[]);
        assert_eq!(notes.cause.as_deref(), Some("an earlier request of the call is still owed"));
    }
}
