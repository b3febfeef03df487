//! What earlier requests for a call mean for its create.

use jiff::Timestamp;

use super::create::body_of;
use super::update::Guard;
use super::{Bridge, Trouble};
use crate::domain::{Call, CallName, CallReference, CreateVoiceCall, Fingerprint};
use crate::salesforce::{Ask, Budget, Created, Failure, Operation, Stored};
use crate::store::{CreateBody, Note};

/// What an earlier request means for a create.
pub(super) enum Found {
    /// There is no record yet.
    Nothing,
    /// An update under the key has made the record, and knows little of the call.
    MadeByUpdate,
    /// It is there, and the create tells of another beginning: it may be a later flow run.
    BeganElsewhen,
    /// This is its answer.
    Answer(Created),
}

/// What is known of a call without an id or a promise.
pub(super) fn earlier(call: &Call, fingerprint: Fingerprint) -> Result<Found, Trouble> {
    contradicts(call, fingerprint)?;
    let is_over = call.is_logged_by_its_end() || (call.is_made_by_update() && call.ended_at.is_some());
    Ok(if is_over {
        Found::Answer(answer(&call.reference()))
    } else if call.is_made_by_update() {
        Found::MadeByUpdate
    } else {
        Found::Nothing
    })
}

/// Whether a create that began at `began` may be another one than that of the call, which began at another time.
pub(super) fn began_elsewhen(call: &Call, began: Timestamp) -> bool {
    call.fingerprint.is_some() && call.began().is_some_and(|first| first != began)
}

/// Whether a create that failed counts too: its key was taken then.
pub(super) fn contradicts(call: &Call, fingerprint: Fingerprint) -> Result<(), Trouble> {
    match call.fingerprint {
        Some(first) if first != fingerprint => Err(Trouble::Contradiction(String::from(
            "vendorCallKey: an earlier call had the same key and another from, to or initiationMethod; \
             each call needs a key of its own",
        ))),
        _ => Ok(()),
    }
}

pub(super) fn answer(reference: &CallReference) -> Created {
    Created { voice_call_id: reference.as_ref().to_owned(), warnings: Vec::new() }
}

impl Bridge {
    /// What the create says is sent as an update under the key: a create would make a second record. If Salesforce
    /// refuses that, the update before has made none.
    pub(super) async fn catch_up(
        &self,
        name: CallName,
        fingerprint: Fingerprint,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Created, Trouble> {
        let key = CallReference::Key(request.vendor_call_key.clone());
        let now = self.outbox.now();
        let note = Note {
            fingerprint: Some(fingerprint),
            start_time: Some(request.start_time.timestamp()),
            create_body: CreateBody::Set(body_of(request)),
            ..Note::of(name.clone(), now)
        };
        let create = Stored::of(Ask::Create(request)).read(Operation::Create);
        let Some(update) = create.ok().and_then(|create| create.to_update()) else {
            return self.create_anew(name, fingerprint, request, budget).await;
        };
        match self.keep_and_send(Ask::Kept(&update), Some(note), false, Guard::Off, None, budget).await {
            Ok(_) => {
                let now = self.outbox.now();
                let promised = Note { deferred_at: Some(now), ..Note::of(name, now) };
                self.note_down(promised, budget).await;
                Ok(answer(&key))
            }
            Err(Trouble::Salesforce(Failure::Refused { .. })) => {
                self.create_anew(name, fingerprint, request, budget).await
            }
            Err(trouble) => Err(trouble),
        }
    }
}
