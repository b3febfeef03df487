//! Reading one section: every getter notes what is wrong and goes on.
//!
//! A getter answers `None` for a value that is missing or wrong. Whatever is wrong was reported by then, so
//! a section first calls all its getters and only then gives up on a `None`. A getter of a key that may be left out
//! answers `Some(None)`, also where the value is wrong: the report keeps the configuration from being used.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use config::{Map, Value, ValueKind};

use super::names::nearest;
use super::reference::{self, ALL_KEYS, NAMED, homes};
use super::report::Report;
use super::value::{duration_text, parse_duration, shown};

/// Declares a section: its struct, and for each field how its key is read.
///
/// An entry is `field: Type = getter(arguments);`, for `section.getter("field", arguments)`, and is all that the program
/// knows of the key: its name, kind, range and hint. The default is the one in `config/default.toml`. A key that is not
/// called as its field stands behind it: `field as "key": Type`. A `, at_start` (or another method of
/// [`Held`](super::rotation::Held)) before the semicolon makes the key one that takes effect at a start only. Arguments
/// can use the keys above them and, after `section`, what other sections give. The block after `check` sees every key as
/// an `Option`.
macro_rules! section {
    (@key $field:ident) => { stringify!($field) };
    (@key $field:ident $key:literal) => { $key };
    (@hold $all:ident, $key:expr, $value:expr, $running:expr) => {};
    (@hold $all:ident, $key:expr, $value:expr, $running:expr, $held:ident) => { $all.$held($key, $value, $running) };
    (
        $(#[$meta:meta])*
        pub struct $Name:ident in $header:literal |$section:ident $(, $given:ident: $Given:ty)*| {
            $(
                $(#[$doc:meta])*
                $field:ident $(as $key:literal)?: $Type:ty = $getter:ident($($argument:expr),*) $(, $held:ident)?;
            )*
        }
        $(check $check:block)?
    ) => {
        $(#[$meta])*
        #[doc = concat!("\n\nIn the configuration `[", $header, "]`.")]
        pub struct $Name {
            $($(#[$doc])* pub $field: $Type,)*
        }

        impl $Name {
            /// Reads every key and reports what is wrong with any.
            pub(in crate::settings) fn read(
                $section: &mut $crate::settings::section::Section<'_>,
                $($given: $Given,)*
            ) -> Option<Self> {
                $(let $field = $section.$getter(section!(@key $field $($key)?) $(, $argument)*);)*
                $($check)?
                Some(Self { $($field: $field?,)* })
            }
        }

        impl $crate::settings::rotation::Fixed for $Name {
            fn hold(&mut self, _running: &Self, _held: &mut $crate::settings::rotation::Held) {
                $(section!(@hold _held, concat!($header, ".", section!(@key $field $($key)?)),
                    &mut self.$field, &_running.$field $(, $held)?);)*
            }
        }
    };
}
pub(super) use section;

/// One table of the configuration, emptied key by key.
pub(super) struct Section<'r> {
    pub(super) report: &'r Report,
    path: String,
    /// Its header in the reference, with `NAME` for what somebody chose.
    header: String,
    values: Map<String, Value>,
    known: BTreeSet<String>,
}

impl<'r> Section<'r> {
    /// The section that holds all others.
    pub(super) fn root(report: &'r Report, values: Map<String, Value>) -> Self {
        Self::new(report, String::new(), String::new(), values)
    }

    fn new(report: &'r Report, path: String, header: String, values: Map<String, Value>) -> Self {
        Self { report, path, header, values, known: BTreeSet::new() }
    }

    /// The full name of a key.
    pub(super) fn path(&self, key: &str) -> String {
        join(&self.path, key)
    }

    /// Reports a problem with a key of this section.
    pub(super) fn problem(&self, key: &str, problem: impl Into<String>, hint: impl Into<String>) {
        self.report.add(&self.path(key), problem, hint);
    }

    /// Reports a problem with the section as a whole.
    pub(super) fn whole(&self, problem: impl Into<String>, hint: impl Into<String>) {
        self.report.add(&self.path, problem, hint);
    }

    /// Whether the key is there, whatever it holds.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Takes a value out; the key counts as known from now on.
    pub(super) fn take(&mut self, key: &str) -> Option<ValueKind> {
        self.known.insert(key.to_owned());
        #[cfg(test)]
        self.report.asked.borrow_mut().insert(self.path(key));
        self.values.remove(key).map(|value| value.kind)
    }

    /// What the reference calls the default of a key that is left out, if it is a text.
    pub(super) fn default_text(&self, key: &str) -> Option<String> {
        match reference::default(&self.header, key)? {
            ValueKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// A value, or what the reference calls its default.
    pub(super) fn take_or_default(&mut self, key: &str) -> Option<ValueKind> {
        self.take(key).or_else(|| reference::default(&self.header, key))
    }

    /// What `read` makes of a key that is there; `base` where it is missing.
    pub(super) fn or<T>(
        &mut self,
        key: &str,
        base: Option<T>,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<T> {
        if base.is_none() || self.has(key) {
            return read(self, key);
        }
        self.take(key);
        base
    }

    /// What `read` makes of several keys of this section.
    pub(super) fn flatten<T>(
        &mut self,
        _field: &str,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        read(self)
    }

    /// A text, empty ones included. `None`: not there, or not a text.
    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        match self.take(key)? {
            ValueKind::String(text) => Some(text),
            other => {
                self.wrong_type(key, "a text in quotes", &other);
                None
            }
        }
    }

    /// A text that holds something. `None`: missing, empty, or not a text.
    pub(super) fn filled(&mut self, key: &str) -> Option<String> {
        self.text(key).filter(|text| !text.is_empty())
    }

    /// A text that may be missing or empty.
    pub(super) fn optional_text(&mut self, key: &str) -> Option<Option<String>> {
        Some(self.filled(key))
    }

    /// A text that must be there and hold something.
    pub(super) fn required(&mut self, key: &str, hint: &str) -> Option<String> {
        let given = self.has(key);
        match self.text(key) {
            Some(text) if !text.trim().is_empty() => return Some(text),
            Some(_) => self.problem(key, "is empty", hint),
            None if given => {}
            None => self.problem(key, "is missing", hint),
        }
        None
    }

    /// A text, or `default` where the key is missing; without a default it must be there and hold something.
    pub(super) fn text_or(&mut self, key: &str, default: Option<String>, hint: &str) -> Option<String> {
        match default {
            Some(default) => self.or(key, Some(default), Self::text),
            None => self.required(key, hint),
        }
    }

    /// The same, parsed.
    pub(super) fn parsed_or<T>(
        &mut self,
        key: &str,
        default: Option<String>,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text_or(key, default, hint)?;
        self.parse(key, &text, hint, parse)
    }

    /// A text, parsed; one that is missing is its default.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.parsed_or(key, self.default_text(key), hint, parse)
    }

    /// A text that may be missing or empty, parsed if it is not.
    pub(super) fn optional<T>(
        &mut self,
        key: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<Option<T>> {
        Some(self.filled(key).and_then(|text| self.parse(key, &text, hint, parse)))
    }

    /// A text of this key, parsed.
    fn parse<T>(
        &self,
        key: &str,
        text: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text).map_err(|problem| self.problem(key, format!("{} {problem}", shown(text)), hint)).ok()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)]) -> Option<T> {
        let list: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let hint = format!("one of {}", list.join(", "));
        self.parsed(key, &hint, |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| "is not known".to_owned())
        })
    }

    /// A duration such as "1800ms", within bounds.
    pub(super) fn duration(&mut self, key: &str, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        self.duration_or(key, self.default_text(key), bounds)
    }

    /// The same with a default of one's own.
    pub(super) fn duration_or(
        &mut self,
        key: &str,
        default: Option<String>,
        bounds: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.parsed_or(key, default, &duration_hint(&bounds), |text| bounded_duration(text, &bounds))
    }

    /// A list of durations, each within bounds; it must be there.
    pub(super) fn durations(&mut self, key: &str, bounds: RangeInclusive<Duration>) -> Option<Vec<Duration>> {
        if !self.has(key) {
            self.take(key);
            self.problem(key, "is missing", "a list such as [\"1s\", \"1m\", \"1h\"]");
            return None;
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

    /// `true` or `false`; from the environment as text.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        let Some(value) = self.take_or_default(key) else {
            self.problem(key, "is missing", "true or false");
            return None;
        };
        match (&value, self.report.is_from_environment(&self.path(key))) {
            (ValueKind::Boolean(value), _) => return Some(*value),
            (ValueKind::String(text), true) if text == "true" => return Some(true),
            (ValueKind::String(text), true) if text == "false" => return Some(false),
            (ValueKind::String(text), true) => {
                self.problem(key, format!("{} is neither true nor false", shown(text)), "true or false");
            }
            _ => self.wrong_type(key, "true or false", &value),
        }
        None
    }

    /// A whole number within bounds; from the environment as text.
    pub(super) fn count(&mut self, key: &str, bounds: RangeInclusive<usize>) -> Option<usize> {
        let hint = format!("a whole number from {} to {}", bounds.start(), bounds.end());
        let Some(value) = self.take_or_default(key) else {
            self.problem(key, "is missing", hint);
            return None;
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

    /// A list of texts; missing means empty.
    pub(super) fn list(&mut self, key: &str) -> Option<Vec<String>> {
        match self.take(key) {
            None => return Some(Vec::new()),
            Some(ValueKind::Array(values)) => {
                let texts = values.into_iter().map(|value| match value.kind {
                    ValueKind::String(text) => Some(text),
                    _ => None,
                });
                let texts: Option<Vec<String>> = texts.collect();
                if texts.is_none() {
                    self.problem(key, "holds something that is not a text", "a list of texts in quotes");
                }
                return texts;
            }
            Some(_) if self.report.is_from_environment(&self.path(key)) => {
                self.problem(key, "is a list; variables set single values", "set it in the file");
            }
            Some(other) => self.wrong_type(key, "a list of texts", &other),
        }
        None
    }

    /// A table from name to text; missing means empty.
    pub(super) fn texts(&mut self, key: &str) -> BTreeMap<String, String> {
        let Some(mut section) = self.section(key) else {
            return BTreeMap::new();
        };
        let mut names: Vec<String> = section.values.keys().cloned().collect();
        names.sort();
        names.into_iter().filter_map(|name| Some((name.clone(), section.text(&name)?))).collect()
    }

    /// What `read` makes of the section inside this one, of which all keys must be known; `None` where it is missing.
    pub(super) fn part<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'r>) -> Option<T>,
    ) -> Option<T> {
        self.section(key)?.read(read)
    }

    /// The same for a section that may be missing.
    pub(super) fn optional_part<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'r>) -> Option<T>,
    ) -> Option<Option<T>> {
        self.or(key, Some(None), |section, key| section.part(key, read).map(Some))
    }

    /// The same for a section that is read as an empty one where it is missing, for its defaults.
    pub(super) fn part_or_empty<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Section<'r>) -> Option<T>,
    ) -> Option<T> {
        let empty = self.below(key, Map::new());
        self.section(key).unwrap_or(empty).read(read)
    }

    /// What `read` makes of this section; then reports every key that it did not ask for.
    pub(super) fn read<T>(mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let value = read(&mut self);
        self.finish();
        value
    }

    /// A section inside this one.
    fn below(&self, key: &str, values: Map<String, Value>) -> Self {
        let key_in_reference = if NAMED.contains(&self.header.as_str()) { reference::NAME } else { key };
        Self::new(self.report, self.path(key), join(&self.header, key_in_reference), values)
    }

    /// A section inside this one, if it is there.
    pub(super) fn section(&mut self, key: &str) -> Option<Self> {
        match self.take(key)? {
            ValueKind::Table(values) => Some(self.below(key, values)),
            other => {
                self.no_section(key, &other);
                None
            }
        }
    }

    /// Reports what stands where a section belongs, with the header that makes it one.
    fn no_section(&self, key: &str, found: &ValueKind) {
        let path = self.path(key);
        match found {
            ValueKind::Array(_) => {
                let name = if NAMED.contains(&path.as_str()) { ".NAME" } else { "" };
                self.problem(
                    key,
                    "is a list",
                    format!("write [{path}{name}], in single brackets, above its keys"),
                );
            }
            // A key right below `[certificates]`, which takes only names.
            _ if NAMED.contains(&self.path.as_str()) => {
                let hint = format!("write [{}.NAME] above it, with the name it has in Salesforce", self.path);
                self.problem(key, "stands where a name belongs", hint);
            }
            _ => self.wrong_type(key, "a section", found),
        }
    }

    /// The sections under names that somebody chose, sorted by name.
    pub(super) fn named(&mut self, key: &str) -> Vec<(String, Section<'r>)> {
        let Some(mut parent) = self.section(key) else {
            return Vec::new();
        };
        let mut names: Vec<String> = parent.values.keys().cloned().collect();
        names.sort();
        names.into_iter().filter_map(|name| Some((name.clone(), parent.section(&name)?))).collect()
    }

    /// The sections of a `[[list]]`, called by their `id` where they have one.
    pub(super) fn items(&mut self, key: &str) -> Vec<Section<'r>> {
        let values = match self.take(key) {
            None => return Vec::new(),
            Some(ValueKind::Array(values)) => values,
            Some(other) => {
                let hint = format!(
                    "write [[{}]], in double brackets and without a name, above each one's keys",
                    self.path(key)
                );
                let problem = match &other {
                    ValueKind::Table(_) => "is a single section, and must be a list of them",
                    _ => "must be a list of sections",
                };
                self.problem(key, problem, hint);
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            let path = format!("{}[{index}]", self.path(key));
            match value.kind {
                ValueKind::Table(values) => {
                    let id = values.get("id").and_then(|id| match &id.kind {
                        ValueKind::String(id) => Some(format!("{}.{id}", self.path(key))),
                        _ => None,
                    });
                    let header = join(&self.header, key);
                    sections.push(Section::new(self.report, id.unwrap_or(path), header, values));
                }
                _ => {
                    let hint = format!("write [[{}]] above its keys", self.path(key));
                    self.report.add(&path, "is not a section", hint);
                }
            }
        }
        sections
    }

    /// Reports every key that nobody asked for.
    fn finish(self) {
        let mut unknown: Vec<&String> = self.values.keys().collect();
        unknown.sort();
        for key in unknown {
            self.problem(key, "is not a known key", self.meant(key));
        }
    }

    /// What an unknown key probably stands for: a known one of this section, or one of another.
    fn meant(&self, key: &str) -> String {
        let near = nearest(key, &self.known);
        let is_section = self.values.get(key).is_some_and(|value| matches!(value.kind, ValueKind::Table(_)));
        let elsewhere = match homes(key, &self.path).split_last() {
            // A misspelt section is not the key of that name in another one.
            _ if is_section && near.is_some() => None,
            None => None,
            Some((last, [])) => Some(last.clone()),
            Some((last, others)) => Some(format!("{} and {last}", others.join(", "))),
        };
        let elsewhere = elsewhere
            .map(|homes| format!("`{key}` belongs to {homes}; a key belongs to the header above it"));
        match (near, elsewhere) {
            (Some(known), None) => format!("did you mean `{known}`?"),
            (Some(known), Some(elsewhere)) => format!("did you mean `{known}`? {elsewhere}"),
            (None, Some(elsewhere)) => elsewhere,
            (None, None) => format!("remove it; {ALL_KEYS}"),
        }
    }

    pub(super) fn wrong_type(&self, key: &str, expected: &str, found: &ValueKind) {
        let found = match found {
            ValueKind::Nil => "nothing",
            ValueKind::Boolean(_) => "true or false",
            ValueKind::I64(_) | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => "a number",
            ValueKind::Float(_) => "a number with a fraction",
            ValueKind::String(_) => "a text",
            ValueKind::Table(_) => "a section",
            ValueKind::Array(_) => "a list",
        };
        self.problem(key, format!("is {found}"), format!("must be {expected}"));
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
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
