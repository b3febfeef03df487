//! How a batch becomes statements.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::batch::{Answers, Batch};
use super::engine::Connection;
use super::journal::{Find, FoundRow};
use super::row::{CallRow, json, read};
use super::task::EventRow;
use super::{
    Attempt, Enqueue, Enqueued, EntryId, EntryKind, EntryState, NewEvent, Note, OpenCall, Opened, Settle,
    SettleTask, StoreError, Subject,
};
use crate::domain::{Call, CallName, CallReference, StoredJson, TaskNumbers};

/// Calls by name, with who claims them.
pub(super) type Calls = HashMap<CallName, (Call, Option<String>)>;

/// Runs a batch that writes, in one transaction. Nothing of it is kept when it fails.
pub(super) async fn write(connection: &mut Connection, batch: &Batch) -> Result<Answers, StoreError> {
    if batch.is_one_statement() {
        return run(connection, batch).await;
    }
    connection.run(connection.dialect().begin).await?;
    let answers = run(connection, batch).await;
    let end = if answers.is_ok() { "COMMIT" } else { "ROLLBACK" };
    match (connection.run(end).await, answers) {
        (Ok(()), answers) => answers,
        // SQLite rolls back by itself in some cases, and then finds nothing to roll back.
        (Err(StoreError::Refused(_)), Err(error)) => Err(error),
        (Err(error), _) => Err(error),
    }
}

/// Runs a batch that reads, or a single statement.
pub(super) async fn run(connection: &mut Connection, batch: &Batch) -> Result<Answers, StoreError> {
    let calls = note(connection, batch).await?;
    let notes = vec![(); batch.notes.questions.len()];
    let enqueues = enqueue(connection, &batch.enqueues.questions, &calls).await?;
    let settles = settle(connection, &batch.settles.questions).await?;
    let taken = batch.enqueues.questions.iter().zip(&enqueues);
    let taken = taken.filter(|(_, enqueued)| matches!(enqueued, Enqueued::Accepted { .. }));
    let marks = taken.filter_map(|(enqueue, _)| enqueue.mark.as_deref());
    keep(connection, &batch.events.questions.iter().chain(marks).collect::<Vec<_>>()).await?;
    let events = vec![(); batch.events.questions.len()];
    let tasks = settle_tasks(connection, &batch.tasks.questions).await?;
    let opens = open(connection, &batch.opens.questions).await?;
    let finds = find(connection, &batch.finds.questions).await?;
    let mut singles = Vec::with_capacity(batch.singles.questions.len());
    for single in &batch.singles.questions {
        singles.push(connection.rows(single.sql, &single.input).await?);
    }
    Ok(Answers { notes, opens, finds, enqueues, settles, events, tasks, singles })
}

/// Writes all notes, in the order of their names: replicas that lock the same rows then never wait for each other.
/// Gives the calls that somebody asks for: reading rows back costs more than writing them.
async fn note(connection: &mut Connection, batch: &Batch) -> Result<Calls, StoreError> {
    let subjects = batch.enqueues.questions.iter().filter_map(|enqueue| match &enqueue.subject {
        Subject::Known(note) => Some(&**note),
        Subject::Unknown(..) => None,
    });
    let settled = batch.settles.questions.iter().filter_map(|settle| settle.note.as_deref());
    let told = subjects.map(|note| (note, true));
    let untold = batch.notes.questions.iter().chain(settled).map(|note| (note, false));
    let mut merged: BTreeMap<&CallName, (Cow<'_, Note>, bool)> = BTreeMap::new();
    for (note, tell) in told.chain(untold) {
        merged
            .entry(&note.call)
            .and_modify(|(known, _)| known.to_mut().merge(note))
            .or_insert((Cow::Borrowed(note), tell));
    }
    let rows = |told| merged.values().filter(move |(_, tell)| *tell == told).map(|(note, _)| note.row());
    connection.note(&rows(false).collect::<Vec<_>>()).await?;
    calls(&connection.learn(&rows(true).collect::<Vec<_>>()).await?)
}

fn calls(rows: &[String]) -> Result<Calls, StoreError> {
    let call = |mut row: CallRow| {
        let owner = row.claim_owner.take();
        let call = row.call()?;
        Ok((call.name.clone(), (call, owner)))
    };
    read::<CallRow>(rows)?.into_iter().map(call).collect()
}

/// Looks at all, claims where replicas share the database, and forgets what is older than the window.
async fn open(connection: &mut Connection, opens: &[OpenCall]) -> Result<Vec<Opened>, StoreError> {
    if opens.is_empty() {
        return Ok(Vec::new());
    }
    let first: BTreeMap<&CallName, &OpenCall> = opens.iter().rev().map(|open| (&open.call, open)).collect();
    let input = json(&first.values().map(|open| open.row()).collect::<Vec<_>>())?;
    let mut known = calls(&connection.rows(connection.dialect().open, &input).await?)?;
    let too_old = |open: &&&OpenCall| known.get(&open.call).is_some_and(|(call, _)| open.is_too_old(call));
    let forgotten: Vec<CallName> = first.values().filter(too_old).map(|open| open.call.clone()).collect();
    if !forgotten.is_empty() {
        let ids: Vec<i64> =
            forgotten.iter().filter_map(|name| known.get(name)).map(|(call, _)| call.id.0).collect();
        connection.rows(connection.dialect().forget, &json(&ids)?).await?;
        known = calls(&connection.rows(connection.dialect().open, &input).await?)?;
    }
    let mut claimed = HashSet::new();
    Ok(opens.iter().map(|open| opened(open, &known, &mut claimed)).collect())
}

fn opened<'a>(open: &'a OpenCall, known: &Calls, claimed: &mut HashSet<&'a CallName>) -> Opened {
    let Some((call, owner)) = known.get(&open.call) else { return Opened::New(None) };
    if call.voice_call_id.is_some() || call.deferred_at.is_some() {
        return Opened::Known(Box::new(call.clone()));
    }
    let Some(until) = call.claimed_until.filter(|until| *until > open.now) else {
        return Opened::New(Some(Box::new(call.clone())));
    };
    // Two of one process who ask at once claim as one; one of them has it. The database keeps milliseconds.
    let is_ours =
        owner.as_deref() == Some(&open.owner) && until.as_millisecond() == open.claim_until.as_millisecond();
    if is_ours && claimed.insert(&open.call) {
        return Opened::New(Some(Box::new(call.clone())));
    }
    Opened::Busy { until }
}

