//! One attempt on an entry, by the request that put it in or by the worker.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::schedule::later;
use super::{Attempted, By, Outbox, Tried, record};
use crate::domain::{Call, CallReference, Exchange, ExchangeOrigin, ExchangeRecord, VoiceCallId};
use crate::salesforce::{
    Budget, Failure, Operation, Org, Orgs, RestoredRequest, SalesforceRequest, StoredRequest, voice_call_id,
};
use crate::store::{Attempt, CreateBody, Entry, EntryKind, Note, ONCE_MORE};

/// How often another replica's create is looked after.
const LOOK: Duration = Duration::from_millis(250);
/// What is told of an entry whose body is no request.
const UNREADABLE: &str = "its body is no request of this version";

/// Who delivers, and how Salesforce is reached.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// Where the entries are kept.
    pub outbox: &'a Arc<Outbox>,
    /// The contact centers.
    pub orgs: &'a Orgs,
    /// The connections.
    pub client: &'a Client,
    /// Who tries: a request decides just before whether what it asks may be sent, the worker when the turn of the entry
    /// comes.
    pub by: By,
}

impl Delivery<'_> {
    /// Tries entries of one call that we hold, within the budget, and writes down what came of each.
    ///
    /// # Errors
    /// What kept Salesforce from taking the last of them.
    pub async fn deliver(self, entries: Vec<Entry>, budget: &Budget) -> Result<(), Failure> {
        match <[Entry; 2]>::try_from(entries) {
            Ok([clear, last]) => self.deliver_both(clear, last, budget).await,
            Err(entries) => {
                let mut delivered = Ok(());
                for mut entry in entries {
                    let (before, at, began) = (self.returns(&entry), self.outbox.now(), Instant::now());
                    let (result, is_asked) = self.try_once(&mut entry, budget).await;
                    delivered = result.as_ref().map(drop).map_err(Failure::clone);
                    let (outcome, is_attempt) = self.settle(&entry, result, is_asked, before).await;
                    // The exchange of a request is kept with all that it asked.
                    if self.by == By::Worker {
                        let attempt = is_attempt.then(|| entry.attempts.saturating_add(1));
                        let failure = delivered.as_ref().err();
                        let keep = || exchange(&entry, (at, began), (attempt, outcome), budget, failure);
                        self.outbox.store().keep_exchange(keep);
                    }
                }
                delivered
            }
        }
    }

    /// Clear routing and the final update of a call. The final update clears the routing too: so it is tried even if the
    /// clearing failed, with half of the time for itself, and once it is delivered nothing is left to clear.
    async fn deliver_both(self, mut clear: Entry, mut last: Entry, budget: &Budget) -> Result<(), Failure> {
        let (before, half) = (self.returns(&last), budget.half());
        let (cleared, asked_clear) = self.try_once(&mut clear, &half).await;
        budget.waited(half.upstream().unwrap_or_default());
        let (updated, asked_last) = self.try_once(&mut last, budget).await;
        let delivered = updated.as_ref().map(drop).map_err(Failure::clone);
        let cleared = match cleared {
            Err(failure) if updated.is_ok() && clear.kind == EntryKind::Clear && last.is_final => {
                // What Salesforce had no routing to clear of, the final update has not cleared either.
                if matches!(failure, Failure::Refused { .. }) {
                    Err(failure)
                } else {
                    Ok(Sent::Done(Value::Null))
                }
            }
            cleared => cleared,
        };
        self.settle(&clear, cleared, asked_clear, before).await;
        self.settle(&last, updated, asked_last, before).await;
        delivered
    }

    /// Tries an entry; gives also whether Salesforce was sent a request by that, whatever it asked.
    async fn try_once(self, entry: &mut Entry, budget: &Budget) -> (Result<Sent, Failure>, bool) {
        let sent = budget.sent();
        let result = self.send(entry, budget).await;
        (result, budget.sent() > sent)
    }

    /// Writes down that an attempt on entries came to nothing before it was made here.
    pub async fn failed(self, entries: Vec<Entry>, failure: &Failure) {
        for entry in entries {
            let before = self.returns(&entry);
            self.settle(&entry, Err(failure.clone()), failure.is_of_request(), before).await;
        }
    }

    /// How often Salesforce has come back.
    fn returns(self, entry: &Entry) -> Option<u64> {
        self.orgs.get(entry.call_center.as_ref()).map(Org::returns)
    }

    /// Writes down how an attempt ended. A request waits for that only where a create that follows must know of it.
    /// Gives the word for it, and whether it was an attempt.
    async fn settle(
        self,
        entry: &Entry,
        result: Result<Sent, Failure>,
        is_asked: bool,
        before: Option<u64>,
    ) -> (&'static str, bool) {
        let outbox = self.outbox;
        let is_withheld = matches!(result, Ok(Sent::Withheld));
        let tried = Tried { kind: entry.kind, is_final: entry.is_final };
        let kept = read(entry);
        let attempt = match result.as_ref().err() {
            // Not even a clear, of which a refusal by Salesforce says that there is nothing to clear.
            Some(_) if kept.is_none() => {
                Attempt::Buried { reason: "it cannot be read".into(), words: UNREADABLE.into() }
            }
            failure => outbox.judge(tried, failure, entry.attempts, entry.created_at),
        };
        let attempt = match attempt {
            // Salesforce has come back meanwhile, and what waited for that is due.
            Attempt::Later { words, .. } if self.returns(entry) != before => {
                Attempt::Later { next_at: outbox.now(), words }
            }
            // Nothing was sent for the call: its final update is still to come.
            Attempt::Delivered { .. } if is_withheld => Attempt::Delivered { close: false },
            Attempt::Delivered { .. } if entry.kind == EntryKind::LateClear => {
                late_clear(outbox.now(), entry, result.as_ref().ok())
            }
            attempt => attempt,
        };
        // What was only looked at, and then not sent, was put off.
        let is_asked = is_asked && !matches!(attempt, Attempt::NotTried { .. });
        // What the set-up keeps from being asked counts: nothing else tells how long it has been tried (`Schedule::next`).
        let is_counted = is_asked || matches!(attempt, Attempt::Later { .. } | Attempt::Buried { .. });
        let outcome = self.report(entry, kept.as_ref(), (&attempt, is_counted), is_withheld);
        if matches!(result, Ok(Sent::Done(_))) {
            measure_delay(outbox, entry);
        }
        let note = match result {
            result if is_cleared(entry, &attempt) && !is_withheld => cleared(outbox, entry, &result),
            Ok(Sent::Done(data)) => created(outbox, entry, &data),
            Ok(Sent::Withheld) => answered(outbox, entry),
            // What the entry is told now takes the place of what tells that.
            Err(failure) if failure.is_unknown() || entry.is_broken_off() => unknown(outbox, entry),
            Ok(Sent::Nothing | Sent::NotYet) | Err(_) => None,
        };
        let is_waited_for =
            self.by == By::Worker || note.as_ref().is_some_and(|note| note.created_at.is_some());
        let (outbox, id) = (Arc::clone(outbox), entry.id);
        match is_waited_for {
            true => outbox.settle(id, attempt, note).await,
            false => {
                let settling = Arc::clone(&outbox);
                outbox.afterwards(async move { settling.settle(id, attempt, note).await });
            }
        }
        (outcome, is_asked)
    }

    /// Tells the log and the metrics of an attempt.
    fn report(
        self,
        entry: &Entry,
        kept: Option<&RestoredRequest>,
        (attempt, is_counted): (&Attempt, bool),
        is_withheld: bool,
    ) -> &'static str {
        let of_call = entry.call.as_ref().map(|call| call.name.vendor_call_key());
        let named = match kept.and_then(|kept| kept.call.as_ref()) {
            Some(CallReference::Key(key)) => Some(key),
            Some(CallReference::Id(_)) | None => None,
        };
        let attempted = Attempted {
            id: entry.id,
            kind: entry.kind,
            call_center: &entry.call_center,
            vendor_call_key: of_call.or(named).map(AsRef::as_ref),
            attempts: entry.attempts.saturating_add(u32::from(is_counted)),
            by: self.by,
        };
        self.outbox.tell(attempted, attempt, is_withheld)
    }
}

