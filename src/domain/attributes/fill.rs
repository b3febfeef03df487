//! The decision: which fields go into `callAttributes`, and what became of each.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::{MappedNames, StoredJson, cut, hide_numbers, is_id, names_a_number, quote};
use super::{Attribute, FoundValue, KnownValues};
use crate::phone::mask;

/// The fields of a contact center, and how they are filled.
#[derive(Debug, Clone, Copy)]
pub struct FieldMapping<'a> {
    /// The fields and where their values are found.
    pub attributes: &'a [Attribute],
    /// The longest text for a field, in characters.
    pub longest: usize,
    /// The names in Salesforce of Webex's ids.
    pub names: MappedNames<'a>,
}

/// When fields are filled.
#[derive(Debug, Clone, Copy)]
pub enum FillStage<'a> {
    /// At the create.
    Create {
        /// The attributes that the create of the continued call has sent, if they are inherited.
        parent: Option<&'a SentAttributes>,
    },
    /// At the final update.
    Final {
        /// The attributes that the create has sent, if they are known.
        create: Option<&'a SentAttributes>,
        /// Whether Salesforce has taken that create, or will.
        is_created: bool,
    },
}

/// The attributes that a create has sent.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentAttributes {
    /// All of its callAttributes, those of the flow too.
    all: Option<String>,
    /// The fields that were filled, and their values.
    filled: BTreeMap<String, String>,
}

/// The result of [`fill`].
pub struct FilledAttributes {
    /// The `callAttributes` to send.
    pub call_attributes: Option<String>,
    /// The outcome for each field.
    pub report: AttributeReport,
    filled: BTreeMap<String, String>,
}

/// Values may be anything.
impl fmt::Debug for SentAttributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SentAttributes({} bytes)", self.all.as_ref().map_or(0, String::len))
    }
}

impl SentAttributes {
    /// The stored form: JSON without a printable form.
    pub fn body(&self) -> StoredJson {
        StoredJson::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Parses the stored form.
    pub fn read(body: &StoredJson) -> Option<Self> {
        serde_json::from_str(body.expose()).ok()
    }

    fn fields(&self) -> Map<String, Value> {
        self.all.as_deref().and_then(read).unwrap_or_default()
    }
}

impl FilledAttributes {
    /// The attributes that a create sends with it.
    pub fn sent(&self) -> SentAttributes {
        SentAttributes { all: self.call_attributes.clone(), filled: self.filled.clone() }
    }
}

/// The values before this stage.
struct EarlierValues {
    /// The fields that the create has filled.
    filled: BTreeMap<String, String>,
    /// Those of them that Salesforce has.
    taken: Map<String, Value>,
    /// The outcome of a field without a value.
    missing: AttributeOutcome,
}

/// The decisions so far.
#[derive(Default)]
struct AttributesDraft {
    lines: Vec<AttributeLine>,
    more: Map<String, Value>,
    filled: BTreeMap<String, String>,
}

/// Fills the fields of a mapping from the known values, beside `own`, the callAttributes that are sent anyway. The result
/// has exactly those, the filled and the inherited ones; each text whole or not at all.
pub fn fill(
    form: &FieldMapping<'_>,
    knowledge: &KnownValues,
    own: Option<&str>,
    moment: FillStage<'_>,
) -> FilledAttributes {
    let fields = own.map(read);
    let is_mergeable = !matches!(fields, Some(None));
    let fields = fields.flatten();
    let before = EarlierValues::of(moment);
    let mut draft = AttributesDraft::default();
    for Attribute { field, path } in form.attributes {
        let found = knowledge.find(path, form.longest, &form.names);
        let stands = fields.as_ref().and_then(|fields| fields.get(field));
        let is_flows =
            knowledge.is_named(field) || stands.is_some_and(|value| !before.has_filled(field, value));
        let (outcome, text) = match &found {
            None => (before.missing, None),
            Some(FoundValue::TooLong(length)) => {
                (AttributeOutcome::TooLong { length: *length, limit: form.longest }, None)
            }
            Some(FoundValue::NotText(_)) => (AttributeOutcome::NotText, None),
            Some(FoundValue::Text(text)) if before.has_sent(field, text) => {
                (AttributeOutcome::Unchanged, Some(text.as_str()))
            }
            Some(FoundValue::Text(text)) if !is_mergeable => {
                (AttributeOutcome::NotMerged, Some(text.as_str()))
            }
            Some(FoundValue::Text(text)) => (AttributeOutcome::Sent, Some(text.as_str())),
        };
        let outcome = if is_flows { AttributeOutcome::TakenByFlow } else { outcome };
        draft.lines.push(AttributeLine::of(
            field,
            Some(path.as_ref()),
            outcome,
            text.map(|text| (path.last(), text)),
        ));
        if let (AttributeOutcome::Sent, Some(text)) = (outcome, text) {
            draft.send(field, text);
        }
    }
    if let (FillStage::Create { parent: Some(parent) }, true) = (moment, is_mergeable) {
        inherit(&mut draft, parent, fields.as_ref());
    }
    let call_attributes = match (own, &fields) {
        (Some(own), None) => Some(own.to_owned()),
        (own, fields) => merge(own.zip(fields.as_ref()), &draft.more),
    };
    FilledAttributes { call_attributes, report: AttributeReport { lines: draft.lines }, filled: draft.filled }
}

impl EarlierValues {
    fn of(moment: FillStage<'_>) -> Self {
        let (create, is_created, missing) = match moment {
            FillStage::Create { .. } => (None, false, AttributeOutcome::NotYet),
            FillStage::Final { create, is_created } => (create, is_created, AttributeOutcome::Missing),
        };
        let taken = create.filter(|_| is_created).map(SentAttributes::fields).unwrap_or_default();
        let filled = create.map(|create| create.filled.clone()).unwrap_or_default();
        Self { filled, taken, missing }
    }

