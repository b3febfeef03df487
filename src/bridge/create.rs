//! A call has arrived.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::deliver::{First, Promise, Promised};
use super::update::Guard;
use super::{Bridge, BridgeError, Delivered, in_time, without_journal};
use crate::domain::{
    Call, CallName, CallReference, Continuation, CreateVoiceCall, Fingerprint, Initiation, StoredJson,
    VoiceCallId,
};
use crate::outbox::Kept;
use crate::salesforce::{Budget, Created, Failure, Operation, SalesforceRequest, StoredRequest};
use crate::settings::OnCreateFailure;
use crate::store::{CreateBody, Note, OpenCall, Opened, Subject};

/// How often another replica's create is looked after.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// The time that is kept for writing a deferred create down.
const RESERVE: Duration = Duration::from_millis(200);

impl Bridge {
    /// Gives the call its record, once: a repeated create answers what the first one gave, and joins it while it is
    /// in flight.
    ///
    /// # Errors
    /// When Salesforce did not make it in time, or the key was used for another call.
    pub async fn create(&self, request: &CreateVoiceCall, budget: &Budget) -> Result<Created, BridgeError> {
        let turn = (request.origin.call_center.clone(), request.vendor_call_key.to_string());
        let _turn = self.turns.take(turn, budget.deadline()).await.ok_or(BridgeError::InFlight)?;
        let fingerprint = self.fingerprint(request);
        let mut name = self.name_of(request, budget).await?;
        // Of calls whose create says nothing of an earlier one, the first has a name that needs no look at the others.
        let began = request.start_time.timestamp();
        let may_be_later = name.is_plain().then_some(began);
        let mut identity = Identity { fingerprint, began, has_new_caller: false };
        let mut found = self.look_up(&name, identity, may_be_later, budget).await?;
        if matches!(found, Found::BeganElsewhen) {
            let key = CallReference::Key(request.vendor_call_key.clone());
            let interaction = self.interaction(&request.origin.call_center, &key, budget).await?;
            name = Self::place_in(&interaction, request)?;
            identity.has_new_caller = interaction.timeline().has_new_caller();
            found = self.look_up(&name, identity, None, budget).await?;
        }
        match found {
            Found::Answer(created) => Ok(created),
            found => {
                let leased = name.clone();
                let (request, details) = self.fill_create(&name, request, budget).await;
                let filled = (!details.is_empty()).then(|| name.clone());
                let kept = self.keep_details(filled.as_ref(), &details, budget);
                let created = async {
                    match found {
                        Found::MadeByUpdate => {
                            let made = (name, Record::Made);
                            Box::pin(self.catch_up(made, fingerprint, &request, budget)).await
                        }
                        // What is rare is boxed: its room would be copied with every create.
                        Found::Unknown => {
                            Box::pin(self.create_once(name, fingerprint, &request, budget)).await
                        }
                        _ => self.create_anew(name, fingerprint, &request, budget).await,
                    }
                };
                // Beside each other: nobody waits longer for that.
                let (created, ()) = tokio::join!(created, kept);
                // Else the note of the VoiceCall ends the lease.
                if !created.as_ref().is_ok_and(|made| made.voice_call_id != request.vendor_call_key.as_ref())
                {
                    self.give_back(&leased, budget).await;
                }
                created
            }
        }
    }

