//! What earlier requests for a call mean for its create.

use jiff::Timestamp;

use super::create::body_of;
use super::update::Guard;
use super::{Bridge, Delivered, Trouble};
use crate::domain::{Call, CallName, CallReference, CreateVoiceCall, Fingerprint};
use crate::salesforce::{Ask, Budget, Created, Failure, Operation, Stored};
use crate::store::{CreateBody, Note};

/// What an earlier request means for a create.
pub(super) enum Found {
    /// There is no record yet.
    Nothing,
    /// An update under the key has made the record, and knows little of the call.
    MadeByUpdate,
    /// A create may have made the record, and nobody knows: its answer never came.
    Unknown,
    /// It is there, and the create tells of another beginning: it may be a later flow run.
    BeganElsewhen,
    /// This is its answer.
    Answer(Created),
}

/// What a create says of its call, to be compared with what an earlier one has said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity {
    pub(super) fingerprint: Fingerprint,
    pub(super) began: Timestamp,
    /// Whether Webex has told of another number of the caller.
    pub(super) has_new_caller: bool,
}

/// What is known of a call without an id or a promise.
pub(super) fn earlier(call: &Call, identity: Identity) -> Result<Found, Trouble> {
    contradicts(call, identity)?;
    let is_over = call.is_logged_by_its_end() || (call.is_made_by_update() && call.ended_at.is_some());
    Ok(if is_over {
        Found::Answer(answer(&call.reference()))
    } else if call.is_made_by_update() {
        Found::MadeByUpdate
    } else if call.is_create_unknown() {
        Found::Unknown
    } else {
        Found::Nothing
    })
}

/// Whether a create that began at `began` may be another one than that of the call, which began at another time.
pub(super) fn began_elsewhen(call: &Call, began: Timestamp) -> bool {
    call.fingerprint.is_some() && call.began().is_some_and(|first| first != began)
}

/// The same, of a call with an id or a promise too; `began` as in `Bridge::look_up`.
///
/// # Errors
/// When its create was that of another call.
pub(super) fn remembered(
    call: &Call,
    identity: Identity,
    began: Option<Timestamp>,
) -> Result<Found, Trouble> {
    if began.is_some_and(|began| began_elsewhen(call, began)) {
        return Ok(Found::BeganElsewhen);
    }
    if call.voice_call_id.is_none() && call.deferred_at.is_none() {
        return earlier(call, identity);
    }
    contradicts(call, identity)?;
    Ok(Found::Answer(answer(&call.reference())))
}

/// Whether another call has taken the key. A create that failed counts too: its key was taken then. The caller's number
/// may change before an agent has the call: that it is the same is known by when it began, or by Webex.
pub(super) fn contradicts(call: &Call, identity: Identity) -> Result<(), Trouble> {
    let caller_may_differ = identity.has_new_caller || call.began() == Some(identity.began);
    match call.fingerprint {
        Some(first) if !first.is_same_create(identity.fingerprint, caller_may_differ) => {
            Err(Trouble::Contradiction(String::from(
                "vendorCallKey: an earlier call had the same key and another from, to or initiationMethod; \
                 each call needs a key of its own",
            )))
        }
        _ => Ok(()),
    }
}

pub(super) fn answer(reference: &CallReference) -> Created {
    Created { voice_call_id: reference.as_ref().to_owned(), warnings: Vec::new() }
}

const NOT_KNOWN_YET: &str =
    "it did not answer whether it has made the VoiceCall, and does not take what would make sure of it";

/// What is known of the record of a call whose create is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Record {
    /// An update under the key has made it.
    Made,
    /// A create may have made it.
    Unknown,
}

impl Bridge {
    /// A create whose answer never came may have made the record. It is asked for where that can be; else, and where it
    /// is not found, what the create says is sent as an update under the key, which makes no second one.
    pub(super) async fn create_once(
        &self,
        name: CallName,
        fingerprint: Fingerprint,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Created, Trouble> {
        // Under the key of another VoiceCall, an update would change that.
        if !name.is_plain() {
            return self.create_anew(name, fingerprint, request, budget).await;
        }
        let (org, half) = (self.org(&request.origin.call_center)?, budget.half());
        let found = org.record_of(&self.client, &request.vendor_call_key, &half).await;
        budget.waited(half.upstream().unwrap_or_default());
        let Some(id) = found else {
            return self.catch_up((name, Record::Unknown), fingerprint, request, budget).await;
        };
        let created = answer(&CallReference::Id(id));
        let note = Note {
            fingerprint: Some(fingerprint),
            start_time: Some(request.start_time.timestamp()),
            ..Note::of(name, self.outbox.now())
        };
        self.remember(&created, note, budget).await;
        Ok(created)
    }

    /// What the create says is sent as an update under the key: a create would make a second record. If Salesforce
    /// refuses that, there is none. A record of which nobody knows stands for the key only once the update is through, unless
    /// the contact center defers creates: the flow's next request would name nothing. It is not sent once an agent has had
    /// the call.
    pub(super) async fn catch_up(
        &self,
        (name, record): (CallName, Record),
        fingerprint: Fingerprint,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Created, Trouble> {
        let key = CallReference::Key(request.vendor_call_key.clone());
        let now = self.outbox.now();
        // The journal knows how far the record is; who cannot read it must find that in memory.
        let (created_at, create_unknown_at) = match record {
            Record::Made => (Some(now), None),
            Record::Unknown => (None, Some(now)),
        };
        let note = Note {
            fingerprint: Some(fingerprint),
            start_time: Some(request.start_time.timestamp()),
            create_body: CreateBody::Set(body_of(request)),
            created_at,
            create_unknown_at,
            ..Note::of(name.clone(), now)
        };
        let create = Stored::of(Ask::Create(request)).read(Operation::Create);
        let Some(update) = create.ok().and_then(|create| create.to_update()) else {
            return self.create_anew(name, fingerprint, request, budget).await;
        };
        let guard = match record {
            Record::Made => Guard::Off,
            Record::Unknown => Guard::On,
        };
        let must_be_through = record == Record::Unknown && !self.defers(request);
        match self.keep_and_send(Ask::Kept(&update), Some(note), false, guard, None, budget).await {
            Ok(Delivered::Later) if must_be_through => {
                Err(Failure::Again { after: None, words: NOT_KNOWN_YET.to_owned() }.into())
            }
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