async fn find(connection: &mut Connection, finds: &[Find]) -> Result<Vec<Option<Call>>, StoreError> {
    let mut found: Vec<Option<Call>> = vec![None; finds.len()];
    if finds.is_empty() {
        return Ok(found);
    }
    let rows: Vec<_> = finds.iter().enumerate().map(|(at, find)| find.row(at)).collect();
    for row in read::<FoundRow>(&connection.rows(connection.dialect().find, &json(&rows)?).await?)? {
        if let Some(place) = found.get_mut(row.at) {
            *place = Some(row.call.call()?);
        }
    }
    Ok(found)
}

/// What the outbox holds of a call already.
#[derive(Deserialize)]
struct Standing {
    call_key: String,
    r#final: i64,
    pending: i64,
    create: i64,
}

#[derive(Serialize)]
struct NewRow<'a> {
    at: usize,
    call_center: &'a str,
    call_key: String,
    call_id: Option<i64>,
    kind: EntryKind,
    is_final: i64,
    body: &'a str,
    created_at: i64,
    next_at: i64,
    lease_owner: Option<&'a str>,
    lease_until: Option<i64>,
}

/// The text under which the entries of a call are kept in order.
fn call_key(enqueue: &Enqueue, call: Option<&Call>) -> String {
    let key = key_of(&enqueue.subject, call);
    match enqueue.entries.iter().any(|entry| entry.kind == EntryKind::LateClear) {
        true => format!("{key}/late"),
        false => key,
    }
}

fn key_of(subject: &Subject, call: Option<&Call>) -> String {
    match (subject, call) {
        (_, Some(call)) => call.id.0.to_string(),
        (Subject::Unknown(call_center, CallReference::Id(id)), None) => {
            format!("{call_center}/{}", id.short())
        }
        (Subject::Unknown(call_center, CallReference::Key(key)), None) => format!("{call_center}/{key}"),
        (Subject::Known(note), None) => {
            format!("{}/{}", note.call.call_center(), note.call.vendor_call_key())
        }
    }
}

