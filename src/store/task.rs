//! Webex's tasks: their events are kept as they come; once a task has ended, somebody leases it, draws the conclusions
//! and folds its events into one row.

use std::time::Duration;

use jiff::Timestamp;
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::batch::Job;
use super::row::{Millis, json, unreadable};
use super::sql::{Connection, Insert as _, Query, insert};
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

/// Which due tasks to lease.
#[derive(Debug, Clone)]
pub struct LeaseTasks {
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

/// The end of a look at a leased task.
#[derive(Debug, Clone)]
pub struct SettleTask {
    /// The task as it was leased, with what was added to it.
    pub task: Task,
    /// Who has looked. Nothing is written down for one who does not hold the lease any more.
    pub owner: String,
    /// When to look again, if ever. Events that came meanwhile make it due at once.
    pub due_at: Option<Timestamp>,
    /// Whether its events are folded, and their numbers removed. If not, the call may still have to be logged.
    pub folds: bool,
    /// The current time.
    pub now: Timestamp,
}

insert! {
    /// Keeps events that are not kept yet. A trigger makes a task due that ends by one, and one that has ended before.
    EventRow {
        task_id: String,
        event_id: String,
        arrived_at: i64,
        due_at: i64,
        is_end: i64,
        event: String,
        numbers: Option<String>,
    }
    "INSERT INTO events ({columns}) SELECT * FROM {values} AS j WHERE true ON CONFLICT DO NOTHING"
}

/// What [`EventRow::is_end`] says of an event.
mod is_end {
    pub(super) const NO: i64 = 0;
    pub(super) const YES: i64 = 1;
    /// A mark of our own is nothing that somebody would have to look at.
    pub(super) const MARK: i64 = 2;
}

/// Leases due tasks.
#[derive(Serialize)]
struct LeaseDueTasks<'a> {
    now: Millis,
    owner: &'a str,
    until: Millis,
    limit: u32,
    without: &'a [CallCenterName],
}

impl Query for LeaseDueTasks<'_> {
    type Row = TaskRow;
    const SQL: &'static str = "UPDATE tasks SET lease_owner = {owner}, lease_until = {until int}
        WHERE task_id {in SELECT t.task_id FROM tasks AS t WHERE t.due_at <= {now int}
            AND (t.lease_until IS NULL OR t.lease_until <= {now int})
            AND NOT EXISTS (SELECT 1 FROM {each without} AS w JOIN calls AS c
                ON c.call_center = w.value AND c.vendor_call_key = 'wxcc_' || t.task_id)
            ORDER BY t.due_at LIMIT {limit int} {skip locked}}
        RETURNING {text {task tasks}}";
}

/// Folds a leased task. What came meanwhile makes it due at once: `news` counts it, but for what another replica has not
/// committed yet when it is counted.
#[derive(Serialize)]
struct Fold<'a> {
    task_id: &'a str,
    owner: &'a str,
    timeline: String,
    due_at: Option<Millis>,
    news: i64,
    now: Millis,
    events: &'a [String],
    left: &'a [String],
}

impl Query for Fold<'_> {
    type Row = String;
    const SQL: &'static str = "UPDATE tasks SET timeline = {timeline}, lease_owner = NULL, lease_until = NULL,
            due_at = CASE WHEN news = {news int} AND NOT EXISTS (SELECT 1 FROM events AS e
                WHERE e.task_id = tasks.task_id AND e.event_id NOT IN {each events} AND e.event_id NOT IN {each left})
                THEN {due_at int} ELSE {now int} END,
            updated_at = {latest updated_at, {now int}}
        WHERE task_id = {task_id} AND lease_owner = {owner} RETURNING {quoted task_id}";
}

/// Removes folded events.
#[derive(Serialize)]
#[serde(transparent)]
struct RemoveFolded<'a>(&'a Fold<'a>);

impl Query for RemoveFolded<'_> {
    type Row = ();
    const SQL: &'static str = "DELETE FROM events WHERE task_id = {task_id} AND event_id IN {each events}";
}

/// Removes the numbers of events that were left.
#[derive(Serialize)]
#[serde(transparent)]
struct ClearLeft<'a>(&'a Fold<'a>);

impl Query for ClearLeft<'_> {
    type Row = ();
    const SQL: &'static str =
        "UPDATE events SET numbers = NULL WHERE task_id = {task_id} AND event_id IN {each left}";
}

/// Puts a leased task off and gives the lease back, or leaves it to the purge if nothing was told of it for long.
#[derive(Serialize)]
struct PutOff<'a> {
    task_id: &'a str,
    owner: &'a str,
    due_at: Millis,
    long_ago: Millis,
}

impl Query for PutOff<'_> {
    type Row = ();
    const SQL: &'static str =
        "UPDATE tasks SET due_at = CASE WHEN updated_at > {long_ago int} THEN {due_at int} END,
            lease_owner = NULL, lease_until = NULL
        WHERE task_id = {task_id} AND lease_owner = {owner}";
}

/// A task with its events.
#[derive(Serialize)]
struct OfId<'a> {
    task_id: &'a TaskId,
}

impl Query for OfId<'_> {
    type Row = TaskRow;
    const SQL: &'static str = "SELECT {text {task t}} FROM (SELECT {task_id} AS task_id,
            (SELECT timeline FROM tasks WHERE task_id = {task_id}) AS timeline, 0 AS news) AS t";
}

/// When the next task is due. Thousands may be due hours from now: among the first of them is one that nobody has leased.
#[derive(Serialize)]
struct NextTask {}