    /// Whether a value that is sent anyway is what the create has filled the field with: a create that failed is repeated
    /// in the final update.
    fn has_filled(&self, field: &str, value: &Value) -> bool {
        self.filled.get(field).is_some_and(|filled| value.as_str() == Some(filled))
    }

    /// Whether Salesforce has this value already.
    fn has_sent(&self, field: &str, text: &str) -> bool {
        self.taken.get(field).and_then(Value::as_str) == Some(text)
    }
}

impl AttributesDraft {
    fn send(&mut self, field: &str, text: &str) {
        self.more.insert(field.to_owned(), text.into());
        self.filled.insert(field.to_owned(), text.to_owned());
    }
}

/// Fields without a value of the call itself get that of the continued call.
fn inherit(draft: &mut AttributesDraft, parent: &SentAttributes, own: Option<&Map<String, Value>>) {
    for (field, value) in parent.fields() {
        if draft.more.contains_key(&field) || own.is_some_and(|own| own.contains_key(&field)) {
            continue;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        // The inherited value stands in until the field has a value of its own.
        draft.lines.retain(|line| line.field != field || line.outcome != AttributeOutcome::NotYet);
        draft.lines.push(AttributeLine::of(&field, None, AttributeOutcome::Inherited, Some((&field, &text))));
        draft.more.insert(field, value);
    }
}

/// The object in a string.
pub(super) fn read(attributes: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(attributes).ok()
}

/// `own` with the fields of `more`, which replace those of the same name. The text of `own` is unchanged as long as none
/// of its fields is replaced. None where there is no field.
pub(super) fn merge(own: Option<(&str, &Map<String, Value>)>, more: &Map<String, Value>) -> Option<String> {
    let Some((text, fields)) = own else {
        return if more.is_empty() { None } else { serde_json::to_string(more).ok() };
    };
    if more.is_empty() {
        return Some(text.to_owned());
    }
    if more.keys().any(|field| fields.contains_key(field)) {
        let mut all = fields.clone();
        all.extend(more.clone());
        return serde_json::to_string(&all).ok();
    }
    // Appended to the text instead of parsed: a number of the flow keeps all of its digits.
    let more = serde_json::to_string(more).ok()?;
    let head = text.trim_end().strip_suffix('}')?.trim_end();
    let comma = if fields.is_empty() { "" } else { "," };
    Some([head, comma, more.strip_prefix('{')?].concat())
}

/// The longest value in a report, in characters.
const LONGEST_SHOWN: usize = 60;

/// The outcomes of the fields of a call at one stage, in a form that may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeReport {
    /// A line for each field of the configuration, and for each that was inherited.
    pub lines: Vec<AttributeLine>,
}

/// The outcome of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeLine {
    /// The field.
    pub field: String,
    /// The path of its value; none where it was inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The outcome.
    #[serde(flatten)]
    pub outcome: AttributeOutcome,
    /// Its value, shortened, without phone numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// The outcome of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AttributeOutcome {
    /// It is in callAttributes.
    Sent,
    /// It is in callAttributes, from those of the continued call.
    Inherited,
    /// The create has sent it already.
    Unchanged,
    /// No value has arrived at its path, and the call has only begun.
    NotYet,
    /// No value has arrived at its path.
    Missing,
    /// More characters than the field takes: not sent.
    TooLong {
        /// How many it has.
        length: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A list or an object: not sent.
    NotText,
    /// The flow's own callAttributes name the field: the flow's value counts.
    TakenByFlow,
    /// The callAttributes of the flow are no JSON object: they are sent as they are.
    NotMerged,
}

impl AttributeLine {
    /// A line with a value as it may be shown. `name`: what the value is called where it was found.
    pub(super) fn of(
        field: &str,
        path: Option<&str>,
        outcome: AttributeOutcome,
        value: Option<(&str, &str)>,
    ) -> Self {
        let value = value.map(|(name, text)| shown(name, text));
        Self { field: field.to_owned(), path: path.map(str::to_owned), outcome, value }
    }
}

/// A value of any kind as it may be shown: without phone numbers, and masked where the name is that of a phone number.
fn shown(name: &str, text: &str) -> String {
    if names_a_number(name) {
        return cut(mask(text).to_string(), LONGEST_SHOWN);
    }
    // Ids of queues, agents and records are shown whole, so that an operator can compare them.
    if is_id(text) {
        return text.to_owned();
    }
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(hide_numbers(&quote(&visible)).into_owned(), LONGEST_SHOWN)
}

impl AttributeReport {
    /// The stored form.
    pub fn body(&self) -> StoredJson {
        StoredJson::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Parses the stored form.
    pub fn read(body: &StoredJson) -> Option<Self> {
        serde_json::from_str(body.expose()).ok()
    }
}
