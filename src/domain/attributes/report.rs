//! What became of each field, in a form that may be shown.

use serde::{Deserialize, Serialize};

use crate::domain::{StoredJson, cut, hide_numbers, is_id, names_a_number, quote};
use crate::phone::mask;

/// The longest value in a report, in characters.
const LONGEST: usize = 60;

/// What became of the fields of a call at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeReport {
    /// A line for each field of the configuration, and for each that was inherited.
    pub lines: Vec<AttributeLine>,
}

/// What became of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeLine {
    /// The field.
    pub field: String,
    /// Where its value is looked for; none where it was inherited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: AttributeOutcome,
    /// Its value, shortened, without phone numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum AttributeOutcome {
    /// It is in callAttributes.
    Sent,
    /// It is in callAttributes, as in those of the call that this one continues.
    Inherited,
    /// The create has sent it already.
    Unchanged,
    /// Nothing has arrived at its path, and the call has only begun.
    NotYet,
    /// Nothing has arrived at its path.
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
    /// The flow's own callAttributes name the field: the flow's word counts.
    TakenByFlow,
    /// The callAttributes that go out are no JSON object: they go as they are.
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

/// A value that may be anything: without what looks like a phone number, and masked where the name says that it is one.
fn shown(name: &str, text: &str) -> String {
    if names_a_number(name) {
        return cut(mask(text).to_string(), LONGEST);
    }
    // Of a queue, an agent, a record: without it nobody can compare.
    if is_id(text) {
        return text.to_owned();
    }
    let visible: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    cut(hide_numbers(&quote(&visible)).into_owned(), LONGEST)
}

impl AttributeReport {
    /// As it is kept.
    #[must_use]
    pub fn body(&self) -> StoredJson {
        StoredJson::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// Reads what was kept.
    #[must_use]
    pub fn read(body: &StoredJson) -> Option<Self> {
        serde_json::from_str(body.expose()).ok()
    }
}
