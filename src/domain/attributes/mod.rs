//! Metadata of a call: which values are known of it, and which fields of its VoiceCall take them.
//!
//! An [`Attribute`] names a field and, by a [`ValuePath`], where its value is found. What requests and webhooks tell at
//! such paths is picked from them as they arrive ([`Picked`]); with the story of the call it becomes [`Knowledge`], in which
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

pub use fill::{Filled, Form, Moment, Sent, fill};
pub use found::{Found, Shape};
pub use knowledge::Knowledge;
pub use path::{Attribute, InvalidPath, Root, ValuePath};
pub use picked::{Arrived, Picked};
pub use report::{Line, Outcome, Report};
pub use segments::SegmentValue;
