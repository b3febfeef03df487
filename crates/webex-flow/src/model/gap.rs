//! What an export lacks or has otherwise than it should.

use std::fmt;

/// A fault in an export that does not keep it from being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The activity, variable or event flow it belongs to; the flow itself if it belongs to none.
    pub activity: String,
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub what: String,
}

impl Gap {
    pub(super) fn new(
        activity: impl Into<String>,
        field: impl Into<String>,
        what: impl Into<String>,
    ) -> Self {
        Self { activity: activity.into(), field: field.into(), what: what.into() }
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {} {}", self.activity, self.field, self.what)
    }
}
