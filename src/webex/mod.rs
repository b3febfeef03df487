//! The tongue of Webex Contact Center.

mod captures;
mod client;
mod connect;
mod flow;
mod places;
mod reconcile;
mod recorder;
mod search;
mod signature;
mod subscriptions;
mod template;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod webhook;
mod worker;

pub use captures::Recordings;
pub use client::{AskError, Client};
pub use connect::{Missing, client, tokens};
pub use flow::{Flow, FlowError, HttpActivity, Output};
pub use reconcile::{
    Closed, Closing, ClosingError, Comparison, Difference, LostEvents, NoId, Progress, ReconcileError,
    Reconciler, Report, Step, Watch, Watched, ended_task,
};
pub use recorder::Recorder;
pub use search::{Activities, Activity, Cursor, Named, Page, Span, Task};
pub use signature::{Signatures, is_fresh};
pub use subscriptions::{NewSubscription, Resource, Subscription, destination};
pub use template::{TemplateError, fill};
pub use token::{Login, Seal, TokenError, Tokens};
pub use webhook::{About, NoWebhook, Webhook};
pub use worker::TaskWorker;
