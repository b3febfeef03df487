//! Concludes tasks that have ended, once their late events have had their time.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Mutex as AsyncMutex, Notify, OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::recordings::{RECORDINGS_WITHIN, RecordingClient, Recordings, again};
use crate::bridge::{Bridge, Concluded, Conclusion, SharedBridge, Unmapped};
use crate::domain::{CallCenterName, Recording, TaskId};
use crate::outbox::Outbox;
use crate::salesforce::Budget;
use crate::settings;
use crate::store::{LeaseTasks, NewEvent, SettleTask, StoreError, Task};
use crate::telemetry::{LogSubject, Metrics};

/// How long concluding one task may take; requests that Salesforce has not taken by then stay in the outbox.
const CONCLUDE_WITHIN: Duration = Duration::from_secs(4);
/// How long finding the contact centers of the tasks of a lease may take.
const FIND_CENTERS_WITHIN: Duration = Duration::from_secs(1);
/// How long after its end a task that no flow has reported is concluded again.
const LATE_CREATES: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(600),
    Duration::from_secs(3600),
    Duration::from_secs(6 * 3600),
];
/// How long a step may take that needs the database only.
const STORE_WITHIN: Duration = Duration::from_secs(2);
// All steps fit into one lease, so that no other replica concludes the same task meanwhile.
const _: () = assert!(
    FIND_CENTERS_WITHIN.as_secs()
        + STORE_WITHIN.as_secs()
        + RECORDINGS_WITHIN.as_secs()
        + STORE_WITHIN.as_secs()
        + CONCLUDE_WITHIN.as_secs()
        < settings::Outbox::LEAST_LEASE.as_secs()
);
/// Tasks leased together: enough for some full queries for recordings.
const LEASED_TOGETHER: u32 = 40;
/// The tasks of a contact center that are concluded at once, and as many whose recordings are queried.
const SLOTS_PER_CENTER: usize = 40;
/// The longest pause: another replica may have stored the end of a task.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// The pause while a due task waits for a slot: it hides when the next of others is due.
const SHORT_PAUSE: Duration = Duration::from_millis(250);
/// How many unmapped ids are logged, each once; beyond, they are only counted.
const MOST_LOGGED: usize = 10_000;

/// Concludes tasks, each in one replica at a time. Each contact center has slots of its own, so that one whose Salesforce
/// hangs delays its own tasks only.
pub struct TaskWorker {
    bridge: SharedBridge,
    outbox: Arc<Outbox>,
    outcomes: Arc<ConclusionLog>,
    recorder: Option<Arc<RecordingClient>>,
    slots: TaskSlots,
    /// For tasks whose recordings are queried: other tasks do not wait for Webex.
    recording_slots: TaskSlots,
    /// The tasks in progress. The holder of the lock takes a step; others wait.
    in_progress: AsyncMutex<JoinSet<()>>,
    /// Notified when a slot may have become free.
    ended: Arc<Notify>,
}

/// Counts conclusions, and logs each unmapped id once.
struct ConclusionLog {
    metrics: Arc<Metrics>,
    logged: Mutex<HashSet<Unmapped>>,
}

impl TaskWorker {
    /// Without a client for recordings, recordings are not known.
    pub fn new(
        bridge: SharedBridge,
        outbox: Arc<Outbox>,
        metrics: Arc<Metrics>,
        recorder: Option<RecordingClient>,
    ) -> Self {
        let outcomes = Arc::new(ConclusionLog { metrics, logged: Mutex::default() });
        let recorder = recorder.map(Arc::new);
        let (slots, recording_slots) = (TaskSlots::new(SLOTS_PER_CENTER), TaskSlots::new(SLOTS_PER_CENTER));
        let (in_progress, ended) = (AsyncMutex::default(), Arc::default());
        Self { bridge, outbox, outcomes, recorder, slots, recording_slots, in_progress, ended }
    }