impl Query for NextTask {
    type Row = Option<Millis>;
    const SQL: &'static str = "SELECT coalesce(CAST(min({latest t.due_at, t.lease_until}) AS TEXT), 'null')
        FROM (SELECT due_at, lease_until FROM tasks WHERE {input} IS NOT NULL AND due_at IS NOT NULL
            ORDER BY due_at LIMIT 1000) AS t";
}

/// Gives the leases of a process back.
#[derive(Serialize)]
pub(super) struct EndTaskLeases<'a> {
    pub(super) owner: &'a str,
}

impl Query for EndTaskLeases<'_> {
    type Row = ();
    const SQL: &'static str = "UPDATE tasks SET lease_owner = NULL, lease_until = NULL
        WHERE due_at IS NOT NULL AND lease_owner = {owner}";
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
    fn fold(&self) -> Result<Fold<'_>, StoreError> {
        let Task { timeline, foreign, .. } = &self.task;
        Ok(Fold {
            task_id: self.task.id.as_ref(),
            owner: &self.owner,
            timeline: match foreign.is_empty() {
                true => json(timeline)?,
                false => json(&Mixed { timeline, foreign })?,
            },
            due_at: self.due_at.map(Millis::from),
            news: self.task.news,
            now: self.now.into(),
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

    /// Leases due tasks, the longest due first: until the lease ends nobody else gets them. One that this version cannot
    /// read is left alone, and looked at again an hour later, for a week.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lease_tasks(&self, lease: &LeaseTasks) -> Result<Vec<Task>, StoreError> {
        let query = LeaseDueTasks {
            now: lease.now.into(),
            owner: &lease.owner,
            until: lease.until.into(),
            limit: lease.limit,
            without: &lease.without,
        };
        let rows = self.write_raw(&query).await?;
        let mut tasks = Vec::with_capacity(rows.len());
        for row in &rows {
            match serde_json::from_str::<TaskRow>(row).map_err(|_| unreadable()).and_then(TaskRow::task) {
                Ok(task) => tasks.push(task),
                Err(_) => self.put_off(row, lease).await?,
            }
        }
        Ok(tasks)
    }

    async fn put_off(&self, row: &str, lease: &LeaseTasks) -> Result<(), StoreError> {
        let row: Value = serde_json::from_str(row).unwrap_or_default();
        let task_id = row.get("task_id").and_then(Value::as_str).unwrap_or_default();
        tracing::error!(
            task = task_id,
            "what is kept of this task cannot be read: nothing is concluded from it"
        );
        let put_off = PutOff {
            task_id,
            owner: &lease.owner,
            due_at: lease.now.checked_add(PUT_OFF).unwrap_or(Timestamp::MAX).into(),
            long_ago: lease.now.checked_sub(LONG).unwrap_or(Timestamp::MIN).into(),
        };
        self.write(&put_off).await.map(drop)
    }

    /// Keeps a leased task as it is now, folds its events if they are to be, and gives the lease back. Gives whether it
    /// still was the owner's.
    ///
    /// # Errors
    /// When it could not be written; the lease then ends by itself.
    pub async fn settle_task(&self, settle: SettleTask) -> Result<bool, StoreError> {
        self.ask(|reply| Job::Task(Box::new(settle), reply)).await
    }

    /// All that is known of a task; nothing where nothing was ever told, or it was removed.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_task(&self, task: &TaskId) -> Result<Option<Task>, StoreError> {
        let rows = self.read(&OfId { task_id: task }).await?;
        let found = rows.into_iter().next().map(TaskRow::task).transpose()?;
        Ok(found.filter(|task| task.timeline.all().next().is_some()))
    }

    /// When the next task is due, or its lease ends; none when nothing waits.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn next_task(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.read(&NextTask {}).await?.into_iter().flatten().next().map(Timestamp::from))
    }
}

/// Keeps all, in the order of their names, as notes are.
pub(super) async fn keep(connection: &mut impl Connection, events: &[&NewEvent]) -> Result<(), StoreError> {
    let mut rows = Vec::with_capacity(events.len());
    for new in events {
        let kind = &new.event.kind;
        rows.push(EventRow {
            task_id: new.task.to_string(),
            event_id: new.event.id.clone(),
            arrived_at: new.now.as_millisecond(),
            due_at: new.due_at.as_millisecond(),
            is_end: match (kind.is_internal(), kind.is_end()) {
                (true, _) => is_end::MARK,
                (false, true) => is_end::YES,
                (false, false) => is_end::NO,
            },
            event: json(&new.event)?,
            numbers: new.numbers.as_ref().and_then(TaskNumbers::body).map(|body| body.expose().to_owned()),
        });
    }
    rows.sort_by(|one, other| (&one.task_id, &one.event_id).cmp(&(&other.task_id, &other.event_id)));
    connection.insert(EventRow::SQL, &rows).await.map(drop)
}

/// Folds tasks, each by who holds it.
pub(super) async fn settle(
    connection: &mut impl Connection,
    settles: &[SettleTask],
) -> Result<Vec<bool>, StoreError> {
    let mut settled = Vec::with_capacity(settles.len());
    for settle in settles {
        let fold = settle.fold()?;
        let is_held = !connection.query(&fold).await?.is_empty();
        if is_held && settle.folds {
            connection.query(&RemoveFolded(&fold)).await?;
            if !fold.left.is_empty() {
                connection.query(&ClearLeft(&fold)).await?;
            }
        }
        settled.push(is_held);
    }
    Ok(settled)
}
