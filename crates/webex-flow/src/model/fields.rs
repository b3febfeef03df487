//! Reads the properties of an activity, and notes what is missing or of another type.

use serde_json::{Map, Value};

use super::gap::Gap;

/// The properties of one activity.
pub(super) struct Fields<'a> {
    properties: &'a Map<String, Value>,
    activity: String,
    gaps: &'a mut Vec<Gap>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(properties: &'a Map<String, Value>, activity: String, gaps: &'a mut Vec<Gap>) -> Self {
        Self { properties, activity, gaps }
    }

    pub(super) fn gap(&mut self, field: &str, what: &str) {
        self.gaps.push(Gap::new(self.activity.clone(), field, what));
    }

    /// A value that is there and not `null`.
    pub(super) fn value(&self, field: &str) -> Option<&'a Value> {
        self.properties.get(field).filter(|value| !value.is_null())
    }

    /// A text that is not blank. Numbers and booleans count as their text.
    pub(super) fn text(&mut self, field: &str) -> Option<String> {
        let text = match self.value(field)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            _ => {
                self.gap(field, "is no text");
                return None;
            }
        };
        (!text.trim().is_empty()).then_some(text)
    }

    /// A text that has to be there.
    pub(super) fn required(&mut self, field: &str) -> Option<String> {
        let before = self.gaps.len();
        let text = self.text(field);
        if text.is_none() && self.gaps.len() == before {
            self.gap(field, "is missing");
        }
        text
    }

    /// A whole number, which may be a text.
    pub(super) fn number(&mut self, field: &str) -> Option<u64> {
        let number = match self.value(field)? {
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.trim().parse().ok(),
            value => value.as_u64(),
        };
        if number.is_none() {
            self.gap(field, "is no whole number");
        }
        number
    }

    /// A switch, which may be a text.
    pub(super) fn flag(&mut self, field: &str, default: bool) -> bool {
        match self.value(field) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("true") => true,
            Some(Value::String(text)) if text.eq_ignore_ascii_case("false") || text.is_empty() => false,
            Some(_) => {
                self.gap(field, "is neither true nor false");
                default
            }
        }
    }

    /// The items of a list; a missing one is empty.
    pub(super) fn list(&mut self, field: &str) -> &'a [Value] {
        match self.value(field) {
            None => &[],
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.gap(field, "is no list");
                &[]
            }
        }
    }

    /// Names and texts of an object; a missing one is empty.
    pub(super) fn pairs(&mut self, field: &str) -> Vec<(String, String)> {
        match self.value(field) {
            None => Vec::new(),
            Some(Value::Object(members)) => {
                members.iter().map(|(name, value)| (name.clone(), text_of(value))).collect()
            }
            Some(Value::String(text)) if text.is_empty() => Vec::new(),
            Some(_) => {
                self.gap(field, "is no table of names and values");
                Vec::new()
            }
        }
    }

    /// A name that an export holds under `field:name` or `field_name`.
    pub(super) fn display_name(&mut self, field: &str) -> Option<String> {
        self.text(&format!("{field}:name")).or_else(|| self.text(&format!("{field}_name")))
    }

    /// A member of an item of a list, as text.
    pub(super) fn member(item: &Value, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| match item.get(name)? {
            Value::Null => None,
            value => Some(text_of(value)),
        })
    }
}

/// The text of a value; JSON of lists and objects.
pub(super) fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
