//! Compares this module with verdicts of the library.

use serde::Deserialize;
use serde_json::Value;

use super::{JsonPath, PathError, ReadError};

/// How a table of verdicts came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// How many verdicts it holds.
    pub total: usize,
    /// Those that we do not share.
    pub disagreements: Vec<Disagreement>,
}

impl Table {
    /// How many verdicts we share.
    pub fn agree(&self) -> usize {
        self.total.saturating_sub(self.disagreements.len())
    }
}

/// A verdict that we do not share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The path.
    pub path: String,
    /// The document as it is in the table.
    pub document: String,
    /// What the library gave.
    pub expected: String,
    /// What we gave.
    pub actual: String,
}

/// A text that is no table.
#[derive(Debug, thiserror::Error)]
#[error("this is no table of paths: {0}")]
pub struct TableError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    document: String,
    path: String,
    #[serde(default, deserialize_with = "present")]
    value: Option<Value>,
    fails: Option<String>,
}

/// Tells `null` from nothing.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Reads a table, `{"vectors": [{"document", "path", "value" or "fails"}]}`, and compares.
///
/// # Errors
/// It is no such table.
pub fn table(document: &str) -> Result<Table, TableError> {
    let vectors: Vectors = serde_json::from_str(document)?;
    let disagreements = vectors.vectors.iter().filter_map(disagreement).collect();
    Ok(Table { total: vectors.vectors.len(), disagreements })
}

fn disagreement(vector: &Vector) -> Option<Disagreement> {
    let actual = outcome(vector);
    let agrees = match (&actual, &vector.value, &vector.fails) {
        (Ok(actual), Some(expected), None) => actual == expected,
        (Err(failure), None, Some(expected)) => failure.is(expected),
        _ => false,
    };
    if agrees {
        return None;
    }
    let text = |value: &Value| value.to_string();
    let expected = vector.value.as_ref().map(text).or_else(|| vector.fails.clone());
    Some(Disagreement {
        path: vector.path.clone(),
        document: vector.document.clone(),
        expected: expected.unwrap_or_default(),
        actual: actual.as_ref().map_or_else(Failed::words, text),
    })
}

enum Failed {
    Document(String),
    Path(PathError),
    Read(ReadError),
}

impl Failed {
    /// Whether the library's class of exception names the same failure. Only whether a path was refused or nothing was found makes a
    /// difference for a flow.
    fn is(&self, exception: &str) -> bool {
        match self {
            Self::Document(_) => exception == "InvalidJsonException",
            Self::Path(PathError::Empty) => exception == "IllegalArgumentException",
            Self::Path(_) => exception == "InvalidPathException",
            Self::Read(ReadError::NotFound) => exception == "PathNotFoundException",
            Self::Read(_) => exception != "PathNotFoundException",
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Document(error) => error.clone(),
            Self::Path(error) => error.to_string(),
            Self::Read(error) => error.to_string(),
        }
    }
}

fn outcome(vector: &Vector) -> Result<Value, Failed> {
    let path = JsonPath::parse(&vector.path).map_err(Failed::Path)?;
    let document: Value =
        serde_json::from_str(&vector.document).map_err(|error| Failed::Document(error.to_string()))?;
    path.read(&document).map_err(Failed::Read)
}