/// Takes the entries of all, each by what the outbox and this batch hold already.
pub(super) async fn enqueue(
    connection: &mut Connection,
    enqueues: &[Enqueue],
    calls: &Calls,
) -> Result<Vec<Enqueued>, StoreError> {
    if enqueues.is_empty() {
        return Ok(Vec::new());
    }
    let subjects: Vec<(Option<&Call>, String)> = enqueues
        .iter()
        .map(|enqueue| {
            let call = match &enqueue.subject {
                Subject::Known(note) => calls.get(&note.call).map(|(call, _)| call),
                Subject::Unknown(..) => None,
            };
            (call, call_key(enqueue, call))
        })
        .collect();
    let keys: HashSet<&str> = subjects.iter().map(|(_, key)| key.as_str()).collect();
    let rows = connection.rows(connection.dialect().standing, &json(&keys)?).await?;
    let mut outbox = Standings::read(&rows)?;
    let mut rows = Vec::new();
    let mut enqueued = Vec::with_capacity(enqueues.len());
    for (enqueue, (call, key)) in enqueues.iter().zip(&subjects) {
        enqueued.push(outbox.admit(enqueue, *call, key));
        if let Some(Enqueued::Accepted { behind, .. }) = enqueued.last() {
            rows.extend(new_rows(enqueue, *call, key, *behind));
        }
    }
    for (at, row) in rows.iter_mut().enumerate() {
        row.at = at;
    }
    let over =
        enqueues.iter().zip(&subjects).zip(&enqueued).filter_map(|((enqueue, (call, _)), enqueued)| {
            let is_answered = *enqueued == Enqueued::Answered && enqueue.ends_call();
            call.filter(|_| is_answered).map(|call| call.id.0)
        });
    let over: Vec<i64> = over.collect();
    if !over.is_empty() {
        connection.rows(connection.dialect().forget_bodies, &json(&over)?).await?;
    }
    if !rows.is_empty() {
        let given = connection.rows(connection.dialect().insert, &json(&rows)?).await?;
        number(&mut enqueued, enqueues, read(&given)?);
    }
    Ok(enqueued)
}

/// What the outbox holds, with what this batch adds.
#[derive(Default)]
struct Standings {
    finals: HashSet<String>,
    pending: HashSet<String>,
    creates: HashSet<String>,
}

impl Standings {
    fn read(rows: &[String]) -> Result<Self, StoreError> {
        let mut all = Self::default();
        for row in read::<Standing>(rows)? {
            if row.r#final == 1 {
                all.finals.insert(row.call_key.clone());
            }
            if row.create == 1 {
                all.creates.insert(row.call_key.clone());
            }
            if row.pending == 1 {
                all.pending.insert(row.call_key);
            }
        }
        Ok(all)
    }

    fn admit(&mut self, enqueue: &Enqueue, call: Option<&Call>, key: &str) -> Enqueued {
        if enqueue.unless_answered && call.is_some_and(Call::is_answered) {
            return Enqueued::Answered;
        }
        let is_final = enqueue.entries.iter().any(|entry| entry.is_final);
        let is_closed = call.is_some_and(|call| call.closed_at.is_some());
        if is_final && (is_closed || !self.finals.insert(key.to_owned())) {
            return Enqueued::Duplicate;
        }
        // A database that was slow takes in late what the flow has long repeated.
        let creates = enqueue.entries.iter().any(|entry| entry.kind == EntryKind::Create);
        if creates && (call.is_some_and(needs_no_create) || !self.creates.insert(key.to_owned())) {
            return Enqueued::Duplicate;
        }
        let behind = !enqueue.entries.is_empty() && !self.pending.insert(key.to_owned());
        Enqueued::Accepted { ids: Vec::new(), behind, call: call.cloned().map(Box::new) }
    }
}

/// Its record is there; or its caller is gone, and the final update makes it.
fn needs_no_create(call: &Call) -> bool {
    let has_record = call.voice_call_id.is_some() || call.created_at.is_some();
    has_record || (call.ended_at.is_some() && !call.is_answered())
}

fn new_rows<'a>(
    enqueue: &'a Enqueue,
    call: Option<&'a Call>,
    key: &'a str,
    behind: bool,
) -> impl Iterator<Item = NewRow<'a>> {
    let call_center = match &enqueue.subject {
        Subject::Known(note) => note.call.call_center(),
        Subject::Unknown(call_center, _) => call_center,
    };
    enqueue.entries.iter().map(move |entry| NewRow {
        at: 0,
        call_center: call_center.as_ref(),
        call_key: key.to_owned(),
        call_id: call.map(|call| call.id.0),
        kind: entry.kind,
        is_final: i64::from(entry.is_final),
        body: entry.body.expose(),
        created_at: enqueue.now.as_millisecond(),
        next_at: entry.next_at.as_millisecond(),
        lease_owner: (!behind).then_some(enqueue.owner.as_str()),
        lease_until: (!behind).then_some(enqueue.lease_until.as_millisecond()),
    })
}

/// Both engines number rows in the order in which they are put in, but may give the numbers in another.
fn number(enqueued: &mut [Enqueued], enqueues: &[Enqueue], mut given: Vec<i64>) {
    given.sort_unstable();
    let mut given = given.into_iter().map(EntryId);
    for (enqueued, enqueue) in enqueued.iter_mut().zip(enqueues) {
        if let Enqueued::Accepted { ids, .. } = enqueued {
            ids.extend(given.by_ref().take(enqueue.entries.len()));
        }
    }
}

