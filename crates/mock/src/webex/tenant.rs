//! The tenant itself: its set-up, its state and its front door.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::answer::Answer;
use super::super::bad_day::BadDay;
use super::super::log::Newest;
use super::captures::Recording;
use super::flows::ImportedFlow;
use super::log::{RecordedCall, RefusedCall};
use super::oauth::Logins;
use super::operation::Operation;
use super::refused::Refused;
use super::settings::MockWebexSettings;
use super::subscriptions::Subscription;
use super::{access, captures, flows, oauth, search, subscriptions};
use crate::Now;

/// A request without its HTTP machinery.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) content_type: Option<String>,
    pub(super) authorization: Option<String>,
    pub(super) tracking_id: Option<String>,
    pub(super) body: Bytes,
}

/// A bad day in the tenant's diary.
#[derive(Debug, Clone, PartialEq)]
pub struct Script {
    /// What goes wrong.
    pub day: BadDay,
    /// For how many requests.
    pub times: u32,
    /// Of what kind.
    pub on: Operation,
}

/// Everything that changes.
pub(super) struct State {
    pub(super) logins: Logins,
    pub(super) subscriptions: Vec<Subscription>,
    /// Tasks by id, as Search shows them.
    pub(super) tasks: BTreeMap<String, Map<String, Value>>,
    /// Recordings by task.
    pub(super) recordings: BTreeMap<String, Vec<Recording>>,
    /// Imported flows.
    pub(super) flows: Vec<ImportedFlow>,
    /// When the last requests came, in milliseconds.
    pub(super) recent: VecDeque<i64>,
    pub(super) diary: Vec<Script>,
    pub(super) requests: Newest<RecordedCall>,
    pub(super) refusals: Newest<RefusedCall>,
    made: u64,
}

impl State {
    /// A number that was not used before: for ids and tokens.
    pub(super) fn number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}

/// Set-up and state of one mock tenant.
pub(super) struct Tenant {
    pub(super) settings: MockWebexSettings,
    pub(super) url: String,
    now: Now,
    state: Mutex<State>,
}

impl Tenant {
    pub(super) fn new(settings: MockWebexSettings, url: String, now: Now) -> Self {
        let state = Mutex::new(State {
            logins: Logins::default(),
            subscriptions: Vec::new(),
            tasks: BTreeMap::new(),
            recordings: BTreeMap::new(),
            flows: Vec::new(),
            recent: VecDeque::new(),
            diary: Vec::new(),
            requests: Newest::new(settings.keep_recorded),
            refusals: Newest::new(settings.keep_recorded),
            made: settings.numbers_after,
        });
        Self { settings, url, now, state }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The state. A thread that panicked while it held the lock does not end the tenant.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes wrong with the next request of this kind.
    pub(super) fn bad_day(&self, operation: Operation) -> Option<BadDay> {
        let diary = &mut self.state().diary;
        let script = diary.iter_mut().find(|script| script.times > 0 && script.on == operation)?;
        script.times -= 1;
        Some(script.day.clone())
    }

    /// Does what the request asks, or refuses and remembers it.
    pub(super) fn answer(&self, operation: Operation, id: Option<&str>, incoming: &Incoming) -> Answer {
        let tracking_id = incoming.tracking_id.as_deref().unwrap_or_default();
        self.attend(operation, id, incoming).unwrap_or_else(|refused| {
            self.state().refusals.push(RefusedCall {
                operation,
                method: incoming.method.clone(),
                status: refused.status,
                reason: refused.reason.clone(),
            });
            refused.answer(operation, tracking_id)
        })
    }

    fn attend(&self, operation: Operation, id: Option<&str>, incoming: &Incoming) -> Result<Answer, Refused> {
        if operation.is_api() {
            access::check(self, operation, incoming)?;
        }
        match (operation, incoming.method.as_str(), id) {
            (Operation::Authorize, "GET", _) => oauth::authorize(self, incoming),
            (Operation::Token, "POST", _) => oauth::token(self, incoming),
            (Operation::Search, "POST", _) => search::attend(self, incoming),
            (Operation::Captures, "POST", _) => captures::attend(self, incoming),
            (Operation::Recording, "GET", Some(file)) => captures::download(self, file, incoming),
            (Operation::Flows, "POST", Some(path)) => flows::attend(self, path, incoming),
            (Operation::Subscriptions, method, id) => subscriptions::attend(self, method, id, incoming),
            (Operation::Nowhere, ..) => Err(Refused::new(404, "not_found", "path: nothing is there")),
            _ => Err(Refused::new(405, "method_not_allowed", "method: not allowed here")),
        }
    }
}

impl Incoming {
    /// The content type without its parameters, in lower case.
    pub(super) fn media_type(&self) -> String {
        let text = self.content_type.as_deref().unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The body as a JSON object that holds no other fields than these.
    pub(super) fn object(&self, known: &[&str]) -> Result<Map<String, Value>, Refused> {
        if self.media_type() != "application/json" {
            return Err(Refused::new(
                415,
                "unsupported_media_type",
                "Content-Type: must be application/json",
            ));
        }
        let Ok(Value::Object(object)) = serde_json::from_slice(&self.body) else {
            return Err(Refused::field("body: must be a JSON object"));
        };
        only(&object, known)?;
        Ok(object)
    }
}

/// Refuses fields that the tenant does not know.
pub(super) fn only(object: &Map<String, Value>, known: &[&str]) -> Result<(), Refused> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(Refused::field(format!("{key}: unknown field"))),
    }
}
