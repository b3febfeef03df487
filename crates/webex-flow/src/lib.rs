//! Flows of Webex Contact Center as a model.
//!
//! [`model`] reads an export in either format. [`pebble`] renders the expressions in its fields, [`json_path`] reads what its HTTP
//! activities take out of an answer, and [`findings`] tells what is wrong in it. [`mod@write`] writes a flow that is right, and
//! [`rules`] judges FlowV2 as Webex does. Nothing here does I/O: documents, time and answers are passed in.

pub mod findings;
pub mod json_path;
pub mod model;
mod pattern_size;
pub mod pebble;
pub mod play;
pub mod rules;
mod utf16;
pub mod write;
