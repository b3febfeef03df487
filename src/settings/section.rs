//! Reading one section: every getter notes what is wrong and goes on.
//!
//! A getter answers `None` for a value that is missing or wrong. Whatever is wrong was reported by then, so
//! a section first calls all its getters, then [`Section::finish`], and only then gives up on a `None`.

use std::collections::{BTreeMap, BTreeSet};

use config::{Map, Value, ValueKind};

use super::nearest::nearest;
use super::reference::{ALL_KEYS, NAMED, homes};
use super::report::Report;
use super::value::shown;

/// One table of the configuration, emptied key by key.
pub(super) struct Section<'r> {
    pub(super) report: &'r Report,
    path: String,
    values: Map<String, Value>,
    known: BTreeSet<String>,
}

impl<'r> Section<'r> {
    pub(super) fn new(report: &'r Report, path: impl Into<String>, values: Map<String, Value>) -> Self {
        Self { report, path: path.into(), values, known: BTreeSet::new() }
    }

    /// The full name of a key.
    pub(super) fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
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

    /// A text, or `default` where the key is missing.
    pub(super) fn text_or(&mut self, key: &str, default: &str) -> Option<String> {
        if self.has(key) {
            return self.text(key);
        }
        self.take(key);
        Some(default.to_owned())
    }

    /// A text that must be there and hold something.
    pub(super) fn required(&mut self, key: &str, hint: &str) -> Option<String> {
        let given = self.has(key);
        let text = self.text(key);
        match text {
            Some(text) if !text.trim().is_empty() => Some(text),
            Some(_) => {
                self.problem(key, "is empty", hint);
                None
            }
            None => {
                if !given {
                    self.problem(key, "is missing", hint);
                }
                None
            }
        }
    }

    /// A text that must be there, parsed.
    pub(super) fn parsed<T>(
        &mut self,
        key: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.required(key, hint)?;
        self.parse(key, &text, hint, parse)
    }

    /// A text that may be missing or empty, parsed if it is not.
    pub(super) fn parsed_if_given<T>(
        &mut self,
        key: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key).filter(|text| !text.is_empty())?;
        self.parse(key, &text, hint, parse)
    }

    /// A text that stands for `default` where it is missing, parsed. No default: it must be there.
    pub(super) fn parsed_or<T>(
        &mut self,
        key: &str,
        default: Option<&str>,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = match default {
            Some(default) => self.text_or(key, default)?,
            None => self.required(key, hint)?,
        };
        self.parse(key, &text, hint, parse)
    }

    fn parse<T>(
        &self,
        key: &str,
        text: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text).map_err(|problem| self.problem(key, format!("{} {problem}", shown(text)), hint)).ok()
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

    /// A section inside this one, if it is there.
    pub(super) fn section(&mut self, key: &str) -> Option<Section<'r>> {
        match self.take(key)? {
            ValueKind::Table(values) => Some(Section::new(self.report, self.path(key), values)),
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

    /// A section inside this one; an empty one where it is missing, so that its defaults are read.
    pub(super) fn section_or_empty(&mut self, key: &str) -> Section<'r> {
        let empty = Section::new(self.report, self.path(key), Map::new());
        self.section(key).unwrap_or(empty)
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
                let hint =
                    format!("write [[{key}]], in double brackets and without a name, above each one's keys");
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
                    sections.push(Section::new(self.report, id.unwrap_or(path), values));
                }
                _ => self.report.add(&path, "is not a section", format!("write [[{key}]] above its keys")),
            }
        }
        sections
    }

    /// Reports every key that nobody asked for.
    pub(super) fn finish(self) {
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