/// Measures how long after the hang-up Salesforce has what follows from it.
fn measure_delay(outbox: &Outbox, entry: &Entry) {
    let kind = match entry.kind {
        EntryKind::Clear => "cleared",
        EntryKind::Update if entry.is_final => "final_update",
        EntryKind::Update | EntryKind::Create | EntryKind::LateClear => return,
    };
    if let Some(ended_at) = entry.call.as_ref().and_then(|call| call.ended_at) {
        // Webex's clock may be ahead of ours.
        let delay = outbox.now().duration_since(ended_at).as_secs_f64().max(0.0);
        outbox.metrics.completion_delay(kind).observe(delay);
    }
}

/// An attempt of the worker, as the journal keeps it; none for an entry that names no call.
fn exchange(
    entry: &Entry,
    (at, began): (Timestamp, Instant),
    (attempt, outcome): (Option<u32>, &'static str),
    budget: &Budget,
    failure: Option<&Failure>,
) -> Option<Exchange> {
    let of_call = entry.call.as_ref().map(|call| CallReference::Key(call.name.vendor_call_key().clone()));
    let record = ExchangeRecord {
        origin: ExchangeOrigin::Outbox { kind: entry.kind.name().into(), entry: entry.id.0, attempt },
        outcome: outcome.into(),
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        error: failure.map(Failure::to_string),
        salesforce: budget.exchanges(),
    };
    let call = of_call.or_else(|| read(entry)?.call)?;
    Some(Exchange { call_center: entry.call_center.clone(), call, also: None, at, record })
}

/// As long as Salesforce may still route the call, its caller may hang up first; and a routing that was cleared may not have
/// been the last.
fn late_clear(now: Timestamp, entry: &Entry, sent: Option<&Sent>) -> Attempt {
    let last = later(entry.created_at, Outbox::LATEST_ROUTING);
    match sent {
        Some(Sent::NotYet) if now < last => Attempt::NotTried {
            next_at: later(now, Outbox::LATE_ROUTING).min(last),
            words: String::from("its caller may still be there"),
        },
        // Whether or not an attempt before it has failed.
        Some(Sent::Done(_)) if now < last => Attempt::Later { next_at: last, words: ONCE_MORE.to_owned() },
        _ => Attempt::Delivered { close: false },
    }
}

/// What became of an entry whose turn came.
enum Sent {
    /// Salesforce has taken it.
    Done(Value),
    /// It would report an abandonment, and an agent has had the call: it is done with.
    Withheld,
    /// There is nothing that it could be done to: it is done with.
    Nothing,
    /// Its call is not over.
    NotYet,
}

impl Delivery<'_> {
    async fn send(self, entry: &mut Entry, budget: &Budget) -> Result<Sent, Failure> {
        let Self { outbox, orgs, client, by } = self;
        let org = orgs.get(entry.call_center.as_ref()).ok_or_else(|| Failure::Misconfigured {
            words: format!("no contact center {} is configured any more", entry.call_center),
        })?;
        let kept = read(entry).ok_or_else(|| refused(UNREADABLE))?;
        // Salesforce's answer never came to who asked for the routing, and the caller may still be waiting for it.
        if entry.kind == EntryKind::LateClear
            && entry.call.as_ref().is_none_or(|call| call.ended_at.is_none())
        {
            return Ok(Sent::NotYet);
        }
        if kept.unless_answered && entry.call.as_ref().is_some_and(Call::is_answered) {
            return Ok(Sent::Withheld);
        }
        // The abandonment that it takes back was withheld, or is buried.
        if kept.if_ended && entry.call.as_ref().is_none_or(|call| call.closed_at.is_none()) {
            return Ok(Sent::Nothing);
        }
        if kept.operation != Operation::Create && record::is_missing(outbox, entry).await? {
            if kept.operation == Operation::ClearRouting {
                return Ok(Sent::Nothing);
            }
            record::make(outbox, org, client, entry, budget).await?;
        }
        if kept.operation == Operation::Create
            && let Some(call) = &entry.call
        {
            if let Some(id) = &call.voice_call_id {
                return Ok(Sent::Done(json!({ "voiceCallId": id.as_ref() })));
            }
            // Another process was creating it when ours promised to.
            let left = call
                .create_lease_until
                .and_then(|until| Duration::try_from(until.duration_since(outbox.now())).ok());
            if let Some(after) = left.filter(|left| !left.is_zero()) {
                let words = String::from("another replica is creating it");
                return Err(Failure::NotAsked { after: after.min(LOOK), words });
            }
        }
        if kept.operation == Operation::Create
            && let Some(call) = entry.call.as_ref().filter(|call| may_be_made(entry, call))
            && let Some(id) = org.record_of(client, call.name.vendor_call_key(), &budget.half()).await
        {
            return Ok(Sent::Done(json!({ "voiceCallId": id.as_ref() })));
        }
        let kept = record::with_parent(outbox, fit(kept, entry), entry).await?;
        if by == By::Worker
            && kept.unless_answered
            && had_agent(org, client, entry, &kept, &budget.half()).await?
        {
            return Ok(Sent::Withheld);
        }
        org.send(client, SalesforceRequest::Restored(&kept), budget).await.map(Sent::Done)
    }
}