    /// Concludes until it is dropped.
    pub async fn run(self: Arc<Self>) {
        loop {
            match self.step().await {
                Ok(0) => self.pause().await,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "Webex's tasks cannot be read");
                    tokio::time::sleep(LONGEST_PAUSE).await;
                }
            }
        }
    }

    /// Leases the tasks that are due, as far as there are slots, and starts concluding each; returns how many. Waits for
    /// none of them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let mut in_progress = self.in_progress.lock().await;
        while in_progress.try_join_next().is_some() {}
        self.begin_due(&mut in_progress).await
    }

    /// The same once all tasks in progress have ended: returns 0 only if no due task is left.
    ///
    /// # Errors
    /// As [`TaskWorker::step`].
    pub async fn step_when_idle(&self) -> Result<usize, StoreError> {
        let mut in_progress = self.in_progress.lock().await;
        while in_progress.join_next().await.is_some() {}
        self.begin_due(&mut in_progress).await
    }

    async fn begin_due(&self, in_progress: &mut JoinSet<()>) -> Result<usize, StoreError> {
        let lease = LeaseTasks {
            now: self.outbox.now(),
            owner: self.outbox.owner().to_owned(),
            until: self.outbox.lease_until(),
            limit: LEASED_TOGETHER,
            without: self.slots.full(),
        };
        let tasks = self.outbox.store().lease_tasks(&lease).await?;
        let concluder = self.concluder();
        let (mut begun, mut recorded) = (0, Vec::new());
        for (task, centers) in concluder.with_call_centers(tasks).await {
            let is_announced = self.recorder.is_some() && task.timeline.announced().is_some();
            let slots = if is_announced { &self.recording_slots } else { &self.slots };
            let Some(guards) = slots.take(&centers) else {
                // The task waits behind those that were due before.
                let (concluder, now) = (concluder.clone(), self.outbox.now());
                in_progress.spawn(async move { concluder.settle(task, Some(now), false).await });
                continue;
            };
            begun += 1;
            match is_announced {
                true => recorded.push((task, guards)),
                false => self.begin(in_progress, concluder.clone(), async move |concluder| {
                    subject(&task).about(concluder.conclude_task(task, None)).await;
                    drop(guards);
                }),
            }
        }
        if !recorded.is_empty() {
            self.begin(in_progress, concluder, async move |concluder| {
                concluder.query_and_conclude(recorded).await;
            });
        }
        Ok(begun)
    }

    fn begin<F: Future<Output = ()> + Send + 'static>(
        &self,
        in_progress: &mut JoinSet<()>,
        concluder: TaskConclusion,
        conclude_task: impl FnOnce(TaskConclusion) -> F,
    ) {
        let (conclude_task, ended) = (conclude_task(concluder), Arc::clone(&self.ended));
        in_progress.spawn(async move {
            conclude_task.await;
            ended.notify_one();
        });
    }

    /// Waits until all tasks in progress have ended. Steps wait meanwhile.
    pub async fn idle(&self) {
        let mut in_progress = self.in_progress.lock().await;
        while in_progress.join_next().await.is_some() {}
    }

    /// Lets tasks in progress end until then. The others are cancelled, still under this replica's lease.
    pub async fn stop(&self, deadline: Instant) {
        let mut in_progress = self.in_progress.lock().await;
        let ended = async { while in_progress.join_next().await.is_some() {} };
        if timeout_at(deadline, ended).await.is_err() {
            tracing::warn!(tasks = in_progress.len(), "conclusions of Webex's tasks are broken off");
            in_progress.shutdown().await;
        }
    }

    /// What concluding a task needs, by the current configuration.
    fn concluder(&self) -> TaskConclusion {
        TaskConclusion {
            bridge: self.bridge.load_full(),
            outbox: Arc::clone(&self.outbox),
            outcomes: Arc::clone(&self.outcomes),
            recorder: self.recorder.clone(),
        }
    }

    async fn pause(&self) {
        let due = self.outbox.store().next_task().await.ok().flatten();
        let left = match due.map(|due| due.duration_since(self.outbox.now())) {
            None => LONGEST_PAUSE,
            Some(left) => Duration::try_from(left).unwrap_or(SHORT_PAUSE),
        };
        let left = left.clamp(Duration::from_millis(10), LONGEST_PAUSE);
        // Waits until a slot is free or the time is over.
        let _ = timeout(left, self.ended.notified()).await;
    }
}

