//! Taking fields out of a body, and keeping a list of everything that is wrong with them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};

use super::ApiError;
use super::body::JsonObject;
use crate::domain::{FlowTime, InvalidName, Rest, quote};

/// Words that flow variables carry which nobody has set: no field means them.
const UNSET_WORDS: [&str; 3] = ["null", "undefined", "none"];
/// The same, where an id, a key, an agent, a number or a time is expected. Elsewhere somebody may mean them.
const UNSET_NAMES: [&str; 3] = ["na", "n/a", "uninitialized"];

/// The fields that held the word of an unset variable: each is told in the log once.
#[derive(Debug, Clone, Default)]
pub struct UnsetWords(Arc<Mutex<BTreeSet<String>>>);

impl UnsetWords {
    fn tell(&self, field: &str, word: &str) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.insert(field.to_owned()) {
            tracing::warn!(
                field,
                word,
                "a flow sends the word of an unset variable; it counts as left out. This is said once of each field"
            );
        }
    }
}

/// The fields of a body that are not yet taken, and the problems so far.
///
/// An empty string and null count as left out, because that is what an unset flow variable becomes. Some become a word.
pub struct BodyFields {
    fields: Vec<(String, Value)>,
    problems: Vec<String>,
    unset: UnsetWords,
}

impl BodyFields {
    /// Of a body.
    #[must_use]
    pub fn new(fields: impl Into<JsonObject>, unset: &UnsetWords) -> Self {
        Self { fields: fields.into().0, problems: Vec::new(), unset: unset.clone() }
    }

    /// A part of the body.
    #[must_use]
    pub fn part(&self, fields: Map<String, Value>) -> Self {
        Self::new(fields, &self.unset)
    }

    /// All fields that are not yet taken.
    pub fn each(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Notes a problem with a field. Its words may quote the field, and any field may hold a phone number by
    /// mistake: such a number is hidden.
    pub fn problem(&mut self, name: &str, problem: impl Display) {
        self.problems.push(format!("{name}: {}", quote(&problem.to_string())));
    }

    /// How many problems there are so far.
    #[must_use]
    pub fn count_problems(&self) -> usize {
        self.problems.len()
    }

    /// Takes a field, if it holds anything. Of a name given twice the last counts.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let mut value = None;
        self.fields.retain_mut(|(field, found)| {
            let other = field != name;
            if !other {
                value = Some(std::mem::take(found));
            }
            other
        });
        let value = value.filter(|value| match value {
            Value::Null => false,
            Value::String(text) => !text.trim().is_empty(),
            _ => true,
        })?;
        self.unless_word(name, value, &UNSET_WORDS)
    }

    /// Takes a field that names something or somebody.
    fn take_name(&mut self, name: &str) -> Option<Value> {
        let value = self.take(name)?;
        self.unless_word(name, value, &UNSET_NAMES)
    }

    fn unless_word(&self, name: &str, value: Value, words: &'static [&'static str]) -> Option<Value> {
        let text = value.as_str().map(str::trim);
        let word = words.iter().find(|word| text.is_some_and(|text| text.eq_ignore_ascii_case(word)));
        let Some(word) = word else { return Some(value) };
        self.unset.tell(name, word);
        None
    }

    /// Takes a text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let value = self.take(name)?;
        self.as_text(name, value)
    }

    /// Takes the text of an id, a key, an agent or a number.
    pub fn named(&mut self, name: &str) -> Option<String> {
        let value = self.take_name(name)?;
        self.as_text(name, value)
    }

    fn as_text(&mut self, name: &str, value: Value) -> Option<String> {
        match value {
            Value::String(text) => Some(text),
            other => {
                self.problem(name, format_args!("expected text, got {}", kind(&other)));
                None
            }
        }
    }

    /// Takes what another call found, or notes that the field is missing. A field that was there and wrong is
    /// noted already.
    pub fn required<T>(&mut self, name: &str, take: impl FnOnce(&mut Self, &str) -> Option<T>) -> Option<T> {
        let before = self.problems.len();
        let found = take(self, name);
        if found.is_none() && self.problems.len() == before {
            self.problem(name, "missing or empty");
        }
        found
    }

    /// Takes a text that is parsed into a name.
    pub fn name<T>(&mut self, name: &str, parse: impl FnOnce(String) -> Result<T, InvalidName>) -> Option<T> {
        let text = self.named(name)?;
        parse(text).map_err(|invalid| self.problem(name, invalid)).ok()
    }

    /// Takes a time: text, or an epoch as a number.
    pub fn time(&mut self, name: &str) -> Option<FlowTime> {
        let time = match self.take_name(name)? {
            Value::String(text) => FlowTime::parse(&text),
            Value::Number(number) => FlowTime::from_epoch(number.as_f64().unwrap_or(f64::NAN)),
            other => {
                self.problem(name, format_args!("expected a time, got {}", kind(&other)));
                return None;
            }
        };
        time.map_err(|invalid| self.problem(name, invalid)).ok()
    }

    /// Takes a boolean, also as text.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.take(name)?;
        let read = match &value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        };
        if read.is_none() {
            self.problem(name, format_args!("expected true or false, got {}", kind(&value)));
        }
        read
    }

    /// Takes a whole number from 0 on, also as text.
    pub fn count(&mut self, name: &str) -> Option<u64> {
        let value = self.take(name)?;
        let number = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse::<f64>().ok(),
            _ => None,
        };
        let whole = number.filter(|number| number.fract() == 0.0 && (0.0..=LARGEST_COUNT).contains(number));
        if whole.is_none() {
            self.problem(name, format_args!("expected a whole number from 0 on, got {}", kind(&value)));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole and within 0 to MOST"
        )]
        whole.map(|number| number as u64)
    }

    /// Takes an object.
    pub fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(fields) => Some(fields),
            other => {
                self.problem(name, format_args!("expected an object, got {}", kind(&other)));
                None
            }
        }
    }

    /// Puts a checked value back among those that travel on.
    pub fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.fields.push((name.to_owned(), value.into()));
        }
    }

    /// What was not taken: it travels on unchanged.
    pub fn rest(&mut self) -> Rest {
        std::mem::take(&mut self.fields).into_iter().collect()
    }

    /// Adds the problems of a part of the body, each under the part's name.
    pub fn absorb(&mut self, part: &str, other: Self) {
        self.problems.extend(other.problems.into_iter().map(|problem| format!("{part}.{problem}")));
    }

    /// The request, if nothing is wrong with it.
    ///
    /// # Errors
    /// Every problem.
    pub fn finish<T>(self, request: Option<T>) -> Result<T, ApiError> {
        match request {
            Some(request) if self.problems.is_empty() => Ok(request),
            _ => Err(ApiError::Invalid(self.problems)),
        }
    }
}

/// The largest count: what Salesforce keeps in a whole number.
const LARGEST_COUNT: f64 = 2_147_483_647.0;

/// What kind of thing a value is; never the value, which could be a number of somebody.
#[must_use]
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
