//! Closes a call by Webex's record of it: the events that the webhooks lost are given to the bridge.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::missing_events::missing;
use crate::bridge::{Bridge, BridgeError, SharedBridge};
use crate::domain::{
    Call, CallCenterName, CallHandling, CallProgress, CallTimeline, EndedTask, EventKind, TaskEvent, TaskId,
    TaskNumbers, VendorCallKey,
};
use crate::salesforce::Budget;
use crate::settings::Settings;
use crate::store::{Run, StoreError};

/// Closes a call from Webex's record, the same way as its events would have. The same task comes again, because windows
/// overlap: for a closed one the outcome is [`CloseOutcome::Agreed`].
pub trait CloseTask: Send + Sync + 'static {
    /// Compares, and closes an open call; a dry run only compares.
    ///
    /// # Errors
    /// When it could not be written. The task comes again.
    fn close(
        &self,
        task: EndedTask,
        run: Run,
    ) -> impl Future<Output = Result<CloseOutcome, CloseError>> + Send;
}

/// Why a call could not be closed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CloseError {
    /// The database does not answer.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The task cannot be a call, for example because its id cannot be a key.
    #[error("task {0} is not usable as a call")]
    Unusable(String),
}

/// The result of the comparison; the call is closed unless it was a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseOutcome {
    /// The bridge knew everything.
    Agreed,
    /// By the bridge the call was open, or not answered.
    Differed {
        /// The progress by the bridge.
        believed: CallProgress,
        /// The handling by Webex.
        handling: Option<CallHandling>,
    },
    /// By the bridge the call was over, and it goes on.
    GoesOn,
    /// The bridge does not know the call; it is logged to Salesforce if that is configured.
    Unknown {
        /// Whether it is.
        logged: bool,
    },
}

impl<C: CloseTask> CloseTask for Arc<C> {
    fn close(
        &self,
        task: EndedTask,
        run: Run,
    ) -> impl Future<Output = Result<CloseOutcome, CloseError>> + Send {
        self.as_ref().close(task, run)
    }
}

/// How long storing one event may take.
const KEEP_EVENT_WITHIN: Duration = Duration::from_secs(5);

/// Closes a call by giving the bridge the events that its webhooks lost.
pub struct EventRecovery {
    bridge: SharedBridge,
}

impl EventRecovery {
    /// For the bridge of the current configuration.
    pub fn new(bridge: SharedBridge) -> Self {
        Self { bridge }
    }
}

/// The calls of the task that flows have reported, of any contact center: a record has none.
async fn calls(bridge: &Bridge, key: &VendorCallKey) -> Result<Vec<Call>, StoreError> {
    let mut calls = Vec::new();
    for name in bridge.settings().call_centers.keys() {
        let Ok(center) = CallCenterName::parse(name.as_str()) else { continue };
        calls.extend(bridge.store().calls_of(&center, key).await?.into_iter().filter(Call::is_of_a_flow));
    }
    Ok(calls)
}

/// Whether events could complete the final update of one of these calls. Of a call without an agent, the flow has
/// reported everything.
fn completes(settings: &Settings, calls: &[Call], lost: &[TaskEvent]) -> bool {
    let enriches = |call: &Call| {
        let center = settings.call_centers.get(call.name.call_center().as_ref());
        center.is_some_and(|center| center.enrichment.enabled)
    };
    lost.iter().any(|event| event.kind.implies_agent()) && calls.iter().any(enriches)
}

async fn keep_events(
    bridge: &Bridge,
    id: &TaskId,
    events: Vec<TaskEvent>,
    numbers: &TaskNumbers,
) -> Result<(), CloseError> {
    for event in events {
        let budget = Budget::new(Instant::now(), KEEP_EVENT_WITHIN);
        match bridge.keep_event(id.clone(), event, numbers.clone(), &budget).await {
            Ok(()) => {}
            Err(BridgeError::Store(error)) => return Err(error.into()),
            Err(_) => return Err(StoreError::Slow.into()),
        }
    }
    Ok(())
}

impl CloseTask for EventRecovery {
    async fn close(&self, task: EndedTask, run: Run) -> Result<CloseOutcome, CloseError> {
        let unusable = || CloseError::Unusable(crate::domain::quote(&task.id));
        let id = TaskId::parse(task.id.as_str()).map_err(|_| unusable())?;
        let key = id.vendor_call_key().ok_or_else(unusable)?;
        let bridge = self.bridge.load_full();
        let known = bridge.store().find_task(&id).await?.map(|task| task.timeline).unwrap_or_default();
        let calls = calls(&bridge, &key).await?;
        let logs = bridge.settings().webex.as_ref().is_some_and(|webex| webex.log_unknown_calls);
        let lost = missing(&task, &known);
        let closed = judge(&task, &known, &calls, &lost, logs);
        let is_sent = match closed {
            CloseOutcome::Differed { .. } | CloseOutcome::GoesOn => true,
            CloseOutcome::Unknown { logged } => logged,
            // Recovered events may name the agent or a recording. A call that only flows have reported is complete
            // without them, unless its final update is enriched.
            CloseOutcome::Agreed => !known.is_empty() || completes(bridge.settings(), &calls, &lost),
        };
        if is_sent && run == Run::Real {
            let numbers = TaskNumbers { origin: task.origin.clone(), destination: task.destination.clone() };
            keep_events(&bridge, &id, lost, &numbers).await?;
        }
        Ok(closed)
    }
}

/// The outcome: by the events if there are any, else by the reports of flows.
fn judge(
    task: &EndedTask,
    known: &CallTimeline,
    calls: &[Call],
    lost: &[TaskEvent],
    logs: bool,
) -> CloseOutcome {
    if task.is_active {
        return if lost.is_empty() { CloseOutcome::Agreed } else { CloseOutcome::GoesOn };
    }
    if known.is_empty() && calls.is_empty() {
        return CloseOutcome::Unknown { logged: logs };
    }
    let was_answered = task.handling == Some(CallHandling::Answered);
    let agrees = if known.is_empty() {
        let all_ended = calls.iter().all(|call| call.ended_at.is_some());
        let is_callback = task.handling == Some(CallHandling::Callback);
        all_ended && !is_callback && (!was_answered || calls.iter().any(Call::is_answered))
    } else {
        // Not every tenant subscribes to events of agents and recordings, and no event reports a chosen callback.
        let is_extra = |event: &TaskEvent| {
            matches!(
                event.kind,
                EventKind::Agent(_)
                    | EventKind::Transferred
                    | EventKind::CaptureAvailable
                    | EventKind::CallbackChosen
            )
        };
        lost.iter().all(is_extra)
    };
    if agrees {
        return CloseOutcome::Agreed;
    }
    let believed = calls.iter().map(Call::progress).max().unwrap_or(CallProgress::Unknown);
    CloseOutcome::Differed { believed, handling: task.handling }
}
