//! Compares Webex's tasks with the stored calls, to find the tasks whose webhooks were lost.
//!
//! Every few minutes, one process asks Search for the telephony tasks that ended since the water mark, and closes each by
//! [`CloseTask`]. The mark moves when all of them are closed; so a crash or an outage in between repeats, and loses nothing.

mod close;
mod missing_events;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub use close::{CloseError, CloseOutcome, CloseTask, EventRecovery};
use jiff::{SignedDuration, Timestamp};
pub use missing_events::{MissingTaskId, ended_task};

use super::subscriptions::SubscriptionWatch;
use super::{ApiClient, PageCursor, TimeSpan, WebexError};
use crate::clock::Clock;
use crate::domain::{CallHandling, CallProgress as Believed, EndedTask, VendorCallKey};
use crate::store::{Memo, Run, Store, StoreError, Turn};
use crate::telemetry::{LogSubject, Metrics};

/// How long a turn lasts; every page prolongs it.
const TURN_LASTS: Duration = Duration::from_secs(300);

/// How long after the start of the service the first comparison begins.
const FIRST_AFTER: Duration = Duration::from_secs(60);

/// Why a comparison ended early. The next one begins again from the water mark.
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

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReconcileStep {
    /// A window was compared; there may be another one.
    Compared(ReconcileReport),
    /// There is no new window yet.
    Nothing,
    /// Another process has the turn.
    Elsewhere,
}

/// The progress of a backfill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackfillProgress {
    /// Up to when.
    pub to: Timestamp,
    /// Tasks compared so far.
    pub tasks: usize,
}

/// Compares Webex's calls with the bridge's.
pub struct Reconciler<C> {
    client: Arc<ApiClient>,
    store: Store,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    closing: C,
    /// The name of this process in turns.
    owner: String,
    /// How long to wait, in all, where Webex limits requests.
    patience: Duration,
    watch: Option<SubscriptionWatch>,
    /// How many subscriptions were inactive at the last look.
    inactive: AtomicUsize,
}

impl<C: CloseTask> Reconciler<C> {
    /// `owner` names this process in turns.
    pub fn new(
        client: Arc<ApiClient>,
        store: Store,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        closing: C,
        owner: String,
    ) -> Self {
        Self {
            client,
            store,
            clock,
            metrics,
            closing,
            owner,
            patience: Duration::ZERO,
            watch: None,
            inactive: AtomicUsize::new(0),
        }
    }

    /// Waits that long, in all, where Webex limits requests, instead of giving up at once.
    #[must_use]
    pub fn patient(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Checks the subscriptions too.
    #[must_use]
    pub fn watching(self, watch: Option<SubscriptionWatch>) -> Self {
        Self { watch, ..self }
    }

    /// How many of our subscriptions were inactive at the last look.
    #[must_use]
    pub fn inactive_subscriptions(&self) -> usize {
        self.inactive.load(Ordering::Relaxed)
    }

    /// When the login at Webex ends, as far as that is known.
    pub async fn login_ends(&self) -> Option<Timestamp> {
        self.client.tokens().login().await.ok()?.ends()
    }

    /// Tells the metrics when the login ends: nobody asks for a token until the first comparison.
    async fn tell_login_end(&self) {
        if let Some(ends) = self.login_ends().await {
            self.metrics.webex_login(ends);
        }
    }

    /// Compares every `every` until it is dropped.
    pub async fn run(&self, every: Duration) {
        self.tell_login_end().await;
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

    /// Compares everything that is due now; what becomes due meanwhile is left to the next round.
    ///
    /// # Errors
    /// When Webex or the database does not answer.
    pub async fn round(&self) -> Result<(), ReconcileError> {
        let compared = self.compare_all(self.clock.now()).await;
        // Inactive subscriptions are checked even if Webex's calls could not be.
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

    /// Compares the next window, if there is one.
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
        let Some((span, fresh)) = next(at, now) else { return Ok(ReconcileStep::Nothing) };
        let report = self.compare(span, fresh, Run::Real).await?;
        let reached = span.to.as_millisecond().to_string();
        if !self.store.swap(Memo::WaterMark, mark.as_deref(), &reached).await? {
            // The turn was over, and another process has moved the mark.
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
        for span in slices(range) {
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

    /// Compares a window. Calls that ended before `fresh` were counted before: of them, only new differences are counted.
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
        let key = VendorCallKey::of_interaction(&id).ok();
        let subject = LogSubject::of_call(None, key.as_ref().map(AsRef::as_ref));
        let closed = match subject.about(self.closing.close(task, run)).await {
            Ok(closed) => closed,
            Err(CloseError::Store(error)) => return Err(error.into()),
            // A repetition would not help: this task must not hold the water mark back for ever.
            Err(error @ CloseError::Unusable(_)) => {
                subject.about_now(|| self.leave_out(&error, run, report));
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
            subject.about_now(|| tracing::info!(task = difference.task, "{difference}"));
        }
        report.add(comparison, difference);
        Ok(())
    }

    /// Logs and counts a malformed record: it holds back neither the others nor the water mark.
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
        self.inactive.store(watched.inactive, Ordering::Relaxed);
        self.metrics.subscriptions(watched.active + watched.reactivated, watched.inactive);
        self.metrics.looked("subscriptions", self.clock.now());
        Ok(())
    }

    async fn take_turn(&self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let until = now.checked_add(TURN_LASTS).unwrap_or(Timestamp::MAX);
        self.store.take_turn(Turn::Reconcile, &self.owner, until, now).await
    }

    /// Gives the turn back, also when a comparison is cancelled.
    pub async fn end_turn(&self) {
        if let Err(error) = self.store.end_turn(Turn::Reconcile, &self.owner).await {
            tracing::debug!(%error, "the turn to compare was not given back; it ends by itself");
        }
    }
}

/// The most differences in a report; all are counted.
const LISTED_DIFFERENCES: usize = 10_000;

/// The outcome for one task: a label of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComparisonOutcome {
    /// The bridge knew everything.
    Agreed,
    /// The bridge knew less than Webex.
    Differed,
    /// The bridge did not know the call.
    Unknown,
    /// The bridge did not know the call, and logged it.
    Logged,
    /// The call could not be closed.
    Failed,
}

impl ComparisonOutcome {
    /// Its name in metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Differed => "differed",
            Self::Unknown => "unknown",
            Self::Logged => "logged",
            Self::Failed => "failed",
        }
    }
}

impl From<CloseOutcome> for ComparisonOutcome {
    fn from(closed: CloseOutcome) -> Self {
        match closed {
            CloseOutcome::Agreed => Self::Agreed,
            CloseOutcome::Differed { .. } | CloseOutcome::GoesOn => Self::Differed,
            CloseOutcome::Unknown { logged: true } => Self::Logged,
            CloseOutcome::Unknown { logged: false } => Self::Unknown,
        }
    }
}

/// A call on which the bridge and Webex differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallDifference {
    /// The task.
    pub task: String,
    /// When it ended.
    pub ended: Timestamp,
    /// The outcome.
    pub closed: CloseOutcome,
}

