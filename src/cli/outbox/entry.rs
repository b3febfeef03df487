//! An entry as it is printed.

use std::io::{self, Write};

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::hide;
use crate::domain::{CallReference, cut};
use crate::store::{Entry, EntryKind, EntryState, Unreadable};

/// The longest last column of the table, in characters; alone, an entry is printed in full.
const LONGEST_CELL: usize = 100;

/// An entry without anything that must not be seen. The fields are those of `--json`.
#[derive(Debug, Serialize)]
pub struct EntryView {
    id: i64,
    state: String,
    kind: String,
    /// The last update of its call.
    r#final: bool,
    call_center: String,
    vendor_call_key: Option<String>,
    voice_call_id: Option<String>,
    /// None where it cannot be read.
    #[serde(serialize_with = "optional_time")]
    created_at: Option<Timestamp>,
    attempts: u32,
    /// When it is tried again; none when it is buried.
    #[serde(serialize_with = "optional_time")]
    next_at: Option<Timestamp>,
    /// Until when a worker owns it; none when nobody does.
    #[serde(serialize_with = "optional_time")]
    lease_until: Option<Timestamp>,
    #[serde(serialize_with = "optional_time")]
    buried_at: Option<Timestamp>,
    reason: Option<String>,
    words: Option<String>,
    /// Why this version cannot read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip)]
    now: Timestamp,
}

impl EntryView {
    /// For a list.
    #[must_use]
    pub fn of(entry: &Entry, now: Timestamp) -> Self {
        let pending = entry.state == EntryState::Pending;
        let (vendor_call_key, voice_call_id) = names(entry);
        Self {
            id: entry.id.0,
            state: state(entry.state).to_owned(),
            kind: kind(entry.kind).to_owned(),
            r#final: entry.is_final,
            call_center: hide::text(entry.call_center.as_ref()),
            vendor_call_key: vendor_call_key.as_deref().map(hide::text),
            voice_call_id,
            created_at: Some(entry.created_at),
            attempts: entry.attempts,
            next_at: pending.then_some(entry.next_at),
            lease_until: entry.lease_until.filter(|until| pending && *until > now),
            buried_at: entry.buried_at,
            reason: entry.reason.as_deref().map(hide::text),
            words: entry.last_words.as_deref().map(hide::text),
            problem: None,
            body: None,
            now,
        }
    }

    /// What can be told of one that this version cannot read.
    #[must_use]
    pub fn of_unreadable(entry: &Unreadable, now: Timestamp) -> Self {
        let text = |text: &Option<String>| text.as_deref().map(hide::text);
        let or_unknown = |told: &Option<String>| text(told).unwrap_or_else(|| String::from("?"));
        Self {
            id: entry.id.0,
            state: or_unknown(&entry.state),
            kind: or_unknown(&entry.kind),
            r#final: false,
            call_center: or_unknown(&entry.call_center),
            vendor_call_key: None,
            voice_call_id: None,
            created_at: entry.created_at,
            attempts: entry.attempts.unwrap_or_default(),
            next_at: None,
            lease_until: None,
            buried_at: None,
            reason: text(&entry.reason),
            words: text(&entry.last_words),
            problem: Some(entry.problem),
            body: None,
            now,
        }
    }

    /// Alone, with what is sent.
    #[must_use]
    pub fn with_body(entry: &Entry, now: Timestamp) -> Self {
        Self { body: Some(hide::body(entry.body.expose())), ..Self::of(entry, now) }
    }

    /// The cells of its line in the table, under [`EntryView::HEAD`].
    #[must_use]
    pub fn cells(&self) -> [String; 9] {
        let call = self.vendor_call_key.as_ref().or(self.voice_call_id.as_ref());
        // What is buried because of its problem tells it as Salesforce's words.
        let problem = self.problem.filter(|problem| self.words.as_deref() != Some(problem));
        let words = [self.reason.as_deref(), self.words.as_deref(), problem];
        [
            self.id.to_string(),
            self.state.clone(),
            self.kind.clone(),
            self.call_center.clone(),
            call.cloned().unwrap_or_default(),
            self.created_at.map(|at| duration(at, self.now)).unwrap_or_default(),
            self.attempts.to_string(),
            self.next(),
            cut(words.into_iter().flatten().collect::<Vec<_>>().join(": "), LONGEST_CELL),
        ]
    }

    /// What stands above the cells.
    pub const HEAD: [&'static str; 9] =
        ["id", "state", "kind", "contact center", "call", "age", "attempts", "next try", "reason and words"];

    /// Prints all of it, a line for each.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        let when = |at: Timestamp| format!("{at} ({} ago)", duration(at, self.now));
        let kind = format!("{}{}", self.kind, if self.r#final { ", the final one of its call" } else { "" });
        for (name, value) in [
            ("id", Some(self.id.to_string())),
            ("state", Some(self.state.clone())),
            ("kind", Some(kind)),
            ("contact center", Some(self.call_center.clone())),
            ("vendorCallKey", self.vendor_call_key.clone()),
            ("voiceCallId", self.voice_call_id.clone()),
            ("put in", self.created_at.map(when)),
            ("attempts", Some(self.attempts.to_string())),
            ("next try", self.next_at.map(|_| self.next())),
            ("buried", self.buried_at.map(when)),
            ("reason", self.reason.clone()),
            ("words", self.words.clone()),
            ("problem", self.problem.map(str::to_owned)),
        ] {
            if let Some(value) = value {
                writeln!(out, "{name:<16}{value}")?;
            }
        }
        match &self.body {
            Some(body) => writeln!(out, "\n{body:#}"),
            None => Ok(()),
        }
    }

    fn next(&self) -> String {
        match (self.lease_until, self.next_at) {
            (Some(_), _) => "under way".to_owned(),
            (None, Some(at)) if at > self.now => format!("in {}", duration(self.now, at)),
            (None, Some(_)) => "now".to_owned(),
            (None, None) => "-".to_owned(),
        }
    }
}

fn state(state: EntryState) -> &'static str {
    match state {
        EntryState::Pending => "pending",
        EntryState::Buried => "buried",
    }
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Create => "create",
        EntryKind::Clear => "clear",
        EntryKind::Update => "update",
        EntryKind::LateClear => "late-clear",
    }
}

/// Key and id of the call: from the journal, or for a call that it does not know from the request itself.
fn names(entry: &Entry) -> (Option<String>, Option<String>) {
    if let Some(call) = &entry.call {
        let id = call.voice_call_id.as_ref().map(ToString::to_string);
        return (Some(call.name.vendor_call_key().to_string()), id);
    }
    let body: Value = serde_json::from_str(entry.body.expose()).unwrap_or_default();
    match body.get("call").and_then(Value::as_str).map(CallReference::parse) {
        Some(Ok(CallReference::Id(id))) => (None, Some(id.to_string())),
        Some(Ok(CallReference::Key(key))) => (Some(key.to_string()), None),
        _ => (None, None),
    }
}

fn optional_time<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

/// From one moment to another, in its two largest units.
fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h {}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d {}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}
