//! Closes a call by what Webex's record says of it: the events that the webhooks lost are given to the bridge.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::missing_events::missing;
use crate::bridge::{Bridge, SharedBridge, Trouble};
use crate::domain::{
    Call, CallCenterName, CallHandling, CallProgress, CallTimeline, EndedTask, EventKind, TaskEvent, TaskId,
    TaskNumbers, VendorCallKey,
};
use crate::salesforce::Budget;
use crate::settings::Settings;
use crate::store::{Run, StoreError};

/// Closes a call from Webex's record, the same way as its events would have.
///
/// The same task comes again, because stretches of time overlap: what was closed before is [`CloseOutcome::Agreed`].
pub trait CloseTask: Send + Sync + 'static {
    /// Compares, and closes what is open; a dry run only compares.
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
    /// The task cannot be a call: such as an id that is no key.
    #[error("task {0} is not usable as a call")]
    Unusable(String),
}

/// What was found, and done unless it was a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseOutcome {
    /// The bridge knew all of it.
    Agreed,
    /// The bridge believed it open, or did not know that an agent had it.
    Differed {
        /// How far the bridge believed it to be.
        believed: CallProgress,
        /// What Webex says became of it.
        handling: Option<CallHandling>,
    },
    /// The bridge believed it over, and it goes on.
    GoesOn,
    /// The bridge never saw it; logged to Salesforce if that is configured.
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

/// How long keeping one event may take.
const KEEP_EVENT_WITHIN: Duration = Duration::from_secs(5);

/// Tells the bridge what its webhooks did not.
pub struct EventRecovery {
    bridge: SharedBridge,
}

impl EventRecovery {
    /// Tells it to whatever bridge is in place then.
    #[must_use]
    pub fn new(bridge: SharedBridge) -> Self {
        Self { bridge }
    }
}

/// The calls of the task that flows have told of, of any contact center: a record names none.
async fn calls(bridge: &Bridge, key: &VendorCallKey) -> Result<Vec<Call>, StoreError> {
    let mut calls = Vec::new();
    for name in bridge.settings().call_centers.keys() {
        let Ok(center) = CallCenterName::parse(name.as_str()) else { continue };
        calls.extend(bridge.store().calls_of(&center, key).await?.into_iter().filter(Call::is_of_a_flow));
    }
    Ok(calls)
}

/// Whether events could make the final update of one of these calls: of one that no agent had, the flow has said all.
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
            Err(Trouble::Store(error)) => return Err(error.into()),
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
            // Perhaps who answered, or that there is a recording. A call that flows alone have told is whole without
            // events, unless its final update is to tell more than flows know.
            CloseOutcome::Agreed => !known.is_empty() || completes(bridge.settings(), &calls, &lost),
        };
        if is_sent && run == Run::Real {
            let numbers = TaskNumbers { origin: task.origin.clone(), destination: task.destination.clone() };
            keep_events(&bridge, &id, lost, &numbers).await?;
        }
        Ok(closed)
    }
}

/// What was found: by the events if there are any, else by what flows have told.
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
        let told = calls.iter().all(|call| call.ended_at.is_some());
        let is_callback = task.handling == Some(CallHandling::Callback);
        told && !is_callback && (!was_answered || calls.iter().any(Call::is_answered))
    } else {
        // Who answered and left, and that there is a recording, comes by subscriptions that not everybody has; that the caller
        // has chosen to be called back, by none.
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