impl fmt::Display for CallDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ended {:.0}  ", self.task, self.ended)?;
        match self.closed {
            CloseOutcome::Agreed => f.write_str("agreed"),
            CloseOutcome::GoesOn => f.write_str("believed over, goes on"),
            CloseOutcome::Unknown { logged: true } => f.write_str("never seen by the bridge: logged"),
            CloseOutcome::Unknown { logged: false } => f.write_str("never seen by the bridge"),
            CloseOutcome::Differed { believed, handling } => {
                write!(f, "believed {}, was {}", believed_words(believed), handling_words(handling))
            }
        }
    }
}

fn believed_words(believed: Believed) -> &'static str {
    match believed {
        Believed::Unknown => "unknown",
        Believed::Created => "created",
        Believed::Routed => "queued",
        Believed::Answered => "answered",
        Believed::Ended => "ended",
        Believed::Closed => "closed",
    }
}

fn handling_words(handling: Option<CallHandling>) -> &'static str {
    match handling {
        Some(CallHandling::Answered) => "answered",
        Some(CallHandling::Abandoned) => "abandoned in the queue",
        Some(CallHandling::LeftInIvr) => "abandoned in the IVR",
        Some(CallHandling::Callback) => "called back in vain",
        None => "over",
    }
}

/// Counts, and the differences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReconcileReport {
    /// Tasks that were compared.
    pub tasks: usize,
    /// Tasks without a difference.
    pub agreed: usize,
    /// Tasks of which the bridge knew less.
    pub differed: usize,
    /// Tasks that the bridge did not know.
    pub unknown: usize,
    /// Those of them that were logged.
    pub logged: usize,
    /// Tasks that could not be closed.
    pub failed: usize,
    /// The differences, the first ten thousand.
    pub differences: Vec<CallDifference>,
}

impl ReconcileReport {
    fn add(&mut self, comparison: ComparisonOutcome, difference: Option<CallDifference>) {
        self.tasks += 1;
        match comparison {
            ComparisonOutcome::Agreed => self.agreed += 1,
            ComparisonOutcome::Differed => self.differed += 1,
            ComparisonOutcome::Unknown => self.unknown += 1,
            ComparisonOutcome::Logged => self.logged += 1,
            ComparisonOutcome::Failed => self.failed += 1,
        }
        if self.differences.len() < LISTED_DIFFERENCES {
            self.differences.extend(difference);
        }
    }

    /// Adds another report.
    pub fn append(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.agreed += other.agreed;
        self.differed += other.differed;
        self.unknown += other.unknown;
        self.logged += other.logged;
        self.failed += other.failed;
        let room = LISTED_DIFFERENCES.saturating_sub(self.differences.len());
        self.differences.extend(other.differences.into_iter().take(room));
    }
}