#[derive(Serialize)]
struct FailedRow<'a> {
    id: EntryId,
    owner: &'a str,
    state: EntryState,
    next_at: i64,
    words: String,
    reason: Option<String>,
    buried_at: Option<i64>,
}

#[derive(Serialize)]
struct PutBackRow<'a> {
    id: EntryId,
    owner: &'a str,
    next_at: i64,
}

#[derive(Serialize)]
struct ClosedRow {
    id: EntryId,
    now: i64,
}

/// Writes down how attempts ended: closes, then removes; postpones or buries.
pub(super) async fn settle(connection: &mut Connection, settles: &[Settle]) -> Result<Vec<bool>, StoreError> {
    let (mut closed, mut delivered) = (Vec::new(), Vec::new());
    let (mut failed, mut put_back) = (Vec::new(), Vec::new());
    for settle in settles {
        let now = settle.now.as_millisecond();
        match &settle.attempt {
            Attempt::Delivered { close } => {
                delivered.push(settle.id);
                if *close {
                    closed.push(ClosedRow { id: settle.id, now });
                }
            }
            Attempt::NotTried { next_at, words: _ } => put_back.push(PutBackRow {
                id: settle.id,
                owner: &settle.owner,
                next_at: next_at.as_millisecond(),
            }),
            Attempt::Later { next_at, words } => failed.push(FailedRow {
                id: settle.id,
                owner: &settle.owner,
                state: EntryState::Pending,
                next_at: next_at.as_millisecond(),
                words: storable(words),
                reason: None,
                buried_at: None,
            }),
            Attempt::Buried { reason, words } => failed.push(FailedRow {
                id: settle.id,
                owner: &settle.owner,
                state: EntryState::Buried,
                next_at: now,
                words: storable(words),
                reason: Some(storable(reason)),
                buried_at: Some(now),
            }),
        }
    }
    let mut settled: HashSet<i64> = HashSet::new();
    if !closed.is_empty() {
        connection.rows(connection.dialect().close, &json(&closed)?).await?;
    }
    if !delivered.is_empty() {
        settled
            .extend(read::<i64>(&connection.rows(connection.dialect().delete, &json(&delivered)?).await?)?);
    }
    if !failed.is_empty() {
        settled.extend(read::<i64>(&connection.rows(connection.dialect().postpone, &json(&failed)?).await?)?);
    }
    if !put_back.is_empty() {
        let rows = connection.rows(connection.dialect().put_back, &json(&put_back)?).await?;
        settled.extend(read::<i64>(&rows)?);
    }
    Ok(settles.iter().map(|settle| settled.contains(&settle.id.0)).collect())
}

/// PostgreSQL keeps no NUL in a text, and a refusal must be written down whatever it says.
fn storable(words: &str) -> String {
    words.replace('\0', "\u{FFFD}")
}

/// Keeps all, in the order of their names, as notes are. The end of a task makes it due; so does whatever comes after.
pub(super) async fn keep(connection: &mut Connection, events: &[&NewEvent]) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let numbers: Vec<Option<StoredJson>> =
        events.iter().map(|new| new.numbers.as_ref().and_then(TaskNumbers::body)).collect();
    let mut rows = Vec::with_capacity(events.len());
    for (new, numbers) in events.iter().zip(&numbers) {
        rows.push(EventRow {
            task_id: new.task.as_ref(),
            event_id: &new.event.id,
            arrived_at: new.now.as_millisecond(),
            due_at: new.due_at.as_millisecond(),
            // A mark is nothing that somebody would have to look at.
            is_end: if new.event.kind.is_internal() { 2 } else { i64::from(new.event.kind.is_end()) },
            event: json(&new.event)?,
            numbers: numbers.as_ref().map(StoredJson::expose),
        });
    }
    rows.sort_by(|one, other| (one.task_id, one.event_id).cmp(&(other.task_id, other.event_id)));
    connection.keep(&rows).await
}

/// Folds tasks, each by who holds it.
pub(super) async fn settle_tasks(
    connection: &mut Connection,
    settles: &[SettleTask],
) -> Result<Vec<bool>, StoreError> {
    let mut settled = Vec::with_capacity(settles.len());
    for settle in settles {
        let input = json(&settle.row()?)?;
        let held = !connection.rows(connection.dialect().fold, &input).await?.is_empty();
        if held && settle.folds {
            connection.rows(connection.dialect().folded, &input).await?;
            if settle.leaves() {
                connection.rows(connection.dialect().left, &input).await?;
            }
        }
        settled.push(held);
    }
    Ok(settled)
}
