//! The worker: takes up what is due and tries it again.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use reqwest::Client;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::{Outbox, Tried};
use crate::domain::{Call, CallCenterName, CallReference, VoiceCallId};
use crate::salesforce::{Ask, Budget, Failure, Kept, Operation, Org, Orgs, Stored, voice_call_id};
use crate::store::{Attempt, CreateBody, Entry, EntryKind, Lease, Note, StoreError};

/// How long one attempt may take: nobody waits for it.
const ATTEMPT: Duration = Duration::from_secs(10);
/// The longest nap: another replica or an operator may have put something in.
const NAP: Duration = Duration::from_secs(1);

/// Delivers what the request handlers could not.
pub struct Worker {
    outbox: Arc<Outbox>,
    ways: ArcSwap<Ways>,
    concurrency: u32,
}

/// How Salesforce is reached, as the configuration of the moment says.
struct Ways {
    orgs: Arc<Orgs>,
    client: Client,
}

impl Worker {
    /// A worker over an outbox.
    #[must_use]
    pub fn new(outbox: Arc<Outbox>, orgs: Arc<Orgs>, client: Client, concurrency: usize) -> Self {
        let concurrency = u32::try_from(concurrency).unwrap_or(u32::MAX);
        Self { outbox, ways: ArcSwap::from_pointee(Ways { orgs, client }), concurrency }
    }

    /// Reaches Salesforce this way from the next attempt on.
    pub fn adopt(&self, orgs: Arc<Orgs>, client: Client) {
        self.ways.store(Arc::new(Ways { orgs, client }));
    }

    /// Works until it is dropped.
    pub async fn run(self: Arc<Self>) {
        loop {
            match self.step().await {
                Ok(0) => self.nap().await,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read");
                    tokio::time::sleep(NAP).await;
                }
            }
        }
    }

    /// Takes up what is due now and tries each once; gives how many those were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let (now, until) = (self.outbox.now(), self.outbox.lease_until());
        let ways = self.ways.load_full();
        let pausing = ways.orgs.iter().filter(|(_, org)| org.pauses(Instant::now()));
        let lease = Lease {
            now,
            owner: self.outbox.owner().to_owned(),
            until,
            limit: self.concurrency,
            without: pausing.filter_map(|(name, _)| CallCenterName::parse(name).ok()).collect(),
        };
        let entries = self.outbox.store().lease_due(&lease).await?;
        let count = entries.len();
        let mut deliveries = JoinSet::new();
        for entry in entries {
            let (outbox, ways) = (Arc::clone(&self.outbox), Arc::clone(&ways));
            deliveries.spawn(async move { deliver(&outbox, &ways.orgs, &ways.client, entry).await });
        }
        while deliveries.join_next().await.is_some() {}
        Ok(count)
    }

    async fn nap(&self) {
        let due = self.outbox.store().next_due().await.ok().flatten();
        let left = due.map(|due| due.duration_since(self.outbox.now()));
        let left = left
            .and_then(|left| Duration::try_from(left).ok())
            .unwrap_or(NAP)
            .clamp(Duration::from_millis(10), NAP);
        // Whoever comes first: the bell or the time.
        let _ = timeout(left, self.outbox.rung()).await;
    }
}

