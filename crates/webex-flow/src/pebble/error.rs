//! Why a template is none, or cannot be filled in.

use std::fmt;

/// A fault in a template, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateError {
    column: usize,
    words: String,
    not_understood: Option<String>,
}

impl TemplateError {
    pub(super) fn new(column: usize, words: impl Into<String>) -> Self {
        Self { column, words: words.into(), not_understood: None }
    }

    /// A word that is not known: `what` is a filter, function, test or tag.
    pub(super) fn unknown(column: usize, what: &'static str, name: &str) -> Self {
        let words = format!("there is no {what} `{name}`");
        Self { column, words, not_understood: Some(format!("{what} {name}")) }
    }

    /// Something that Java or Webex may know and we do not.
    pub(super) fn not_known(column: usize, what: impl Into<String>) -> Self {
        let what = what.into();
        Self { column, words: format!("{what} is not understood here"), not_understood: Some(what) }
    }

    /// The column in the field, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The filter, function, test, tag, method or letter of a pattern that is not known, where that is the fault: Webex may know it.
    #[must_use]
    pub fn not_understood(&self) -> Option<&str> {
        self.not_understood.as_deref()
    }
}

/// What is wrong where no column is known yet.
#[derive(Debug)]
pub(super) enum Fault {
    /// Webex fails here too.
    Wrong(String),
    /// Java may know it, we do not.
    NotUnderstood(String),
}

impl Fault {
    pub(super) fn at(self, column: usize) -> TemplateError {
        match self {
            Self::Wrong(words) => TemplateError::new(column, words),
            Self::NotUnderstood(what) => TemplateError::not_known(column, what),
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for TemplateError {}
