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
pub use client::{ApiClient, WebexError};
pub use connect::{MissingSetting, client, tokens};
pub use flow::{Flow, FlowError, HttpActivity, Output};
pub use reconcile::{
    BackfillProgress, CallDifference, CloseError, CloseOutcome, CloseTask, ComparisonOutcome, EventRecovery,
    MissingTaskId, ReconcileError, ReconcileReport, ReconcileStep, Reconciler, SubscriptionCounts,
    SubscriptionWatch, ended_task,
};
pub use recorder::RecordingClient;
pub use search::{EntityId, PageCursor, SearchActivities, SearchActivity, SearchTask, TaskPage, TimeSpan};
pub use signature::{Signatures, is_fresh};
pub use subscriptions::{NewSubscription, Subscription, WebhookResource, destination};
pub use template::{TemplateError, fill};
pub use token::{TokenCipher, TokenError, WebexLogin, WebexTokens};
pub use webhook::{InvalidWebhook, Webhook, WebhookSubject};
pub use worker::TaskWorker;
