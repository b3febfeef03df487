//! What the org has seen, call by call.

use std::collections::HashMap;

use jiff::Timestamp;
use scv_bridge::mock::{BadDay, MockOrg, Operation, RecordedRequest, VoiceCall};
use serde_json::Value;

/// Everything that the org knows of one call.
#[derive(Debug, Default)]
pub struct Seen {
    /// Its VoiceCalls; one, if all went well.
    pub records: Vec<VoiceCall>,
    /// Creates that the org has carried out.
    pub creates: Vec<Done>,
    /// Updates without `isActiveCall` that the org has carried out.
    pub finals: Vec<Done>,
    /// Routings that the org has carried out.
    pub routings: Vec<Done>,
    /// Requests that change the record of a call, carried out or not, beside those that say again what its create said.
    pub touches: usize,
    /// Updates under the key that said again what its create said, carried out.
    pub caught_up: usize,
}

/// A request that the org has carried out.
#[derive(Debug)]
pub struct Done {
    /// When.
    pub at: Timestamp,
    /// What it was sent.
    pub body: Value,
    /// Whether the answer may have been lost by order.
    pub is_doubtful: bool,
}

/// The log, by vendorCallKey.
pub struct OrgsLog(HashMap<String, Seen>);

impl OrgsLog {
    /// Everything until now.
    pub fn read(org: &MockOrg) -> Self {
        let mut log = HashMap::<String, Seen>::new();
        let mut keys = HashMap::new();
        for record in org.voice_calls() {
            keys.insert(record.id.clone(), record.vendor_call_key.clone());
            log.entry(record.vendor_call_key.clone()).or_default().records.push(record);
        }
        for request in org.requests() {
            if let Some(name) = name(&request) {
                let key = keys.get(&name).cloned().unwrap_or(name);
                log.entry(key).or_default().add(request);
            }
        }
        Self(log)
    }

    /// What is known of the call of this key.
    pub fn call(&self, key: &str) -> Option<&Seen> {
        self.0.get(key)
    }
}

impl Seen {
    fn add(&mut self, request: RecordedRequest) {
        let catches_up = says_what_a_create_says(&request);
        let changes = match request.operation {
            // One that was cut before its body was read may have said anything.
            Operation::Update => request.body.is_some() && !catches_up,
            Operation::ClearRouting => true,
            _ => false,
        };
        self.touches += usize::from(changes);
        if !is_done(&request) {
            return;
        }
        if catches_up {
            self.caught_up += 1;
        }
        let (operation, is_doubtful) = (request.operation, is_doubtful(&request));
        let body = request.body.unwrap_or_default();
        let is_active = body["isActiveCall"] == true;
        let done = Done { at: request.at, body, is_doubtful };
        match operation {
            Operation::Create => self.creates.push(done),
            Operation::Update if !is_active => self.finals.push(done),
            Operation::OmniFlow => self.routings.push(done),
            _ => {}
        }
    }
}

/// Id or key of the call that a request is about. Neither holds anything that a path must escape.
fn name(request: &RecordedRequest) -> Option<String> {
    if request.operation == Operation::Create {
        return Some(request.body.as_ref()?["vendorCallKey"].as_str()?.to_owned());
    }
    let (_, rest) = request.path.split_once("/voiceCalls/")?;
    rest.split(['/', '?']).next().map(str::to_owned)
}

/// A create whose answer was lost is sent again as an update under the key, which makes no second record.
fn says_what_a_create_says(request: &RecordedRequest) -> bool {
    let said = |name: &str| request.body.as_ref().is_some_and(|body| !body[name].is_null());
    request.operation == Operation::Update && said("isActiveCall") && said("initiationMethod")
}

fn is_done(request: &RecordedRequest) -> bool {
    match request.answered {
        Some(status) => (200..300).contains(&status),
        None => matches!(request.day, Some(BadDay::DropConnection { after_work: true } | BadDay::HalfBody)),
    }
}

fn is_doubtful(request: &RecordedRequest) -> bool {
    request.answered.is_none() || matches!(request.day, Some(BadDay::Slow { .. } | BadDay::WorksLate { .. }))
}
