//! The record of a call that continues another under the same key: until it has an id, every name of it is that of the
//! other, so its own record comes first, and after that of its parent.

use std::time::Duration;

use reqwest::Client;
use serde_json::Value;

use super::Outbox;
use crate::domain::{CallReference, VoiceCallId};
use crate::salesforce::{
    Budget, Failure, Operation, Org, RestoredRequest, SalesforceRequest, StoredRequest, voice_call_id,
};
use crate::store::{CreateBody, Entry, Note, StoreError};

const PARENT: &str = "parentVoiceCallId";
/// After how long a journal that could not be read is read again.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether Salesforce would take the call of this entry for another one.
///
/// # Errors
/// When the store does not answer: nothing is sent on a guess.
pub(super) async fn is_missing(outbox: &Outbox, entry: &Entry) -> Result<bool, Failure> {
    let Some(call) = entry.call.as_ref().filter(|call| call.voice_call_id.is_none() && !call.name.is_plain())
    else {
        return Ok(false);
    };
    let (center, key) = (call.name.call_center(), call.name.vendor_call_key());
    let key = CallReference::Key(key.clone());
    let interaction = outbox.store().interaction(center, &key).await.map_err(|error| unread(&error))?;
    Ok(interaction.lacks_reference(call))
}

/// Makes the record by the create that failed, and writes its id down before anything else is sent.
///
/// # Errors
/// When Salesforce did not make it, or nobody knows any more what the create said.
pub(super) async fn make(
    outbox: &Outbox,
    org: &Org,
    client: &Client,
    entry: &mut Entry,
    budget: &Budget,
) -> Result<(), Failure> {
    let body = entry.call.as_ref().and_then(|call| call.create_body.as_ref());
    let stored = body.and_then(|body| serde_json::from_str::<StoredRequest>(body.expose()).ok());
    let create = stored.and_then(|stored| stored.read(Operation::Create).ok());
    let create = create.ok_or_else(|| Failure::Refused {
        words: String::from("its VoiceCall was never created, and its vendorCallKey is that of another"),
    })?;
    let create = with_parent(outbox, create, entry).await?;
    let half = budget.half();
    let data = org.send(client, SalesforceRequest::Restored(&create), &half).await?;
    let id = voice_call_id(&data).and_then(|id| VoiceCallId::parse(id).ok());
    let id = id.ok_or_else(|| Failure::Refused { words: String::from("its VoiceCall got no id") })?;
    if let Some(call) = &mut entry.call {
        let now = outbox.now();
        let note = Note {
            voice_call_id: Some(id.clone()),
            created_at: Some(now),
            create_body: CreateBody::Done,
            ..Note::of(call.name.clone(), now)
        };
        outbox.store().note(note).await.map_err(|error| unread(&error))?;
        call.voice_call_id = Some(id);
        call.created_at = Some(now);
    }
    Ok(())
}

/// A create whose parent is named by a key, by the id that the parent has by now.
///
/// # Errors
/// When the parent's own record is still to be made.
pub(super) async fn with_parent(
    outbox: &Outbox,
    mut kept: RestoredRequest,
    entry: &Entry,
) -> Result<RestoredRequest, Failure> {
    let named = kept.body.get(PARENT).and_then(Value::as_str).map(CallReference::parse);
    let (Operation::Create, Some(Ok(key @ CallReference::Key(_))), Some(call)) =
        (kept.operation, named, entry.call.as_ref())
    else {
        return Ok(kept);
    };
    let interaction = outbox.store().interaction(call.name.call_center(), &key).await;
    let interaction = interaction.map_err(|error| unread(&error))?;
    let Some(parent) = interaction.parent_of(&call.name) else { return Ok(kept) };
    if parent.is_only_promised() {
        return Err(Failure::Again {
            after: None,
            words: String::from("the VoiceCall that it continues is still to be created"),
        });
    }
    kept.body.insert(PARENT.into(), parent.reference().as_ref().into());
    Ok(kept)
}

fn unread(error: &StoreError) -> Failure {
    Failure::NotAsked { after: PAUSE, words: format!("the journal cannot be used: {error}") }
}
