//! The tongue of Webex Contact Center.

mod flow;
mod template;

pub use flow::{Flow, FlowError, HttpActivity, Output};
pub use template::{TemplateError, fill};
