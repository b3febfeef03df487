//! Compares Webex's calls with ours: whatever the webhooks lost is found here.
//!
//! Every few minutes, one process asks Search for the telephony tasks that ended since the water mark, and hands each to
//! [`CloseTask`]. The mark moves when all of them were; so a crash or an outage in between repeats, and loses nothing.

mod closing;
mod events;
mod missing;
mod read;
mod report;
#[cfg(test)]
mod tests;
mod watch;
mod window;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

pub use closing::{CloseError, CloseOutcome, CloseTask};
pub use events::EventRecovery;
pub use read::{MissingTaskId, ended_task};
pub use report::{CallDifference, ComparisonOutcome, ReconcileReport};
pub use watch::{SubscriptionCounts, SubscriptionWatch};

use super::{ApiClient, PageCursor, TimeSpan, WebexError};
use crate::clock::Clock;
use crate::domain::EndedTask;
use crate::store::{Memo, Run, Store, StoreError, Turn};
use crate::telemetry::Metrics;

/// How long a turn lasts unless it is prolonged, which happens with every page.
const TURN_LASTS: Duration = Duration::from_secs(300);

/// How long a service that has just started leaves Webex alone.
const FIRST_AFTER: Duration = Duration::from_secs(60);

/// Why a comparison ended early. It begins again from the water mark.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReconcileError {
    /// Webex gives no tasks.
    #[error(transparent)]
    Webex(#[from] WebexError),
    /// The database does not answer.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// Another process is comparing.
    #[error("another process is comparing calls right now")]
    Elsewhere,
}

/// What a step has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconcileStep {
    /// Compared a stretch of time; there may be another.
    Compared(ReconcileReport),
    /// Nothing has settled since the last.
    Nothing,
    /// Another process has the turn.
    Elsewhere,
}

/// How far a backfill has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillProgress {
    /// Up to when.
    pub to: Timestamp,
    /// Tasks compared so far.
    pub tasks: usize,
}

/// Compares Webex's calls with ours.
pub struct Reconciler<C> {
    client: Arc<ApiClient>,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    closing: C,
    /// The name of this process in turns.
    owner: String,
    /// How long to wait, in all, where Webex limits our requests.
    patience: Duration,
    watch: Option<SubscriptionWatch>,
}

impl<C: CloseTask> Reconciler<C> {
    /// In the name of `owner`.
    #[must_use]
    pub fn new(
        client: Arc<ApiClient>,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        closing: C,
        owner: String,
    ) -> Self {
        Self { client, store, clock, metrics, closing, owner, patience: Duration::ZERO, watch: None }
    }

    /// Waits so long, in all, where Webex limits our requests, instead of giving up at once.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Looks after subscriptions, too.
    #[must_use]
    pub fn watching(self, watch: Option<SubscriptionWatch>) -> Self {
        Self { watch, ..self }
    }

