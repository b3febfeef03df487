//! JSONPath as Webex reads it: with the habits of the Jayway library.
//!
//! Webex takes values out of answers with that library in its default configuration. It reads a path character by character and
//! accepts much that no specification of JSONPath has: `a[0].b` without `$`, `$.a.[0].b`, even `$.a[`. So this module reads a path
//! by the same steps instead of by a grammar. What comes out of it, and what fails, is compared with the library's verdicts.
//!
//! Two limits are ours: a path has at most [`MAX_LENGTH`] characters, and reading one takes a bounded number of steps. Patterns
//! of `=~` run in linear time, so look-around and back references are not supported.

mod compile;
mod cursor;
mod decimal;
mod evaluate;
mod filter;
mod function;
mod lenient;
mod node;
mod operator;
mod parameters;
mod pattern;
mod steps;
mod table;
mod token;

use serde_json::Value;

pub use table::{Disagreement, Table, TableError, table};

use compile::Limits;
use evaluate::Evaluation;
use pattern::Room;
use token::CompiledPath;

/// The longest path that is read, in characters. Webex's own field is far shorter.
pub const MAX_LENGTH: usize = 4096;

/// A JSONPath, compiled.
#[derive(Debug, Clone)]
pub struct JsonPath {
    compiled: CompiledPath,
}

impl JsonPath {
    /// Compiles a path.
    ///
    /// # Errors
    /// The library would refuse it, or it is longer, deeper nested or with another kind of pattern than we support.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        if path.is_empty() {
            return Err(PathError::Empty);
        }
        if path.chars().count() > MAX_LENGTH {
            return Err(PathError::TooLong);
        }
        let room = Room::new();
        let compiled = compile::compile(path, Limits::new(&room));
        Ok(Self { compiled: compiled.map_err(compile::Refusal::into_error)? })
    }

    /// Whether a text in a document is a path.
    fn is_path(text: &str) -> bool {
        let is_short = text.len() <= MAX_LENGTH || text.chars().count() <= MAX_LENGTH;
        is_short && compile::compile(text, Limits::new(&Room::small())).is_ok()
    }

    /// Whether the path points to one value. If not, reading it gives a list.
    pub fn is_definite(&self) -> bool {
        self.compiled.is_definite()
    }

    /// Reads what the path points to.
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if nothing is there: in Webex the variable then stays empty. Other kinds tell that the path does
    /// not fit the document, or that reading it takes too many steps.
    pub fn read(&self, document: &Value) -> Result<Value, ReadError> {
        if document.is_null() {
            return Err(ReadError::NullDocument);
        }
        let evaluation = Evaluation::new(document);
        let found = evaluation.value(&self.compiled, document);
        found.and_then(|found| evaluation.owned(found)).map_err(evaluate::Failure::into_error)
    }
}

/// What reading a text as a path takes, in eighths of a step: what stands in brackets is read again for each bracket around it, and a
/// pattern is compiled.
fn effort(text: &str) -> usize {
    if text.len() > MAX_LENGTH * 4 {
        return text.len();
    }
    let depth = text.bytes().filter(|byte| matches!(byte, b'[' | b'(')).count().min(24);
    let patterns = if text.contains('/') { pattern::FEW_STATES * 200 } else { 0 };
    64 + text.len() * (1 + depth) * 10 + patterns
}

/// How many steps it takes at most to read a text as a path.
pub(crate) fn steps_to_parse(text: &str) -> u64 {
    u64::try_from(effort(text) / 8).unwrap_or(u64::MAX)
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// It has no characters.
    #[error("the path is empty")]
    Empty,
    /// It is longer than [`MAX_LENGTH`].
    #[error("the path has more than {MAX_LENGTH} characters")]
    TooLong,
    /// Filters and functions are nested too deep.
    #[error("the path is nested too deep")]
    TooDeep,
    /// It is not a path of the library's syntax.
    #[error("{reason}")]
    Syntax {
        /// What was expected where.
        reason: String,
    },
}

/// Why a path gave no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Nothing is there. In Webex the variable stays empty.
    #[error("nothing is at this path")]
    NotFound,
    /// The document is `null`, which the library refuses to look into.
    #[error("the document is null")]
    NullDocument,
    /// The path cannot be applied to this document.
    #[error("{reason}")]
    NotApplicable {
        /// What does not fit.
        reason: String,
    },
    /// Reading it takes more steps, or deeper ones, than we allow.
    #[error("reading the path takes too many steps")]
    TooManySteps,
}

impl ReadError {
    /// Whether nothing was there, which is no fault for a flow.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound)
    }
}
