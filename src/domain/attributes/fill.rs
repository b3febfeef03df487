//! The decision: which fields go into `callAttributes`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::merge::{merge, read};
use super::report::Line;
use super::{Attribute, Found, Knowledge, Outcome, Report};
use crate::domain::{Body, Names};

/// The fields of a contact center, and how they are filled.
#[derive(Debug, Clone, Copy)]
pub struct Form<'a> {
    /// The fields and where their values are found.
    pub attributes: &'a [Attribute],
    /// The longest text that a field takes, in characters.
    pub longest: usize,
    /// What ids of Webex are called in Salesforce.
    pub names: Names<'a>,
}

/// When fields are filled.
#[derive(Debug, Clone, Copy)]
pub enum Moment<'a> {
    /// At the create; of the call that this one continues, what its create has sent.
    Create {
        /// Its callAttributes, if any, and if they are to be inherited.
        parent: Option<&'a Sent>,
    },
    /// At the final update.
    Final {
        /// What the create has sent, if that is known.
        create: Option<&'a Sent>,
        /// Whether Salesforce has taken that create, or will.
        is_created: bool,
    },
}

/// What a create has sent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// All of its callAttributes, those of the flow too.
    all: Option<String>,
    /// The fields that were filled, and with what.
    filled: BTreeMap<String, String>,
}

/// What came of it.
pub struct Filled {
    /// What goes out as `callAttributes`.
    pub call_attributes: Option<String>,
    /// What became of each field.
    pub report: Report,
    filled: BTreeMap<String, String>,
}

/// Values may be anything.
impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sent({} bytes)", self.all.as_ref().map_or(0, String::len))
    }
}

impl Sent {
    /// As it is kept: JSON without a printable form.
    #[must_use]
    pub fn body(&self) -> Body {
        Body::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads what was kept.
    #[must_use]
    pub fn read(body: &Body) -> Option<Self> {
        serde_json::from_str(body.expose()).ok()
    }

    fn fields(&self) -> Map<String, Value> {
        self.all.as_deref().and_then(read).unwrap_or_default()
    }
}

impl Filled {
    /// What a create sends with it.
    #[must_use]
    pub fn sent(&self) -> Sent {
        Sent { all: self.call_attributes.clone(), filled: self.filled.clone() }
    }
}

/// What was before this moment.
struct Before {
    /// What the create has filled fields with.
    filled: BTreeMap<String, String>,
    /// What Salesforce has of it.
    taken: Map<String, Value>,
    /// What it means that a value has not arrived.
    missing: Outcome,
}

/// What is decided so far.
#[derive(Default)]
struct Draft {
    lines: Vec<Line>,
    more: Map<String, Value>,
    filled: BTreeMap<String, String>,
}

/// Fills the fields of a form by what is known, beside `own`, the callAttributes that go out anyway. The result holds
/// exactly those, what was sent and what was inherited; each text whole or not at all.
#[must_use]
pub fn fill(form: &Form<'_>, knowledge: &Knowledge, own: Option<&str>, moment: Moment<'_>) -> Filled {
    let fields = own.map(read);
    let is_mergeable = !matches!(fields, Some(None));
    let fields = fields.flatten();
    let before = Before::of(moment);
    let mut draft = Draft::default();
    for Attribute { field, path } in form.attributes {
        let found = knowledge.find(path, form.longest, &form.names);
        let stands = fields.as_ref().and_then(|fields| fields.get(field));
        let is_flows =
            knowledge.is_named(field) || stands.is_some_and(|value| !before.has_filled(field, value));
        let (outcome, text) = match &found {
            None => (before.missing, None),
            Some(Found::TooLong(length)) => (Outcome::TooLong { length: *length, limit: form.longest }, None),
            Some(Found::NotText(_)) => (Outcome::NotText, None),
            Some(Found::Text(text)) if before.has_sent(field, text) => {
                (Outcome::Unchanged, Some(text.as_str()))
            }
            Some(Found::Text(text)) if !is_mergeable => (Outcome::NotMerged, Some(text.as_str())),
            Some(Found::Text(text)) => (Outcome::Sent, Some(text.as_str())),
        };
        let outcome = if is_flows { Outcome::TakenByFlow } else { outcome };
        draft.lines.push(Line::of(field, Some(path.as_ref()), outcome, text.map(|text| (path.last(), text))));
        if let (Outcome::Sent, Some(text)) = (outcome, text) {
            draft.send(field, text);
        }
    }
    if let (Moment::Create { parent: Some(parent) }, true) = (moment, is_mergeable) {
        inherit(&mut draft, parent, fields.as_ref());
    }
    let call_attributes = match (own, &fields) {
        (Some(own), None) => Some(own.to_owned()),
        (own, fields) => merge(own.zip(fields.as_ref()), &draft.more),
    };
    Filled { call_attributes, report: Report { lines: draft.lines }, filled: draft.filled }
}

impl Before {
    fn of(moment: Moment<'_>) -> Self {
        let (create, is_created, missing) = match moment {
            Moment::Create { .. } => (None, false, Outcome::NotYet),
            Moment::Final { create, is_created } => (create, is_created, Outcome::Missing),
        };
        let taken = create.filter(|_| is_created).map(Sent::fields).unwrap_or_default();
        let filled = create.map(|create| create.filled.clone()).unwrap_or_default();
        Self { filled, taken, missing }
    }

    /// Whether a value that goes out anyway is what the create has filled the field with: a create that failed comes back
    /// in the final update.
    fn has_filled(&self, field: &str, value: &Value) -> bool {
        self.filled.get(field).is_some_and(|filled| value.as_str() == Some(filled))
    }

    /// Whether Salesforce has this value already.
    fn has_sent(&self, field: &str, text: &str) -> bool {
        self.taken.get(field).and_then(Value::as_str) == Some(text)
    }
}

impl Draft {
    fn send(&mut self, field: &str, text: &str) {
        self.more.insert(field.to_owned(), text.into());
        self.filled.insert(field.to_owned(), text.to_owned());
    }
}

/// What the call does not say itself, the call that it continues has said.
fn inherit(draft: &mut Draft, parent: &Sent, own: Option<&Map<String, Value>>) {
    for (field, value) in parent.fields() {
        if draft.more.contains_key(&field) || own.is_some_and(|own| own.contains_key(&field)) {
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // A field that waits for a value of its own has one for now.
        draft.lines.retain(|line| line.field != field || line.outcome != Outcome::NotYet);
        draft.lines.push(Line::of(&field, None, Outcome::Inherited, Some((&field, &text))));
        draft.more.insert(field, value);
    }
}
