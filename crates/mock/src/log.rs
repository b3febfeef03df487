//! What the org remembers of its callers: every request, if asked to, and every refusal.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::bad_day::BadDay;
use super::locate::Operation;

/// A request as it arrived: wire snapshots are made of these.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedRequest {
    /// What it asked for.
    pub operation: Operation,
    /// HTTP method.
    pub method: String,
    /// Path and query as they came, percent-encoded.
    pub path: String,
    /// Headers of interest, names in lower case; of `authorization` only the scheme.
    pub headers: BTreeMap<String, String>,
    /// The bearer token.
    #[serde(skip)]
    pub token: Option<String>,
    /// The body if it was JSON, or the fields of a form.
    pub body: Option<Value>,
    /// The body's length in bytes.
    pub body_length: usize,
    /// The status of the answer; `None` where a bad day let the request without a whole answer.
    pub answered: Option<u16>,
    /// What went wrong with it on order.
    #[serde(skip)]
    pub day: Option<BadDay>,
    /// When the org had read it.
    #[serde(skip)]
    pub at: Timestamp,
}

/// A request the org refused, as Salesforce would have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// What was asked for.
    pub operation: Operation,
    /// HTTP method.
    pub method: String,
    /// Path as it came.
    pub path: String,
    /// Status of the answer.
    pub status: u16,
    /// Everything that was wrong.
    pub reasons: Vec<String>,
}

/// Keeps tokens, phone numbers and attributes out of logs and failed assertions.
impl fmt::Debug for RecordedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RecordedRequest")
            .field("operation", &self.operation)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("answered", &self.answered)
            .finish_non_exhaustive()
    }
}

/// The newest entries of a kind.
#[derive(Debug)]
pub(super) struct Newest<T> {
    entries: VecDeque<T>,
    keep: usize,
}

impl<T: Clone> Newest<T> {
    pub(super) fn new(keep: usize) -> Self {
        Self { entries: VecDeque::new(), keep }
    }

    pub(super) fn push(&mut self, entry: T) {
        self.entries.push_back(entry);
        if self.entries.len() > self.keep {
            self.entries.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<T> {
        self.entries.iter().cloned().collect()
    }

    /// Offers the newest first, until one is taken.
    pub(super) fn change_last(&mut self, mut change: impl FnMut(&mut T) -> bool) {
        let _ = self.entries.iter_mut().rev().find_map(|entry| change(entry).then_some(()));
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}
