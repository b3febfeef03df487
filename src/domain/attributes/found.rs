//! What lies at a path.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What lies at a path. It has no printable form: it may be anything, a phone number too.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundValue {
    /// A text, or a number, true or false as one.
    Text(String),
    /// A text of so many characters, which no field takes; the text itself is not kept.
    TooLong(usize),
    /// Something that is no text.
    NotText(ValueShape),
}

/// What a value is, when it is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueShape {
    /// Values in order.
    List,
    /// Values under names.
    Object,
}

impl FoundValue {
    /// What lies at `names` (with dots between them) below `value`; of a text only if it has at most `longest` characters.
    /// Nothing is found where a value is null or blank: that is what an unset flow variable becomes.
    ///
    /// A text that is JSON is walked into: flows send objects in quotes.
    pub(super) fn at(value: &Value, names: &str, longest: usize) -> Option<Self> {
        if names.is_empty() {
            return Self::of(value, longest);
        }
        let (name, rest) = names.split_once('.').unwrap_or((names, ""));
        match value {
            Value::Object(fields) => Self::at(fields.get(name)?, rest, longest),
            Value::Array(list) => Self::at(list.get(name.parse::<usize>().ok()?)?, rest, longest),
            Value::String(text) => Self::at(&inside(text)?, names, longest),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    fn of(value: &Value, longest: usize) -> Option<Self> {
        let text = match value {
            Value::Null => return None,
            Value::Array(_) => return Some(Self::NotText(ValueShape::List)),
            Value::Object(_) => return Some(Self::NotText(ValueShape::Object)),
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
        };
        Some(Self::text(text, longest))
    }

    /// A text, unless it is longer than `longest` characters.
    pub(super) fn text(text: String, longest: usize) -> Self {
        match length(&text) {
            length if length > longest => Self::TooLong(length),
            _ => Self::Text(text),
        }
    }
}

impl fmt::Debug for FoundValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} characters)", length(text)),
            Self::TooLong(length) => write!(f, "TooLong({length})"),
            Self::NotText(shape) => write!(f, "NotText({shape:?})"),
        }
    }
}

/// Characters as Salesforce counts them, in UTF-16: an emoji counts as two.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The list or object that a text holds as JSON.
pub(super) fn inside(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return None;
    }
    let value = serde_json::from_str(text).ok()?;
    matches!(value, Value::Array(_) | Value::Object(_) | Value::String(_)).then_some(value)
}
