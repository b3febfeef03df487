//! Metadata of a call: which values are known of it, and which fields of its VoiceCall take them.
//!
//! An [`Attribute`] names a field and, by a [`ValuePath`], where its value is found. What requests and webhooks tell at
//! such paths is picked from them as they arrive ([`PickedValues`]); with the story of the call it becomes [`KnownValues`], in which
//! the order of arrival leaves no trace. [`fill`] is the decision: what goes into `callAttributes`, and a line for each field
//! that says what became of it.

mod fill;
#[cfg(test)]
mod tests;
mod values;

pub use fill::{
    AttributeLine, AttributeOutcome, AttributeReport, FieldMapping, FillStage, FilledAttributes,
    SentAttributes, fill,
};
pub use values::{
    ArrivedField, Attribute, FoundValue, InvalidPath, KnownValues, PathRoot, PickedValues, SegmentValue,
    ValuePath, ValueShape,
};
