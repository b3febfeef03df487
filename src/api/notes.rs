//! What the access line tells of a request. Never a body, a secret or a number.

use std::time::Duration;

use crate::bridge::Delivered;
use crate::domain::CallReference;

/// Gathered while a request is served; the access line reads it afterwards.
#[derive(Debug, Default)]
pub struct RequestNotes {
    /// The route's name.
    pub route: &'static str,
    /// The client's id.
    pub client: Option<String>,
    /// The contact center.
    pub call_center: Option<String>,
    /// The key of the call.
    pub vendor_call_key: Option<String>,
    /// The id of its record.
    pub voice_call_id: Option<String>,
    /// Time spent waiting for Salesforce.
    pub upstream: Option<Duration>,
    /// One word for what came of it.
    pub outcome: &'static str,
    /// A success is one of very many, and worth no line at the usual level.
    pub is_frequent: bool,
    /// What the flow was told.
    pub error: Option<String>,
}

impl RequestNotes {
    /// Notes the key of the call.
    pub fn vendor_call_key(&mut self, key: &str) {
        self.vendor_call_key = Some(key.to_owned());
    }

    /// Notes the id of the record.
    pub fn voice_call_id(&mut self, id: &str) {
        self.voice_call_id = Some(id.to_owned());
    }

    /// Notes the call under the name the flow used for it.
    pub fn call(&mut self, call: &CallReference) {
        match call {
            CallReference::Id(id) => self.voice_call_id(id.as_ref()),
            CallReference::Key(key) => self.vendor_call_key(key.as_ref()),
        }
    }

    /// Notes the call, if the flow named one.
    pub fn meant(&mut self, call: Option<&CallReference>) {
        if let Some(call) = call {
            self.call(call);
        }
    }

    /// Notes how far a promise has come.
    pub fn delivered(&mut self, delivered: Delivered) {
        self.outcome = match delivered {
            Delivered::Now => "ok",
            Delivered::Later => "pending",
            Delivered::Withheld => "withheld",
            Delivered::NoSuchCall => "no_such_call",
        };
    }

    /// Notes what came of it, where there is more to say than `ok`.
    pub fn outcome(&mut self, outcome: &'static str) {
        self.outcome = outcome;
    }
}