    /// What an earlier create of the same call gave. `began`: the call may be another one if it began then.
    async fn look_up(
        &self,
        name: &CallName,
        identity: Identity,
        began: Option<Timestamp>,
        budget: &Budget,
    ) -> Result<Found, BridgeError> {
        let recent = self.outbox.recent(name);
        if let Some((call, Kept::NotYet)) = &recent {
            match remembered(call, identity, began)? {
                Found::Nothing => {}
                found => return Ok(found),
            }
        }
        // Where replicas share the database, only it knows what the others do. Of a single process we know that ourselves:
        // the caller waits no longer for its database than leaves time to create the VoiceCall.
        let reading = if self.store().is_shared() { budget.sooner(Duration::ZERO) } else { budget.half() };
        loop {
            match in_time(&reading, self.outbox.store().open_call(self.question(name))).await {
                Err(error) => {
                    without_journal(&error);
                    let call = recent.as_ref().map(|(call, _)| call);
                    return call.map_or(Ok(Found::Nothing), |call| remembered(call, identity, began));
                }
                Ok(Opened::New(None)) => return Ok(Found::Nothing),
                Ok(Opened::New(Some(call))) => {
                    let found = match began.is_some_and(|began| began_elsewhen(&call, began)) {
                        true => Ok(Found::BeganElsewhen),
                        false => earlier(&call, identity),
                    };
                    if !matches!(found, Ok(Found::Nothing | Found::MadeByUpdate | Found::Unknown)) {
                        self.give_back(name, budget).await;
                    }
                    return found;
                }
                Ok(Opened::Known(call)) if began.is_some_and(|began| began_elsewhen(&call, began)) => {
                    return Ok(Found::BeganElsewhen);
                }
                Ok(Opened::Known(call)) => {
                    contradicts(&call, identity)?;
                    return Ok(Found::Answer(answer(&call.reference())));
                }
                Ok(Opened::Busy) => {
                    let look = tokio::time::Instant::now() + LOOK;
                    if look >= budget.deadline() {
                        return Err(BridgeError::InFlight);
                    }
                    tokio::time::sleep_until(look).await;
                }
            }
        }
    }