fn refused(words: &str) -> Failure {
    Failure::Refused { words: words.to_owned() }
}

/// Whether the VoiceCall itself shows that an agent has had the call.
///
/// # Errors
/// When the VoiceCall is to be asked and cannot be: nothing is sent on a guess.
async fn had_agent(
    org: &Org,
    client: &Client,
    entry: &Entry,
    kept: &RestoredRequest,
    budget: &Budget,
) -> Result<bool, Failure> {
    let id = entry.call.as_ref().and_then(|call| call.voice_call_id.clone()).map(CallReference::Id);
    match id.as_ref().or(kept.call.as_ref()) {
        Some(call) => Ok(org.agent_in_record(client, call, budget).await?.is_some()),
        None => Ok(false),
    }
}

/// What was put in before the create of its call was through, or before an update under its key made the record, is
/// sent as it fits now.
fn fit(mut kept: RestoredRequest, entry: &Entry) -> RestoredRequest {
    // Its key names others too. By its id, an update makes no record, and need not say what a create has said.
    let continues = entry.call.as_ref().filter(|call| !call.name.is_plain() && kept.call.is_some());
    if let Some(id) = continues.and_then(|call| call.voice_call_id.clone()) {
        kept.call = Some(CallReference::Id(id));
        for said in ["callCenterApiName", "initiationMethod"] {
            kept.body.remove(said);
        }
    }
    let Some(call) = entry.call.as_ref().filter(|call| call.voice_call_id.is_none()) else { return kept };
    // Under its key, what a create says makes no second record.
    if entry.kind == EntryKind::Create && (call.created_at.is_some() || may_be_made(entry, call)) {
        return kept.to_update().unwrap_or(kept);
    }
    let failed = call.create_body.as_ref().filter(|_| entry.is_final);
    let failed = failed.and_then(|body| serde_json::from_str::<StoredRequest>(body.expose()).ok());
    match failed.and_then(|stored| stored.read(Operation::Create).ok()) {
        Some(create) => kept.completed_by(&create),
        None => kept,
    }
}

