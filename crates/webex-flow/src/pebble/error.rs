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

    /// The column in the field, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        self.column
    }

    /// The filter, function, test or tag that is not known, where that is the fault: Webex may know it.
    #[must_use]
    pub fn not_understood(&self) -> Option<&str> {
        self.not_understood.as_deref()
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for TemplateError {}