impl ConclusionLog {
    fn record(&self, task: &str, concluded: &Concluded) {
        let Concluded { conclusion, enriched, call_centers, is_pending, .. } = concluded;
        let pending = is_pending.then_some(true);
        let call_center = call_centers.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
        let call_center = (!call_center.is_empty()).then_some(call_center);
        if *conclusion == Conclusion::Unknown {
            // Which contact center it was nobody has told.
            self.metrics.call_ended("", "no_record");
        }
        if *conclusion != Conclusion::Open {
            let enriched: Vec<&str> = enriched.iter().map(|enriched| enriched.label()).collect();
            let enriched = (!enriched.is_empty()).then(|| enriched.join(", "));
            tracing::info!(
                task,
                call_center,
                conclusion = conclusion.label(),
                pending,
                enriched,
                "Webex says that a call has ended"
            );
        }
        for enriched in &concluded.enriched {
            self.metrics.enriched(enriched.label());
        }
        for unmapped in &concluded.unmapped {
            self.metrics.unmapped(unmapped.table);
            let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
            if logged.len() < MOST_LOGGED && logged.insert(unmapped.clone()) {
                let Unmapped { table, call_center, id } = unmapped;
                let key = format!("call_centers.{call_center}.enrichment.{table}");
                tracing::warn!(key, id, "this id of Webex has no name here: it is left out of final updates");
            }
        }
    }
}

/// Concludes tasks. If nothing can be stored, the lease expires, and a replica concludes the task again.
#[derive(Clone)]
struct TaskConclusion {
    bridge: Arc<Bridge>,
    outbox: Arc<Outbox>,
    outcomes: Arc<ConclusionLog>,
    recorder: Option<Arc<RecordingClient>>,
}

/// The result of a query for the recordings of a task.
#[derive(Clone, Copy)]
struct RecordingsAsked {
    /// No query is sent before.
    earliest: Option<Timestamp>,
}

impl TaskConclusion {
    /// The tasks, each with the contact centers of its calls. A task whose contact centers cannot be found now is left
    /// out.
    async fn with_call_centers(&self, tasks: Vec<Task>) -> Vec<(Task, BTreeSet<CallCenterName>)> {
        let (start, mut asked) = (Instant::now(), JoinSet::new());
        for task in tasks {
            let bridge = Arc::clone(&self.bridge);
            asked.spawn(async move {
                let budget = Budget::new(start, FIND_CENTERS_WITHIN);
                let centers = bridge.call_centers_of(&task, &budget).await;
                (task, centers)
            });
        }
        let mut logged = Vec::with_capacity(asked.len());
        while let Some(joined) = asked.join_next().await {
            match joined {
                Ok((task, Ok(centers))) => logged.push((task, centers)),
                Ok((task, Err(error))) => {
                    subject(&task).about_now(|| {
                        tracing::warn!(task = %task.id, %error, "a task is looked at later");
                    });
                }
                Err(error) => tracing::error!(%error, "a task is looked at later"),
            }
        }
        logged
    }

    /// Queries the recordings of all of these tasks together, then concludes each.
    async fn query_and_conclude(&self, tasks: Vec<(Task, TaskSlotGuards)>) {
        let Some(recorder) = &self.recorder else { return };
        let tasks = self.with_wanted(tasks).await;
        let wanted = tasks.iter().filter(|(_, is_wanted, _)| *is_wanted);
        let ids: Vec<TaskId> = wanted.map(|(task, ..)| task.id.clone()).collect();
        let answer = match ids.is_empty() {
            true => Ok(Recordings::new()),
            false => recorder.ask(&ids, self.outbox.now()).await,
        };
        let mut in_progress = JoinSet::new();
        for (mut task, is_wanted, guards) in tasks {
            let concluder = self.clone();
            let answer = answer.as_ref().map(|all| all.get(task.id.as_ref()).cloned().unwrap_or_default());
            let answer = answer.map_err(|until| *until);
            in_progress.spawn(subject(&task).about(async move {
                let asked =
                    if is_wanted { Some(concluder.keep_answer(answer, &mut task).await) } else { None };
                concluder.conclude_task(task, asked).await;
                drop(guards);
            }));
        }
        while in_progress.join_next().await.is_some() {}
    }