impl fmt::Display for ReconcileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tasks, agreed, differed, unknown, logged, failed, .. } = self;
        write!(
            f,
            "{tasks} calls compared: {agreed} agreed, {differed} differed, {logged} logged, {unknown} unknown, {failed} failed"
        )
    }
}

/// Calls that have just ended are left to their own webhooks, which may still arrive.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);
/// The overlap of two windows: Search may have a task late.
const OVERLAP: SignedDuration = SignedDuration::from_mins(15);
/// Where a new bridge begins.
const FIRST_WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Webex keeps its data 13 months.
const FARTHEST: SignedDuration = SignedDuration::from_hours(24 * 390);
/// The longest window; its end is stored when it is compared.
const SLICE: SignedDuration = SignedDuration::from_hours(6);

/// By how much a mark may be in the future: the clocks of replicas differ a little.
const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// The next window, whose end is the next water mark, and the mark before it; none while there is nothing new.
fn next(mark: Option<Timestamp>, now: Timestamp) -> Option<(TimeSpan, Timestamp)> {
    // The mark is kept in milliseconds: a window that ends between two would end before itself, again and again.
    let settled = before(now, SETTLED);
    let settled = Timestamp::from_millisecond(settled.as_millisecond()).unwrap_or(settled);
    // A mark of a clock that was set back since would hide the calls that end until then.
    let mark = mark.filter(|mark| mark.duration_since(now) <= AHEAD);
    let mark = mark.unwrap_or_else(|| before(settled, FIRST_WINDOW)).max(before(now, FARTHEST));
    if mark >= settled {
        return None;
    }
    let to = mark.checked_add(SLICE).unwrap_or(Timestamp::MAX).min(settled);
    Some((TimeSpan { from: before(mark, OVERLAP), to }, mark))
}

/// A range in windows, so that there is progress to show. Webex counts in milliseconds: none is shorter than one.
fn slices(range: TimeSpan) -> Vec<TimeSpan> {
    let (mut from, to) = (range.from.as_millisecond(), range.to.as_millisecond());
    let (shortest, longest) = (OVERLAP.as_millis(), SLICE.as_millis());
    let length = i128::from(to.saturating_sub(from) / 50).clamp(shortest, longest);
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap_or(range.to);
    let mut all = Vec::new();
    while from < to {
        let end = from.saturating_add(length).min(to);
        all.push(TimeSpan { from: at(from), to: at(end) });
        from = end;
    }
    all
}

fn before(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod window_tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + minute * 60).unwrap()
    }

    #[test]
    fn the_first_hour_then_what_is_new_with_some_overlap() {
        assert_eq!(next(None, at(0)), Some((TimeSpan { from: at(-77), to: at(-2) }, at(-62))));
        assert_eq!(next(Some(at(-2)), at(5)), Some((TimeSpan { from: at(-17), to: at(3) }, at(-2))));
        assert_eq!(next(Some(at(3)), at(5)), None);
        assert_eq!(next(Some(at(9)), at(5)), None, "a clock that went back a little");
        assert_eq!(next(Some(at(125)), at(5)), next(None, at(5)), "a clock that was set back");
    }

    #[test]
    fn a_long_time_is_taken_in_parts() {
        let span = next(Some(at(0)), at(60 * 24)).unwrap();
        assert_eq!(span, (TimeSpan { from: at(-15), to: at(360) }, at(0)));
    }

    proptest! {
        #[test]
        fn windows_come_to_an_end_whatever_the_clock_counts_in(nanoseconds in 0_i64..3_600_000_000_000, hours in 0_i64..48) {
            let now = at(0).checked_add(SignedDuration::from_nanos(nanoseconds)).unwrap();
            let mut mark = Some(before(now, SignedDuration::from_hours(hours)));
            for _ in 0..48 / 6 + 2 {
                let Some((span, _)) = next(mark, now) else { return Ok(()) };
                // As the database keeps it.
                mark = Some(Timestamp::from_millisecond(span.to.as_millisecond()).unwrap());
            }
            prop_assert_eq!(next(mark, now), None);
        }

        #[test]
        fn slices_are_the_range_without_gaps(minutes in 1_i64..60 * 24 * 390) {
            let all = slices(TimeSpan { from: at(0), to: at(minutes) });
            prop_assert_eq!((all[0].from, all[all.len() - 1].to), (at(0), at(minutes)));
            prop_assert!(all.windows(2).all(|pair| pair[0].to == pair[1].from));
            prop_assert!(all.iter().all(|span| span.from < span.to));
        }

        #[test]
        fn no_slice_is_shorter_than_a_millisecond(nanoseconds in 0_i64..3_600_000_000_000) {
            let from = Timestamp::from_nanosecond(1_795_000_000_123_456_789).unwrap();
            let to = from.checked_add(SignedDuration::from_nanos(nanoseconds)).unwrap();
            let all = slices(TimeSpan { from, to });
            prop_assert!(all.iter().all(|span| span.from.as_millisecond() < span.to.as_millisecond()));
        }
    }
}
