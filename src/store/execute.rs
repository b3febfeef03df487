//! How a batch becomes statements.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::batch::{Answers, Batch};
use super::engine::Connection;
use super::execute_outbox::{enqueue, settle};
use super::execute_task::{keep, settle_tasks};
use super::journal::{Find, FoundRow};
use super::row::{CallRow, json, read};
use super::{Enqueued, Note, OpenCall, Opened, StoreError, Subject};
use crate::domain::{Call, CallName};

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
