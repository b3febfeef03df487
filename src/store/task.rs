//! Webex's tasks: their events are kept as they come; once a task has ended, somebody claims it, draws the conclusions
//! and folds its events into one row.

use std::time::Duration;

use jiff::Timestamp;
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::batch::Job;
use super::row::{json, moment, read, unreadable};
use super::{Store, StoreError};
use crate::domain::{CallCenterName, CallTimeline, StoredJson, TaskEvent, TaskId, TaskNumbers};

/// After how long a task that cannot be read is looked at again: by then another version may be running.
const PUT_OFF: Duration = Duration::from_secs(3600);

/// How long after the last that was told of it: then it is left to the purge.
const LONG: Duration = Duration::from_secs(7 * 86_400);

/// An event to be kept.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Of which task.
    pub task: TaskId,
    /// What happened.
    pub event: TaskEvent,
    /// Who called whom, if that may be needed. Removed with the fold.
    pub numbers: Option<TaskNumbers>,
    /// The current time.
    pub now: Timestamp,
    /// When somebody is to look at the task if this ends it, or comes after its end.
    pub due_at: Timestamp,
}

/// Which due tasks to claim.
#[derive(Debug, Clone)]
pub struct ClaimTasks {
    /// The current time.
    pub now: Timestamp,
    /// For whom.
    pub owner: String,
    /// Until when; then others may take them.
    pub until: Timestamp,
    /// At most so many.
    pub limit: u32,
    /// None that has a call of these contact centers.
    pub without: Vec<CallCenterName>,
}

/// All that is known of a task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its events, those that were folded and those that came since.
    pub timeline: CallTimeline,
    /// Who called whom, as far as that is still kept.
    pub numbers: TaskNumbers,
    /// The ids of the events that came since.
    fresh: Vec<String>,
    /// The ids of those that this version cannot read: they are left where they are.
    left: Vec<String>,
    /// Events among those that were folded that this version cannot read: kept as they are.
    foreign: Vec<Value>,
    /// How often something was told since it ended.
    news: i64,
}

/// The end of a look at a claimed task.
#[derive(Debug, Clone)]
pub struct SettleTask {
    /// The task as it was claimed, with what was added to it.
    pub task: Task,
    /// Who has looked. Nothing is written down for one who does not hold the claim any more.
    pub owner: String,
    /// When to look again, if ever. Events that came meanwhile make it due at once.
    pub due_at: Option<Timestamp>,
    /// Whether its events are folded, and their numbers removed. If not, the call may still have to be logged.
    pub folds: bool,
    /// The current time.
    pub now: Timestamp,
}

/// An event on its way to the database.
#[derive(Serialize)]
pub(super) struct EventRow<'a> {
    pub(super) task_id: &'a str,
    pub(super) event_id: &'a str,
    pub(super) arrived_at: i64,
    pub(super) due_at: i64,
    /// 0, 1 for an end, 2 for a mark.
    pub(super) is_end: i64,
    pub(super) event: String,
    pub(super) numbers: Option<&'a str>,
}

#[derive(Deserialize)]
pub(super) struct TaskRow {
    task_id: String,
    timeline: Option<String>,
    news: i64,
    events: Vec<KeptRow>,
}

#[derive(Deserialize)]
struct KeptRow {
    event_id: String,
    event: String,
    numbers: Option<String>,
}

#[derive(Serialize)]
pub(super) struct FoldRow<'a> {
    task_id: &'a str,
    owner: &'a str,
    timeline: String,
    due_at: Option<i64>,
    news: i64,
    now: i64,
    events: &'a [String],
    left: &'a [String],
}

impl Task {
    /// Whether something was told of it since it was last folded.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Takes in a mark that is kept, or is with the end of this look.
    pub fn add(&mut self, mark: TaskEvent) {
        self.fresh.push(mark.id.clone());
        self.timeline.apply(mark);
    }
}

/// Reads a timeline, without the events that only a newer version knows: those are given beside it.
fn timeline(text: &str) -> Result<(CallTimeline, Vec<Value>), StoreError> {
    if let Ok(timeline) = serde_json::from_str(text) {
        return Ok((timeline, Vec::new()));
    }
    let (mut timeline, mut foreign) = (CallTimeline::default(), Vec::new());
    for event in serde_json::from_str::<Vec<Value>>(text).map_err(|_| unreadable())? {
        match TaskEvent::deserialize(&event) {
            Ok(event) => timeline.apply(event),
            Err(_) => foreign.push(event),
        }
    }
    Ok((timeline, foreign))
}

impl TaskRow {
    /// Whether its id is one of Webex.
    pub(super) fn is_of_webex(&self) -> bool {
        TaskId::parse(self.task_id.as_str()).is_ok()
    }

