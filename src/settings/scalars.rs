//! Getters for words, durations, switches, numbers and lists.

use std::ops::RangeInclusive;
use std::time::Duration;

use config::ValueKind;

use super::section::Section;
use super::value::{duration_text, parse_duration, shown};

impl Section<'_> {
    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        key: &str,
        default: Option<&str>,
        words: &[(&str, T)],
    ) -> Option<T> {
        let list: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let hint = format!("one of {}", list.join(", "));
        self.parsed_or(key, default, &hint, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| "is not known".to_owned())
        })
    }

    /// A duration such as "1800ms", within bounds.
    pub(super) fn duration(
        &mut self,
        key: &str,
        default: Option<&str>,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let hint = duration_hint(&bounds);
        self.parsed_or(key, default, &hint, |text| bounded_duration(text, &bounds))
    }

    /// A list of durations, each within bounds; it must be there.
    pub(super) fn durations(&mut self, key: &str, bounds: RangeInclusive<Duration>) -> Option<Vec<Duration>> {
        if !self.has(key) {
            self.take(key);
            return self.or_missing(key, None, "a list such as [\"1s\", \"1m\", \"1h\"]");
        }
        let texts = self.list(key)?;
        let read = |text: &String| {
            let wrong = |problem| format!("holds {}, which {problem}", shown(text));
            let duration = bounded_duration(text, &bounds).map_err(wrong);
            duration.map_err(|problem| self.problem(key, problem, duration_hint(&bounds))).ok()
        };
        // Every wrong one is reported before the list is given up.
        let durations: Vec<Option<Duration>> = texts.iter().map(read).collect();
        durations.into_iter().collect()
    }

    /// `true` or `false`; from the environment as text. No default: it must be there.
    pub(super) fn boolean(&mut self, key: &str, default: Option<bool>) -> Option<bool> {
        let Some(value) = self.take(key) else {
            return self.or_missing(key, default, "true or false");
        };
        match (&value, self.report.is_from_environment(&self.path(key))) {
            (ValueKind::Boolean(value), _) => Some(*value),
            (ValueKind::String(text), true) if text == "true" => Some(true),
            (ValueKind::String(text), true) if text == "false" => Some(false),
            (ValueKind::String(text), true) => {
                self.problem(key, format!("{} is neither true nor false", shown(text)), "true or false");
                None
            }
            _ => {
                self.wrong_type(key, "true or false", &value);
                None
            }
        }
    }

    /// A whole number within bounds; from the environment as text. No default: it must be there.
    pub(super) fn count(
        &mut self,
        key: &str,
        default: Option<usize>,
        bounds: RangeInclusive<usize>,
    ) -> Option<usize> {
        let hint = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let Some(value) = self.take(key) else {
            return self.or_missing(key, default, &hint);
        };
        let number = match (&value, self.report.is_from_environment(&self.path(key))) {
            (ValueKind::I64(number), _) => usize::try_from(*number).ok(),
            (ValueKind::String(text), true) if is_whole(text) => text.parse().ok(),
            (ValueKind::String(text), true) => {
                self.problem(key, format!("{} is not a whole number", shown(text)), hint);
                return None;
            }
            _ => {
                self.wrong_type(key, "a whole number", &value);
                return None;
            }
        };
        let within = number.filter(|number| bounds.contains(number));
        if within.is_none() {
            self.problem(key, "is out of range", hint);
        }
        within
    }

    fn or_missing<T>(&self, key: &str, default: Option<T>, hint: &str) -> Option<T> {
        if default.is_none() {
            self.problem(key, "is missing", hint);
        }
        default
    }

    /// A list of texts; missing means empty.
    pub(super) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        match self.take(key) {
            None => Some(Vec::new()),
            Some(ValueKind::Array(values)) => {
                let texts: Option<Vec<String>> = values
                    .into_iter()
                    .map(|value| match value.kind {
                        ValueKind::String(text) => Some(text),
                        _ => None,
                    })
                    .collect();
                if texts.is_none() {
                    self.problem(key, "holds something that is not a text", "a list of texts in quotes");
                }
                texts
            }
            Some(_) if self.report.is_from_environment(&self.path(key)) => {
                self.problem(key, "is a list; variables set single values", "set it in the file");
                None
            }
            Some(other) => {
                self.wrong_type(key, "a list of texts", &other);
                None
            }
        }
    }
}

/// Digits, with a sign or without; how large the number is does not matter.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn duration_hint(bounds: &RangeInclusive<Duration>) -> String {
    let (from, to) = (duration_text(*bounds.start()), duration_text(*bounds.end()));
    format!("a whole number with ms, s, m, h or d, such as \"1500ms\"; from {from} to {to}")
}

fn bounded_duration(text: &str, bounds: &RangeInclusive<Duration>) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    match bounds.contains(&duration) {
        true => Ok(duration),
        false => Err("is out of range".to_owned()),
    }
}
