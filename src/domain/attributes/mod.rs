//! Attributes of a call: which values are known of it, and which fields of its VoiceCall they fill. An [`Attribute`]
//! names a field and, by a [`ValuePath`], where its value is found. The values at such paths are picked from requests and
//! webhooks as these arrive ([`PickedValues`]); with the history of the call they are its [`KnownValues`], in which the
//! order of arrival has no effect. [`fill`] is the decision: the content of `callAttributes`, and a line for each field
//! with its outcome.

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