    /// The tasks, each with whether its recordings are needed. A task for which that cannot be found now is left out.
    async fn with_wanted(&self, tasks: Vec<(Task, TaskSlotGuards)>) -> Vec<(Task, bool, TaskSlotGuards)> {
        let budget = Budget::new(Instant::now(), STORE_WITHIN);
        let mut with_wanted = Vec::with_capacity(tasks.len());
        for (task, guards) in tasks {
            match self.bridge.wants_recordings(&task, &budget).await {
                Ok(is_wanted) => with_wanted.push((task, is_wanted, guards)),
                Err(error) => subject(&task).about_now(|| {
                    tracing::warn!(task = %task.id, %error, "a recording is asked for later");
                }),
            }
        }
        with_wanted
    }

    /// Stores the answer for the recordings of a task.
    async fn keep_answer(
        &self,
        answer: Result<Vec<Recording>, Timestamp>,
        task: &mut Task,
    ) -> RecordingsAsked {
        let Some(recorder) = &self.recorder else { return RecordingsAsked { earliest: None } };
        match answer {
            Ok(found) => {
                self.keep(recorder, task, found).await;
                RecordingsAsked { earliest: None }
            }
            Err(until) => {
                recorder.count("failed");
                RecordingsAsked { earliest: Some(until) }
            }
        }
    }

    /// Stores Webex's answer before anything is sent because of it: so nothing that was sent is taken back later.
    async fn keep(&self, recorder: &RecordingClient, task: &mut Task, found: Vec<Recording>) {
        let Some(mark) = task.timeline.announced().and_then(|announced| announced.answered(found)) else {
            recorder.count("nothing");
            return;
        };
        let now = self.outbox.now();
        let new = NewEvent { task: task.id.clone(), event: mark.clone(), numbers: None, now, due_at: now };
        let stored = timeout(STORE_WITHIN, self.outbox.store().keep_event(new)).await;
        match stored.unwrap_or(Err(StoreError::Slow)) {
            Ok(()) => {
                recorder.count("found");
                task.add(mark);
            }
            Err(error) => {
                tracing::warn!(task = %task.id, %error, "a recording cannot be written down; asked again later");
            }
        }
    }

    /// Concludes a task, unless its end may be a consulted party's, or it waits for a recording. `asked`: its recordings
    /// were just queried.
    async fn conclude_task(&self, mut task: Task, asked: Option<RecordingsAsked>) {
        let doubted = task.timeline.history().doubted_until();
        if let Some(until) = doubted.filter(|until| *until > self.outbox.now()) {
            return self.settle(task, Some(until), false).await;
        }
        let id = task.id.to_string();
        let budget = Budget::new(Instant::now(), CONCLUDE_WITHIN);
        let waits = match &self.recorder {
            Some(_) => self.bridge.waits_for_recording(&task, &budget).await,
            None => Ok(None),
        };
        let concluded = match waits {
            Ok(Some(until)) => {
                let due_at = self.next(&task, asked).map_or(until, |next| next.min(until));
                return self.settle(task, Some(due_at), false).await;
            }
            Ok(None) => self.bridge.conclude(&mut task, &budget).await,
            Err(error) => Err(error),
        };
        let (mut next_conclusion, is_first) = (None, task.has_news());
        match concluded {
            Ok(concluded) => {
                let is_unknown = concluded.conclusion == Conclusion::Unknown;
                next_conclusion = self.next_conclusion(&task).filter(|_| is_unknown);
                if !is_unknown || is_first {
                    self.outcomes.record(&id, &concluded);
                }
            }
            Err(error) if error.is_passing() => {
                tracing::warn!(task = id, %error, "the end of a task cannot be written down; trying again later");
                return;
            }
            Err(error) => tracing::error!(task = id, %error, "Salesforce refused the end of a call"),
        }
        let due_at = self.next(&task, asked);
        if let (Some(_), Some(_), None, Some(recorder)) =
            (asked, task.timeline.announced(), due_at, &self.recorder)
        {
            recorder.count("given_up");
            tracing::warn!(task = id, "Webex announced a recording and gives none: no longer asked for");
        }
        self.settle(task, due_at.or(next_conclusion), true).await;
    }