    pub(super) async fn create_anew(
        &self,
        name: CallName,
        fingerprint: Fingerprint,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Created, BridgeError> {
        let org = self.org(&request.origin.call_center)?;
        let now = self.outbox.now();
        let note = Note {
            fingerprint: Some(fingerprint),
            start_time: Some(request.start_time.timestamp()),
            ..Note::of(name, now)
        };
        let defer = self.defers(request);
        let asking = budget.sooner(if defer { RESERVE } else { Duration::ZERO });
        let (request, not_yet) = self.with_parent(&note.call, request, &asking).await;
        let request = request.as_ref();
        let result = match not_yet {
            None => org.create(&self.client, request, &asking).await,
            Some(failure) => Err(failure),
        };
        budget.waited(asking.upstream().unwrap_or_default());
        let failure = match result {
            Ok(created) => {
                self.remember(&created, note, budget).await;
                return Ok(created);
            }
            Err(failure) => failure,
        };
        let note = Note { create_unknown_at: failure.is_unknown().then_some(now), ..note };
        match failure {
            failure if defer && failure.is_passing() => {
                Box::pin(self.defer(request, note, failure, budget)).await
            }
            Failure::Refused { .. } => Err(failure.into()),
            // Until the hang-up, which can then log the call after all.
            _ => {
                let kept = CreateBody::Set(body_of(request));
                self.keep(Note { create_body: kept, ..note }, budget).await;
                Err(failure.into())
            }
        }
    }

    /// No VoiceCall came of the create, as far as we know: others need not wait for it.
    async fn give_back(&self, name: &CallName, budget: &Budget) {
        let (store, name, owner) = (self.store().clone(), name.clone(), self.outbox.owner().to_owned());
        self.write_down(async move { store.release_create(&name, &owner).await }, budget).await;
    }

    /// Durable before the flow is answered. The record exists: a journal that cannot be written changes nothing
    /// about that, but a repetition would not be known.
    pub(super) async fn remember(&self, created: &Created, note: Note, budget: &Budget) {
        let note = Note {
            voice_call_id: VoiceCallId::parse(created.voice_call_id.as_str()).ok(),
            created_at: Some(self.outbox.now()),
            create_body: CreateBody::Done,
            ..note
        };
        if !created.warnings.is_empty() {
            let (key, warnings) = (note.call.vendor_call_key(), &created.warnings);
            tracing::warn!(vendor_call_key = %key, ?warnings, "Salesforce created the VoiceCall and complained");
        }
        self.keep(note, budget).await;
    }

    /// Writes down how the create ended: a repetition must know.
    async fn keep(&self, note: Note, budget: &Budget) {
        let (outbox, note) = (Arc::clone(&self.outbox), Arc::new(note));
        self.write_down(async move { outbox.keep(note).await }, budget).await;
    }

    /// The key stands for the id, and the outbox creates the record afterwards.
    async fn defer(
        &self,
        request: &CreateVoiceCall,
        note: Note,
        failure: Failure,
        budget: &Budget,
    ) -> Result<Created, BridgeError> {
        let key = request.vendor_call_key.to_string();
        let note = Note {
            deferred_at: Some(self.outbox.now()),
            create_body: CreateBody::Set(body_of(request)),
            ..note
        };
        let unknown = note.create_unknown_at.map(|_| Note { deferred_at: None, ..note.clone() });
        let promise = Promise {
            subject: Subject::Known(note.into()),
            asks: &[SalesforceRequest::Create(request)],
            is_final: false,
            unless_answered: false,

            mark: None,
            first: First::Failed(failure.clone()),
        };
        match self.promise(promise, budget).await {
            Ok(Promised::Kept(_)) => {
                tracing::warn!(vendor_call_key = key, reason = %failure, "the VoiceCall is created later; answered its key");
                Ok(Created { voice_call_id: key, warnings: Vec::new() })
            }
            // It was kept before, or the caller was gone meanwhile: the final update makes the record.
            Ok(Promised::Duplicate | Promised::Answered) => {
                Ok(answer(&CallReference::Key(request.vendor_call_key.clone())))
            }
            Err(error) => {
                without_journal(&error);
                if let Some(unknown) = unknown {
                    self.keep(unknown, budget).await;
                }
                Err(failure.into())
            }
        }
    }

    /// Whether a create that Salesforce does not do in time is done later, and its key answered.
    pub(super) fn defers(&self, request: &CreateVoiceCall) -> bool {
        let center = self.call_center(request.origin.call_center.as_ref());
        center.is_some_and(|center| center.on_create_failure == OnCreateFailure::Defer)
    }

    fn question(&self, name: &CallName) -> OpenCall {
        let now = self.outbox.now();
        let keep =
            jiff::SignedDuration::try_from(self.settings.journal.keep).unwrap_or(jiff::SignedDuration::MAX);
        OpenCall {
            call: name.clone(),
            owner: self.outbox.owner().to_owned(),
            lease_until: self.outbox.lease_until(),
            window: now.checked_sub(keep).unwrap_or(Timestamp::MIN),
            now,
        }
    }

    fn fingerprint(&self, request: &CreateVoiceCall) -> Fingerprint {
        let method = match (&request.initiation, request.continues) {
            (Initiation::Inbound, Continuation::NotStated | Continuation::Itself) => "Inbound",
            (Initiation::Inbound, Continuation::Earlier) | (Initiation::Transfer { .. }, _) => "Transfer",
        };
        let (store, from, to) = (self.outbox.store(), request.from.expose(), request.to.expose());
        Fingerprint::of_create(store.fingerprint(&[from, to, method]), store.fingerprint(&[to, method]))
    }
}

pub(super) fn body_of(request: &CreateVoiceCall) -> StoredJson {
    StoredJson::new(
        serde_json::to_string(&StoredRequest::of(SalesforceRequest::Create(request))).unwrap_or_default(),
    )
}

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
pub(super) fn earlier(call: &Call, identity: Identity) -> Result<Found, BridgeError> {
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
) -> Result<Found, BridgeError> {
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
pub(super) fn contradicts(call: &Call, identity: Identity) -> Result<(), BridgeError> {
    let caller_may_differ = identity.has_new_caller || call.began() == Some(identity.began);
    match call.fingerprint {
        Some(first) if !first.is_same_create(identity.fingerprint, caller_may_differ) => {
            Err(BridgeError::Contradiction(String::from(
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
    ) -> Result<Created, BridgeError> {
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
    ) -> Result<Created, BridgeError> {
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
        let create = StoredRequest::of(SalesforceRequest::Create(request)).read(Operation::Create);
        let Some(update) = create.ok().and_then(|create| create.to_update()) else {
            return self.create_anew(name, fingerprint, request, budget).await;
        };
        let guard = match record {
            Record::Made => Guard::Off,
            Record::Unknown => Guard::On,
        };
        let must_be_through = record == Record::Unknown && !self.defers(request);
        match self
            .keep_and_send(SalesforceRequest::Restored(&update), Some(note), false, guard, None, budget)
            .await
        {
            Ok(Delivered::Later) if must_be_through => {
                Err(Failure::Again { after: None, words: NOT_KNOWN_YET.to_owned() }.into())
            }
            Ok(_) => {
                let now = self.outbox.now();
                let promised = Note { deferred_at: Some(now), ..Note::of(name, now) };
                self.note_down(promised, budget).await;
                Ok(answer(&key))
            }
            Err(BridgeError::Salesforce(Failure::Refused { .. })) => {
                self.create_anew(name, fingerprint, request, budget).await
            }
            Err(error) => Err(error),
        }
    }
}
