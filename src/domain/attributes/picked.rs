//! What one message tells: values at the paths that are of interest, and the names of all that it holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::found::{FoundValue, inside, length};
use super::{Attribute, ValuePath};
use crate::domain::{StoredJson, cut, hide_numbers};

/// How many names of one message are listed, how deep, and how long each may be, in characters.
const MOST: usize = 100;
const DEEPEST: usize = 8;
const LONGEST: usize = 120;

/// What a request of a flow, or a webhook, tells of a call. Values have no printable form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickedValues {
    /// What was found, by path.
    #[serde(default)]
    values: BTreeMap<String, FoundValue>,
    /// The fields of interest that the flow's own callAttributes name.
    #[serde(default)]
    named: BTreeSet<String>,
    /// The names of what arrived.
    #[serde(skip)]
    arrived: Vec<ArrivedField>,
}

/// Something that arrived, without its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ArrivedField {
    /// Names from the outside in, with dots between them. What looks like a phone number is hidden.
    pub path: String,
    /// What it is, in a word or two.
    pub what: String,
}

impl PickedValues {
    /// What a request of a flow tells: its fields as they came. Of a field that came twice the last counts.
    pub fn by_request<'v>(
        fields: impl Iterator<Item = (&'v str, &'v Value)>,
        attributes: &[Attribute],
        longest: usize,
    ) -> Self {
        let fields: BTreeMap<&str, &Value> = fields.collect();
        let named = fields.get("callAttributes").map(|own| names_of(own)).unwrap_or_default();
        let named =
            attributes.iter().map(|attribute| &attribute.field).filter(|field| named.contains(*field));
        let paths = attributes.iter().map(|attribute| &attribute.path).filter(|path| path.is_of_requests());
        let values = pick(|name| fields.get(name).copied(), paths, longest);
        let mut arrived = Vec::new();
        fields.iter().for_each(|(name, value)| list(&mut arrived, name, value, DEEPEST));
        Self { values, named: named.cloned().collect(), arrived }
    }

    /// What the `data` of a webhook tells.
    pub fn by_webhook<'p>(
        data: &Map<String, Value>,
        paths: impl Iterator<Item = &'p ValuePath>,
        longest: usize,
    ) -> Self {
        let paths = paths.filter(|path| path.is_of_webhooks());
        let values = pick(|name| data.get(name), paths, longest);
        let mut arrived = Vec::new();
        data.iter().for_each(|(name, value)| list(&mut arrived, name, value, DEEPEST));
        Self { values, named: BTreeSet::new(), arrived }
    }

    /// Whether nothing arrived.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.named.is_empty() && self.arrived.is_empty()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = (&String, &FoundValue)> {
        self.values.iter()
    }

    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        self.named.iter()
    }

    /// The names of what arrived; kept apart, because they hold no value.
    #[must_use]
    pub fn arrived(&self) -> &[ArrivedField] {
        &self.arrived
    }

    /// As it is kept: JSON without a printable form. Nothing where nothing of interest was told.
    #[must_use]
    pub fn body(&self) -> Option<StoredJson> {
        if self.values.is_empty() && self.named.is_empty() {
            return None;
        }
        serde_json::to_string(self).ok().map(StoredJson::new)
    }

    /// Reads what was kept.
    #[must_use]
    pub fn read(body: &StoredJson) -> Option<Self> {
        serde_json::from_str(body.expose()).ok()
    }
}

fn pick<'v, 'p>(
    field: impl Fn(&str) -> Option<&'v Value>,
    paths: impl Iterator<Item = &'p ValuePath>,
    longest: usize,
) -> BTreeMap<String, FoundValue> {
    let found = |path: &ValuePath| {
        let (name, rest) = path.inner().split_once('.').unwrap_or((path.inner(), ""));
        Some((path.to_string(), FoundValue::at(field(name)?, rest, longest)?))
    };
    paths.filter_map(found).collect()
}

/// The names of an object, also where it stands in a text.
fn names_of(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::String(text) => inside(text).map(|value| names_of(&value)).unwrap_or_default(),
        _ => BTreeSet::new(),
    }
}

/// Lists what lies at and below a path.
fn list(arrived: &mut Vec<ArrivedField>, path: &str, value: &Value, depth: usize) {
    if arrived.len() >= MOST {
        return;
    }
    let mut each = |children: &mut dyn Iterator<Item = (String, &Value)>| {
        children.for_each(|(name, child)| list(arrived, &format!("{path}.{name}"), child, depth - 1));
    };
    match value {
        Value::Object(fields) if depth > 0 && !fields.is_empty() => {
            each(&mut fields.iter().map(|(name, child)| (name.clone(), child)));
        }
        Value::Array(values) if depth > 0 && !values.is_empty() => {
            each(&mut values.iter().enumerate().map(|(at, child)| (at.to_string(), child)));
        }
        Value::String(text) if depth > 0 => match inside(text) {
            Some(inner) => list(arrived, path, &inner, depth - 1),
            None => arrived.push(ArrivedField::new(path, value)),
        },
        _ => arrived.push(ArrivedField::new(path, value)),
    }
}

impl ArrivedField {
    fn new(path: &str, value: &Value) -> Self {
        let what = match value {
            Value::Null => String::from("empty"),
            Value::String(text) if text.trim().is_empty() => String::from("empty"),
            Value::String(text) => format!("text ({})", length(text)),
            Value::Number(_) => String::from("number"),
            Value::Bool(_) => String::from("true or false"),
            Value::Array(_) => String::from("list"),
            Value::Object(_) => String::from("object"),
        };
        Self { path: cut(hide_numbers(path).into_owned(), LONGEST), what }
    }
}
