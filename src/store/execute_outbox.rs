//! How entries get into the outbox and out of it: the statements of a batch.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::engine::Connection;
use super::execute::Calls;
use super::row::{json, read};
use super::{Attempt, Enqueue, Enqueued, EntryId, EntryKind, EntryState, Settle, StoreError, Subject};
use crate::domain::{Call, CallReference};

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
