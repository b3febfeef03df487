//! The org itself: its set-up, its state and its front door.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use jiff::Timestamp;
use openssl::pkey::{PKey, Public};
use serde_json::{Map, Value};

use super::answer::{Answer, Refused};
use super::bad_day::{self, BadDay, Script};
use super::fields::kind;
use super::jwt::Jwt;
use super::locate::{Operation, Side, Target};
use super::log::{Newest, RecordedRequest, Refusal};
use super::oauth::Session;
use super::records::Records;
use super::settings::MockOrgSettings;
use super::token::Caller;
use super::{Now, apex, oauth, pages, query, telephony};

/// A request without its HTTP machinery.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) content_type: Option<String>,
    pub(super) authorization: Option<String>,
    pub(super) provider_name: Option<String>,
    pub(super) body: Bytes,
}

/// Everything that changes.
pub(super) struct State {
    pub(super) records: Records,
    pub(super) sessions: HashMap<String, Session>,
    /// Numbers the sessions.
    pub(super) sessions_made: u64,
    /// Seen `jti` and when they may be forgotten.
    pub(super) spent: HashMap<String, i64>,
    /// Tokens already checked, for measurements.
    pub(super) believed: HashMap<String, Caller>,
    /// When the last creates were, in milliseconds.
    pub(super) creates: VecDeque<i64>,
    pub(super) diary: Vec<Script>,
    pub(super) requests: Newest<RecordedRequest>,
    pub(super) refusals: Newest<Refusal>,
    /// The keys of the certificates that the org knows.
    pub(super) keys: Vec<PKey<Public>>,
}

/// Set-up and state of one mock org.
pub(super) struct Org {
    pub(super) settings: MockOrgSettings,
    pub(super) url: String,
    now: Now,
    state: Mutex<State>,
    stopped: AtomicBool,
}

impl Org {
    pub(super) fn new(settings: MockOrgSettings, key: PKey<Public>, url: String, now: Now) -> Self {
        let state = Mutex::new(State {
            records: Records::new(settings.first_record, settings.keep_voice_calls),
            sessions: HashMap::new(),
            sessions_made: settings.first_record,
            spent: HashMap::new(),
            believed: HashMap::new(),
            creates: VecDeque::new(),
            diary: Vec::new(),
            requests: Newest::new(settings.keep_recorded),
            refusals: Newest::new(settings.keep_recorded),
            keys: vec![key],
        });
        Self { settings, url, now, state, stopped: AtomicBool::new(false) }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// The state. A thread that panicked while it held the lock does not end the org.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token is signed with the key of a certificate that the org knows.
    pub(super) fn knows_signature(&self, jwt: &Jwt<'_>) -> bool {
        let keys = self.state().keys.clone();
        keys.iter().any(|key| jwt.is_signed_by(key))
    }

    /// No request is answered from now on, not even on connections that the server has not closed yet.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    pub(super) fn bad_day(&self, operation: Operation) -> Option<BadDay> {
        bad_day::take(&mut self.state().diary, operation)
    }

    /// Does what the request asks, or refuses and remembers it.
    pub(super) fn answer(&self, target: &Target, incoming: &Incoming) -> Answer {
        self.attend(target, incoming).unwrap_or_else(|refused| {
            self.state().refusals.push(Refusal {
                operation: target.operation,
                method: incoming.method.clone(),
                path: incoming.path.clone(),
                status: refused.status,
                reasons: refused.reasons.clone(),
            });
            refused.answer(target.side)
        })
    }

    fn attend(&self, target: &Target, incoming: &Incoming) -> Result<Answer, Refused> {
        if let Some(wanted) = target.method().filter(|wanted| *wanted != incoming.method) {
            let reason = format!("HTTP method {} not allowed, {wanted} is", incoming.method);
            return Err(Refused::new(405, "METHOD_NOT_ALLOWED", reason));
        }
        match target.side {
            Side::Telephony => telephony::attend(self, target, incoming),
            Side::Apex => apex::attend(self, target.operation, incoming),
            Side::Login => oauth::attend(self, incoming),
            Side::Rest => query::attend(self, &target.id, incoming),
            Side::Page => pages::attend(self, &target.id, incoming),
            Side::Nowhere => Err(Refused::new(404, "NOT_FOUND", "Could not find a match for URL")),
        }
    }
}

impl Incoming {
    /// The content type without its parameters, in lower case.
    pub(super) fn media_type(&self) -> String {
        let text = self.content_type.as_deref().unwrap_or_default();
        text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// 415 unless the content type is JSON, also without a body.
    pub(super) fn must_be_json(&self) -> Result<(), Refused> {
        if self.media_type() == "application/json" {
            return Ok(());
        }
        let reason = "Content-Type: must be application/json, also without a body";
        Err(Refused::new(415, "UNSUPPORTED_MEDIA_TYPE", reason))
    }

    /// What stands after `Bearer ` in the Authorization header.
    pub(super) fn bearer(&self) -> Option<&str> {
        self.authorization.as_deref()?.strip_prefix("Bearer ").filter(|token| !token.is_empty())
    }

    /// The body as a JSON object.
    pub(super) fn object(&self) -> Result<Map<String, Value>, Refused> {
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(other) => Err(json_refused(&format!("body: must be an object, not {}", kind(&other)))),
            Err(error) => Err(json_refused(&format!(
                "body: not JSON at line {} column {}",
                error.line(),
                error.column()
            ))),
        }
    }
}

fn json_refused(reason: &str) -> Refused {
    Refused::new(400, "JSON_PARSER_ERROR", reason)
}