    pub(super) fn task(self) -> Result<Task, StoreError> {
        let (mut timeline, foreign) = self.timeline.as_deref().map(timeline).transpose()?.unwrap_or_default();
        let (mut numbers, mut left) = (TaskNumbers::default(), Vec::new());
        let (mut events, mut fresh) = (Vec::new(), Vec::with_capacity(self.events.len()));
        for row in self.events {
            // One that a later version has written must neither hold the others up nor go with them.
            match serde_json::from_str::<TaskEvent>(&row.event) {
                Ok(event) => {
                    events.push(event);
                    fresh.push(row.event_id);
                }
                Err(_) => left.push(row.event_id),
            }
            if let Some(told) = row.numbers.and_then(|text| TaskNumbers::read(&StoredJson::new(text))) {
                numbers.merge(told);
            }
        }
        timeline.extend(events);
        let id = TaskId::parse(self.task_id).map_err(|_| unreadable())?;
        Ok(Task { id, timeline, numbers, fresh, left, foreign, news: self.news })
    }
}

/// A timeline with what this version cannot read of it.
struct Mixed<'a> {
    timeline: &'a CallTimeline,
    foreign: &'a [Value],
}

impl Serialize for Mixed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(None)?;
        self.timeline.all().try_for_each(|event| all.serialize_element(event))?;
        self.foreign.iter().try_for_each(|event| all.serialize_element(event))?;
        all.end()
    }
}

impl SettleTask {
    /// Whether some of its events are left unread.
    pub(super) fn leaves(&self) -> bool {
        !self.task.left.is_empty()
    }

    pub(super) fn row(&self) -> Result<FoldRow<'_>, StoreError> {
        let Task { timeline, foreign, .. } = &self.task;
        Ok(FoldRow {
            task_id: self.task.id.as_ref(),
            owner: &self.owner,
            timeline: match foreign.is_empty() {
                true => json(timeline)?,
                false => json(&Mixed { timeline, foreign })?,
            },
            due_at: self.due_at.map(Timestamp::as_millisecond),
            news: self.task.news,
            now: self.now.as_millisecond(),
            events: &self.task.fresh,
            left: &self.task.left,
        })
    }
}

impl Store {
    /// Keeps an event; it is durable when this returns. One that is kept already changes nothing.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn keep_event(&self, event: NewEvent) -> Result<(), StoreError> {
        self.ask(|reply| Job::Event(Box::new(event), reply)).await
    }

    /// Claims due tasks, the longest due first: until the claim ends nobody else gets them. One that this version cannot
    /// read is left alone, and looked at again an hour later, for a week.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_tasks(&self, claim: &ClaimTasks) -> Result<Vec<Task>, StoreError> {
        let input = json(&serde_json::json!({
            "now": claim.now.as_millisecond(),
            "owner": claim.owner,
            "until": claim.until.as_millisecond(),
            "limit": claim.limit,
            "without": claim.without.iter().map(CallCenterName::as_ref).collect::<Vec<_>>(),
        }))?;
        let rows = self.write(self.dialect().claim, input).await?;
        let mut tasks = Vec::with_capacity(rows.len());
        for row in &rows {
            match serde_json::from_str::<TaskRow>(row).map_err(|_| unreadable()).and_then(TaskRow::task) {
                Ok(task) => tasks.push(task),
                Err(_) => self.put_off(row, claim).await?,
            }
        }
        Ok(tasks)
    }

    async fn put_off(&self, row: &str, claim: &ClaimTasks) -> Result<(), StoreError> {
        let row: Value = serde_json::from_str(row).unwrap_or_default();
        let task = row.get("task_id").and_then(Value::as_str);
        tracing::error!(task, "what is kept of this task cannot be read: nothing is concluded from it");
        let input = json(&serde_json::json!({
            "task_id": task,
            "owner": claim.owner,
            "due_at": claim.now.checked_add(PUT_OFF).unwrap_or(Timestamp::MAX).as_millisecond(),
            "long_ago": claim.now.checked_sub(LONG).unwrap_or(Timestamp::MIN).as_millisecond(),
        }))?;
        self.write(self.dialect().put_off, input).await.map(drop)
    }

    /// Keeps a claimed task as it is now, folds its events if they are to be, and gives the claim back. Gives whether it
    /// still was the owner's.
    ///
    /// # Errors
    /// When it could not be written; the claim then ends by itself.
    pub async fn settle_task(&self, settle: SettleTask) -> Result<bool, StoreError> {
        self.ask(|reply| Job::Task(Box::new(settle), reply)).await
    }

    /// All that is known of a task; nothing where nothing was ever told, or it was removed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_task(&self, task: &TaskId) -> Result<Option<Task>, StoreError> {
        let input = json(&serde_json::json!({ "task_id": task.as_ref() }))?;
        let rows = self.read(self.dialect().task, input).await?;
        let found = read::<TaskRow>(&rows)?.into_iter().next().map(TaskRow::task).transpose()?;
        Ok(found.filter(|task| task.timeline.all().next().is_some()))
    }

    /// When the next task is due, or its claim ends; none when nothing waits.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_task(&self) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.read(self.dialect().next_task, "{}".to_owned()).await?;
        Ok(read::<Option<i64>>(&rows)?.into_iter().flatten().next().map(moment))
    }
}