/// Whether Salesforce may have made the VoiceCall of a deferred create without our knowing, and only it has this key.
fn may_be_made(entry: &Entry, call: &Call) -> bool {
    // Whoever has left a lease behind was creating it.
    let is_left = entry.is_broken_off() || call.create_lease_until.is_some();
    let is_unknown = call.is_create_unknown() || is_left && call.voice_call_id.is_none();
    is_unknown && call.name.is_plain()
}

fn read(entry: &Entry) -> Option<RestoredRequest> {
    let operation = match entry.kind {
        EntryKind::Create => Operation::Create,
        EntryKind::Clear | EntryKind::LateClear => Operation::ClearRouting,
        EntryKind::Update => Operation::Update,
    };
    serde_json::from_str::<StoredRequest>(entry.body.expose()).ok()?.read(operation).ok()
}

/// What the journal learns when a deferred create is delivered, or an update that makes the record.
fn created(outbox: &Outbox, entry: &Entry, data: &Value) -> Option<Note> {
    let call = entry.call.as_ref()?;
    let now = outbox.now();
    match entry.kind {
        EntryKind::Create => {}
        EntryKind::Update if !entry.is_final && call.voice_call_id.is_none() && call.created_at.is_none() => {
            return Some(Note { created_at: Some(now), ..Note::of(call.name.clone(), now) });
        }
        EntryKind::Update | EntryKind::Clear | EntryKind::LateClear => return None,
    }
    Some(Note {
        voice_call_id: voice_call_id(data).and_then(|id| VoiceCallId::parse(id).ok()),
        created_at: Some(now),
        create_body: CreateBody::Done,
        ..Note::of(call.name.clone(), now)
    })
}

/// Whether nothing is left to clear.
fn is_cleared(entry: &Entry, attempt: &Attempt) -> bool {
    entry.kind == EntryKind::Clear && matches!(attempt, Attempt::Delivered { .. })
}

/// What the journal learns when the routing of a call is cleared: Salesforce has done it, or had nothing to clear, because it
/// refused or has no VoiceCall.
fn cleared(outbox: &Outbox, entry: &Entry, result: &Result<Sent, Failure>) -> Option<Note> {
    let now = outbox.now();
    let note = Note::of(entry.call.as_ref()?.name.clone(), now);
    Some(match result {
        Ok(Sent::Done(_)) => Note { cleared_at: Some(now), ..note },
        Ok(Sent::Withheld | Sent::Nothing | Sent::NotYet) | Err(_) => {
            Note { nothing_to_clear_at: Some(now), ..note }
        }
    })
}

/// What the journal learns when nobody knows what became of a deferred create.
fn unknown(outbox: &Outbox, entry: &Entry) -> Option<Note> {
    let call = entry.call.as_ref().filter(|_| entry.kind == EntryKind::Create)?;
    let now = outbox.now();
    Some(Note { create_unknown_at: Some(now), ..Note::of(call.name.clone(), now) })
}

/// What the journal learns when an abandonment was not sent.
fn answered(outbox: &Outbox, entry: &Entry) -> Option<Note> {
    let now = outbox.now();
    let name = entry.call.as_ref()?.name.clone();
    Some(Note { answered_at: Some(now), create_body: CreateBody::Done, ..Note::of(name, now) })
}