    /// When a task that no flow has reported is concluded again: its create may come after its end.
    fn next_conclusion(&self, task: &Task) -> Option<Timestamp> {
        let (ended, now) = (task.timeline.ended_at()?, self.outbox.now());
        LATE_CREATES.iter().filter_map(|after| ended.checked_add(*after).ok()).find(|at| *at > now)
    }

    /// When the task's recordings are requested again, if the last request found none.
    fn next(&self, task: &Task, asked: Option<RecordingsAsked>) -> Option<Timestamp> {
        let (asked, announced) = (asked?, task.timeline.announced()?);
        let now = self.outbox.now();
        again(announced, task.timeline.ended_at().unwrap_or(now), now, asked.earliest)
    }

    async fn settle(&self, task: Task, due_at: Option<Timestamp>, folds: bool) {
        let (id, owner, now) = (task.id.to_string(), self.outbox.owner().to_owned(), self.outbox.now());
        let settle = SettleTask { task, owner, due_at, folds, now };
        if let Err(error) = self.outbox.store().settle_task(settle).await {
            tracing::warn!(task = id, %error, "a task was not folded; it will be looked at again");
        }
    }
}

/// What the lines about a task are about. Its contact centers are known once its calls are.
fn subject(task: &Task) -> Arc<LogSubject> {
    let key = task.id.vendor_call_key();
    LogSubject::of_call(None, key.as_ref().map(AsRef::as_ref))
}

/// The slots of each contact center, and as many for tasks of calls in none.
struct TaskSlots {
    each: usize,
    free: Mutex<HashMap<Option<CallCenterName>, Arc<Semaphore>>>,
}

/// The slots of one task, free again when they are dropped.
type TaskSlotGuards = Vec<OwnedSemaphorePermit>;

impl TaskSlots {
    pub(super) fn new(each: usize) -> Self {
        Self { each, free: Mutex::default() }
    }

    /// A slot of each of these contact centers; `None` where one of them has none left.
    pub(super) fn take(&self, centers: &BTreeSet<CallCenterName>) -> Option<TaskSlotGuards> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let nobody = centers.is_empty().then_some(None);
        let centers = centers.iter().cloned().map(Some).chain(nobody);
        centers
            .map(|center| {
                let slots = free.entry(center).or_insert_with(|| Arc::new(Semaphore::new(self.each)));
                Arc::clone(slots).try_acquire_owned().ok()
            })
            .collect()
    }

    /// The contact centers without further leases until half of their slots are free: else one free slot would return a
    /// whole lease.
    pub(super) fn full(&self) -> Vec<CallCenterName> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |slots: &Semaphore| slots.available_permits() * 2 < self.each;
        free.iter().filter(|(_, slots)| is_full(slots)).filter_map(|(center, _)| center.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_center_without_a_place_is_full_until_half_of_them_are_free() {
        let of = |names: &[&str]| names.iter().map(|name| CallCenterName::parse(*name).unwrap()).collect();
        let slots = TaskSlots::new(2);
        let (one, two) = (slots.take(&of(&["A"])).unwrap(), slots.take(&of(&["A"])).unwrap());
        assert_eq!(slots.take(&of(&["A"])).map(drop), None);
        assert_eq!(slots.full(), [CallCenterName::parse("A").unwrap()]);
        // Of both or of none: what was taken of the other is free again.
        for _ in 0..3 {
            assert_eq!(slots.take(&of(&["A", "B"])).map(drop), None);
        }
        let beside: Vec<TaskSlotGuards> = (0..2).map(|_| slots.take(&of(&["B"])).unwrap()).collect();
        let nobodys: Vec<TaskSlotGuards> = (0..2).map(|_| slots.take(&of(&[])).unwrap()).collect();
        assert_eq!(slots.take(&of(&[])).map(drop), None);
        drop((one, beside, nobodys));
        assert!(slots.full().is_empty());
        assert!(slots.take(&of(&["A"])).is_some());
        drop(two);
    }
}