async fn deliver(outbox: &Outbox, orgs: &Orgs, client: &Client, entry: Entry) {
    let result = send(orgs, client, &entry).await;
    let withheld = matches!(result, Ok(Sent::Withheld));
    let tried = Tried { kind: entry.kind, is_final: entry.is_final };
    let attempt = outbox.judge(tried, result.as_ref().err(), entry.attempts, entry.created_at);
    let key = entry.call.as_ref().map(|call| call.name.vendor_call_key().to_string());
    let (id, kind, attempts) = (entry.id.0, entry.kind, entry.attempts + 1);
    match &attempt {
        Attempt::Delivered { .. } if withheld => {
            let why = "not sent from the outbox: an agent has had the call";
            tracing::info!(entry = id, ?kind, vendor_call_key = key, attempts, "{why}");
        }
        Attempt::Delivered { .. } => {
            tracing::info!(entry = id, ?kind, vendor_call_key = key, attempts, "delivered from the outbox");
        }
        Attempt::Later { words, .. } => {
            tracing::info!(
                entry = id,
                ?kind,
                vendor_call_key = key,
                attempts,
                words,
                "not delivered, another time"
            );
        }
        Attempt::Buried { reason, words } => {
            let look = "buried; see scv-bridge outbox show";
            tracing::error!(entry = id, ?kind, vendor_call_key = key, attempts, reason, words, "{look}");
        }
    }
    let note = match result {
        Ok(Sent::Done(data)) => created(outbox, &entry, &data),
        Ok(Sent::Withheld) => answered(outbox, &entry),
        Err(_) => None,
    };
    outbox.settle(entry.id, attempt, note).await;
}

/// What became of an entry whose turn came.
enum Sent {
    /// Salesforce has taken it.
    Done(Value),
    /// It would report an abandonment, and an agent has had the call: it is done with.
    Withheld,
}

async fn send(orgs: &Orgs, client: &Client, entry: &Entry) -> Result<Sent, Failure> {
    let unreadable = |words: &str| Failure::Refused { words: words.to_owned() };
    let kept = read(entry).ok_or_else(|| unreadable("the entry in the outbox cannot be read"))?;
    let org = orgs.get(entry.call_center.as_ref()).ok_or_else(|| Failure::Misconfigured {
        words: format!("no contact center {} is configured any more", entry.call_center),
    })?;
    let budget = Budget::new(Instant::now(), ATTEMPT);
    if kept.unless_answered && had_agent(org, client, entry, &kept, &budget.half()).await? {
        return Ok(Sent::Withheld);
    }
    org.ask(client, Ask::Kept(&kept), &budget).await.map(Sent::Done)
}

/// Whether an agent has had the call: as the journal knows by now, or as the VoiceCall itself shows.
///
/// # Errors
/// When the VoiceCall is to be asked and cannot be: nothing is sent on a guess.
async fn had_agent(
    org: &Org,
    client: &Client,
    entry: &Entry,
    kept: &Kept,
    budget: &Budget,
) -> Result<bool, Failure> {
    if entry.call.as_ref().is_some_and(Call::is_answered) {
        return Ok(true);
    }
    let id = entry.call.as_ref().and_then(|call| call.voice_call_id.clone()).map(CallReference::Id);
    match id.as_ref().or(kept.call.as_ref()) {
        Some(call) => Ok(org.agent_in_record(client, call, budget).await?.is_some()),
        None => Ok(false),
    }
}

fn read(entry: &Entry) -> Option<Kept> {
    let operation = match entry.kind {
        EntryKind::Create => Operation::Create,
        EntryKind::Clear => Operation::ClearRouting,
        EntryKind::Update => Operation::Update,
    };
    serde_json::from_str::<Stored>(entry.body.expose()).ok()?.read(operation).ok()
}

/// What the journal learns when a deferred create is delivered.
fn created(outbox: &Outbox, entry: &Entry, data: &Value) -> Option<Note> {
    let call = entry.call.as_ref().filter(|_| entry.kind == EntryKind::Create)?;
    let now = outbox.now();
    Some(Note {
        voice_call_id: voice_call_id(data).and_then(|id| VoiceCallId::parse(id).ok()),
        created_at: Some(now),
        create_body: CreateBody::Done,
        ..Note::of(call.name.clone(), now)
    })
}

/// What the journal learns when an abandonment was not sent.
fn answered(outbox: &Outbox, entry: &Entry) -> Option<Note> {
    let now = outbox.now();
    let name = entry.call.as_ref()?.name.clone();
    Some(Note { answered_at: Some(now), ..Note::of(name, now) })
}
