//! Webex's tasks: their events are kept as they come; once a task has ended, somebody claims it, draws the conclusions
//! and folds its events into one row.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::Job;
use super::row::{json, moment, read, unreadable};
use super::{Store, StoreError};
use crate::domain::{Body, CallTimeline, Event, Numbers, TaskId};

/// An event to be kept.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// Of which task.
    pub task: TaskId,
    /// What happened.
    pub event: Event,
    /// Who called whom, if that may be needed. Removed with the fold.
    pub numbers: Option<Numbers>,
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
}

/// All that is known of a task.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Its events, those that were folded and those that came since.
    pub timeline: CallTimeline,
    /// Who called whom, as far as that is still kept.
    pub numbers: Numbers,
    /// The ids of the events that came since.
    fresh: Vec<String>,
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
struct TaskRow {
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
}

impl Task {
    /// Takes in a mark that is kept, or is with the end of this look.
    pub fn add(&mut self, mark: Event) {
        self.fresh.push(mark.id.clone());
        self.timeline.apply(mark);
    }
}

impl TaskRow {
    fn task(self) -> Result<Task, StoreError> {
        let folded = self.timeline.as_deref().map(serde_json::from_str).transpose();
        let mut timeline: CallTimeline = folded.map_err(|_| unreadable())?.unwrap_or_default();
        let (mut numbers, mut fresh) = (Numbers::default(), Vec::with_capacity(self.events.len()));
        for row in self.events {
            // One that a later version has written must not hold the others up.
            timeline.extend(serde_json::from_str::<Event>(&row.event).ok());
            if let Some(told) = row.numbers.and_then(|text| Numbers::read(&Body::new(text))) {
                numbers.merge(told);
            }
            fresh.push(row.event_id);
        }
        let id = TaskId::parse(self.task_id).map_err(|_| unreadable())?;
        Ok(Task { id, timeline, numbers, fresh, news: self.news })
    }
}

impl SettleTask {
    pub(super) fn row(&self) -> Result<FoldRow<'_>, StoreError> {
        Ok(FoldRow {
            task_id: self.task.id.as_ref(),
            owner: &self.owner,
            timeline: json(&self.task.timeline)?,
            due_at: self.due_at.map(Timestamp::as_millisecond),
            news: self.task.news,
            now: self.now.as_millisecond(),
            events: &self.task.fresh,
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

    /// Claims due tasks, the longest due first: until the claim ends nobody else gets them.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn claim_tasks(&self, claim: &ClaimTasks) -> Result<Vec<Task>, StoreError> {
        let input = json(&serde_json::json!({
            "now": claim.now.as_millisecond(),
            "owner": claim.owner,
            "until": claim.until.as_millisecond(),
            "limit": claim.limit,
        }))?;
        let rows = self.write(self.dialect().claim, input).await?;
        read::<TaskRow>(&rows)?.into_iter().map(TaskRow::task).collect()
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
        Ok(found.filter(|task| !task.timeline.is_empty()))
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
