//! Webex Contact Center: its webhooks, and the client of its Search, Captures and Subscriptions APIs.

mod client;
mod flows;
mod http;
mod probe;
mod reconcile;
mod recordings;
mod search;
mod signature;
mod subscriptions;
mod task_worker;
#[cfg(test)]
mod tests;
mod token;
mod webhook;

pub use client::{ApiClient, MissingSetting, WebexError, api_client, tokens};
pub use flows::{DraftFlow, FlowStore, FlowVerdict, StoreFinding};
pub use probe::list_once;
pub use reconcile::{
    BackfillProgress, CallDifference, CloseError, CloseOutcome, CloseTask, ComparisonOutcome, EventRecovery,
    MissingTaskId, ReconcileError, ReconcileReport, ReconcileStep, Reconciler, ended_task,
};
pub use recordings::{RecordingClient, Recordings};
pub use search::{EntityId, PageCursor, SearchActivities, SearchActivity, SearchTask, TaskPage, TimeSpan};
pub use signature::{Signatures, is_fresh};
pub use subscriptions::{
    NewSubscription, Subscription, SubscriptionCounts, SubscriptionWatch, WebhookResource, destination,
};
pub use task_worker::TaskWorker;
pub use token::{TokenCipher, TokenError, WebexLogin, WebexTokens};
pub use webhook::{InvalidWebhook, Webhook, WebhookSubject};
