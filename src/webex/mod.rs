//! The tongue of Webex Contact Center.

mod flow;
mod signature;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod webhook;
mod worker;

pub use flow::{Flow, FlowError, HttpActivity, Output};
pub use signature::{Signatures, is_fresh};
pub use template::{TemplateError, fill};
pub use webhook::{About, NoWebhook, Webhook};
pub use worker::TaskWorker;
