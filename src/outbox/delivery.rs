//! One attempt on an entry, from the entry itself.

use std::collections::HashMap;

use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;

use super::{Outbox, Tried};
use crate::domain::VoiceCallId;
use crate::salesforce::{Ask, Budget, Failure, Kept, Operation, Org, Stored, voice_call_id};
use crate::settings;
use crate::store::{Attempt, CreateBody, Entry, EntryKind, Note};

/// Tries an entry that we hold, and writes down what came of it.
pub async fn deliver(outbox: &Outbox, orgs: &HashMap<String, Org>, client: &Client, entry: Entry) {
    let result = send(orgs, client, &entry).await;
    let tried = Tried { kind: entry.kind, is_final: entry.is_final };
    let attempt = outbox.judge(tried, result.as_ref().err(), entry.attempts, entry.created_at);
    let key = entry.call.as_ref().map(|call| call.name.vendor_call_key().to_string());
    let (id, kind, attempts) = (entry.id.0, entry.kind, entry.attempts + 1);
    match &attempt {
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
    let note = result.ok().and_then(|data| created(outbox, &entry, &data));
    outbox.settle(entry.id, attempt, note).await;
}

async fn send(orgs: &HashMap<String, Org>, client: &Client, entry: &Entry) -> Result<Value, Failure> {
    let unreadable = |words: &str| Failure::Refused { words: words.to_owned() };
    let kept = read(entry).ok_or_else(|| unreadable("the entry in the outbox cannot be read"))?;
    let org = orgs.get(entry.call_center.as_ref()).ok_or_else(|| Failure::Misconfigured {
        words: format!("no contact center {} is configured any more", entry.call_center),
    })?;
    org.ask(client, Ask::Kept(&kept), &Budget::new(Instant::now(), settings::Outbox::ATTEMPT)).await
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