    /// Works every `every` until it is dropped.
    pub async fn run(self: Arc<Self>, every: Duration) {
        let first = tokio::time::Instant::now() + every.min(FIRST_AFTER);
        let mut beat = tokio::time::interval_at(first, every);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            beat.tick().await;
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "calls were not compared with Webex; trying again later");
            }
        }
    }

    /// Everything there is to do now: what has settled since it began is left to the next.
    ///
    /// # Errors
    /// When Webex or the database does not answer.
    pub async fn round(&self) -> Result<(), ReconcileError> {
        let compared = self.compare_all(self.clock.now()).await;
        // Subscriptions that Webex has turned inactive are no better for calls that it does not show.
        let watched = self.look_after_subscriptions().await;
        compared.and(watched)
    }

    async fn compare_all(&self, now: Timestamp) -> Result<(), ReconcileError> {
        while let ReconcileStep::Compared(report) = self.step_as_of(now).await? {
            if report.tasks > report.agreed {
                tracing::info!("{report}");
            }
        }
        Ok(())
    }

    /// Compares the next stretch of time, if there is one.
    ///
    /// # Errors
    /// When Webex or the database does not answer; the water mark stays.
    pub async fn step(&self) -> Result<ReconcileStep, ReconcileError> {
        self.step_as_of(self.clock.now()).await
    }

    async fn step_as_of(&self, now: Timestamp) -> Result<ReconcileStep, ReconcileError> {
        if !self.take_turn().await? {
            return Ok(ReconcileStep::Elsewhere);
        }
        let result = self.step_in_turn(now).await;
        self.end_turn().await;
        result
    }

    async fn step_in_turn(&self, now: Timestamp) -> Result<ReconcileStep, ReconcileError> {
        let mark = self.store.recall(Memo::WaterMark).await?;
        let at = mark.as_deref().and_then(|mark| Timestamp::from_millisecond(mark.parse().ok()?).ok());
        let Some((span, fresh)) = window::next(at, now) else { return Ok(ReconcileStep::Nothing) };
        let report = self.compare(span, fresh, Run::Real).await?;
        let reached = span.to.as_millisecond().to_string();
        if !self.store.swap(Memo::WaterMark, mark.as_deref(), &reached).await? {
            // Our turn was over, and another process has moved the mark.
            return Ok(ReconcileStep::Elsewhere);
        }
        self.metrics.water_mark(span.to);
        Ok(ReconcileStep::Compared(report))
    }

    /// Compares a range of the past; the water mark stays where it is. A dry run changes nothing.
    ///
    /// # Errors
    /// When Webex or the database does not answer, or another process is comparing.
    pub async fn backfill(
        &self,
        range: TimeSpan,
        run: Run,
        progress: &mut dyn FnMut(BackfillProgress),
    ) -> Result<ReconcileReport, ReconcileError> {
        if run == Run::Real && !self.take_turn().await? {
            return Err(ReconcileError::Elsewhere);
        }
        let mut all = ReconcileReport::default();
        let mut result = Ok(());
        for span in window::slices(range) {
            match self.compare(span, Timestamp::MIN, run).await {
                Ok(report) => all.append(report),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
            progress(BackfillProgress { to: span.to, tasks: all.tasks });
        }
        if run == Run::Real {
            self.end_turn().await;
        }
        result.map(|()| all)
    }

    /// Calls that ended before `fresh` were counted before: of them, only what is new is.
    async fn compare(
        &self,
        span: TimeSpan,
        fresh: Timestamp,
        run: Run,
    ) -> Result<ReconcileReport, ReconcileError> {
        let mut report = ReconcileReport::default();
        let mut cursor: Option<PageCursor> = None;
        let mut patience = self.patience;
        loop {
            let page = match self.client.ended_tasks(span, cursor.as_ref()).await {
                Err(WebexError::Limited { after }) if after <= patience => {
                    patience -= after;
                    tokio::time::sleep(after).await;
                    continue;
                }
                page => page?,
            };
            let unreadable = std::iter::repeat_n(Err(MissingTaskId), page.unreadable);
            for task in page.tasks.into_iter().map(ended_task).chain(unreadable) {
                match task {
                    Ok(Some(task)) => self.close(task, fresh, run, &mut report).await?,
                    Ok(None) => {}
                    Err(error) => self.leave_out(&error, run, &mut report),
                }
            }
            cursor = match page.next {
                Some(next) => Some(next),
                None => return Ok(report),
            };
            if run == Run::Real && !self.take_turn().await? {
                return Err(ReconcileError::Elsewhere);
            }
        }
    }

    async fn close(
        &self,
        task: EndedTask,
        fresh: Timestamp,
        run: Run,
        report: &mut ReconcileReport,
    ) -> Result<(), ReconcileError> {
        let (id, ended) = (task.id.clone(), task.ended);
        let closed = match self.closing.close(task, run).await {
            Ok(closed) => closed,
            Err(CloseError::Store(error)) => return Err(error.into()),
            // Another time would not help: it must not hold the water mark for ever.
            Err(error @ CloseError::Unusable(_)) => {
                self.leave_out(&error, run, report);
                return Ok(());
            }
        };
        let comparison = ComparisonOutcome::from(closed);
        if ended <= fresh && matches!(comparison, ComparisonOutcome::Agreed | ComparisonOutcome::Unknown) {
            return Ok(());
        }
        if run == Run::Real {
            self.metrics.reconciled(comparison.label());
        }
        let difference =
            (comparison != ComparisonOutcome::Agreed).then_some(CallDifference { task: id, ended, closed });
        if let Some(difference) = difference.as_ref().filter(|_| run == Run::Real) {
            tracing::info!(task = difference.task, "{difference}");
        }
        report.add(comparison, difference);
        Ok(())
    }

    /// One odd record holds up neither the others nor the water mark.
    fn leave_out(&self, error: &dyn std::error::Error, run: Run, report: &mut ReconcileReport) {
        tracing::warn!(%error, "left out");
        if run == Run::Real {
            self.metrics.reconciled(ComparisonOutcome::Failed.label());
        }
        report.add(ComparisonOutcome::Failed, None);
    }

    async fn look_after_subscriptions(&self) -> Result<(), ReconcileError> {
        let Some(watch) = &self.watch else { return Ok(()) };
        if !self.take_turn().await? {
            return Ok(());
        }
        let watched = watch.look(&self.client).await;
        self.end_turn().await;
        let watched = watched?;
        self.metrics.subscriptions(watched.active + watched.reactivated, watched.inactive);
        Ok(())
    }

    async fn take_turn(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let until = now.checked_add(TURN_LASTS).unwrap_or(Timestamp::MAX);
        self.store.take_turn(Turn::Reconcile, &self.owner, until, now).await
    }

    /// Gives the turn back: for who breaks off what was begun.
    pub async fn end_turn(&self) {
        if let Err(error) = self.store.end_turn(Turn::Reconcile, &self.owner).await {
            tracing::debug!(%error, "the turn to compare was not given back; it ends by itself");
        }
    }
}
