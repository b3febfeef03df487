//! Metadata of a call: which values are known of it, and which fields of its VoiceCall take them.
//!
//! An [`Attribute`] names a field and, by a [`ValuePath`], where its value is found. What requests and webhooks tell at
//! such paths is picked from them as they arrive ([`PickedValues`]); with the story of the call it becomes [`KnownValues`], in which
//! the order of arrival leaves no trace. [`fill`] is the decision: what goes into `callAttributes`, and a line for each field
//! that says what became of it.

mod fill;
mod found;
mod knowledge;
mod merge;
mod path;
mod picked;
mod report;
mod segments;
#[cfg(test)]
mod tests;

pub use fill::{FieldMapping, FillStage, FilledAttributes, SentAttributes, fill};
pub use found::{FoundValue, ValueShape};
pub use knowledge::KnownValues;
pub use path::{Attribute, InvalidPath, PathRoot, ValuePath};
pub use picked::{ArrivedField, PickedValues};
pub use report::{AttributeLine, AttributeOutcome, AttributeReport};
pub use segments::SegmentValue;
