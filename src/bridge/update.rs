//! Something has become of the call.

use jiff::Timestamp;

use super::attributes::went_out;
use super::deliver::{First, Promise, Promised};
use super::inquire::Shown;
use super::{Bridge, BridgeError, Delivered, facts, in_time, named, without_journal};
use crate::domain::{
    Call, CallFacts, CallReference, ClearRouting, Fact, FlowTime, GuardDecision, GuardedRequest, Interaction,
    Origin, UpdateVoiceCall, VendorCallKey, guard,
};
use crate::outbox::Hold;
use crate::salesforce::{Budget, Failure, SalesforceRequest};
use crate::store::{CreateBody, Note, Subject};

/// Whether something is sent only if no agent has had the call.
#[derive(Debug)]
pub(super) enum Guard {
    /// It is sent in any case.
    Off,
    /// Only then.
    On,
    /// Only then; Salesforce was to be asked for it and could not be, so it is not sent at once.
    Unasked(Failure),
}

impl Bridge {
    /// Passes an update on, once it is kept. The one that ends a call is sent once; one that would make the record
    /// of an answered call worse is not sent.
    ///
    /// # Errors
    /// When Salesforce refused it for good, or it cannot be kept.
    pub async fn update(&self, request: &UpdateVoiceCall, budget: &Budget) -> Result<Delivered, BridgeError> {
        self.until_store_works(budget).await;
        let origin = &request.origin;
        let started = request.start_time.map(FlowTime::timestamp);
        let accepted = request.accept_time.map(FlowTime::timestamp);
        let meant = self.meant(origin, request.call.as_ref(), started, budget).await?;
        let Some((named, mut interaction)) = meant else { return Ok(Delivered::NoSuchCall) };
        let mut call = interaction.meant_by_update(&named, started, accepted).cloned();
        let reference = reference(&interaction, &named, call.as_ref());
        let reason = request.disconnect_reason.as_ref().map(|reason| reason.value.as_str());
        let intent = GuardedRequest::Update { reason };
        if self.is_called_back(origin, intent, &interaction, call.as_ref()) {
            return Ok(Delivered::Withheld);
        }
        let guard = self.guard(origin, intent, &reference, (&interaction, call.as_ref()), budget).await;
        let Some(guard) = guard else {
            self.count_withheld("answered");
            self.let_end(request, &reference, call.as_ref(), budget).await;
            return Ok(Delivered::Withheld);
        };
        let (mut turn, mut hold) = (None, None);
        if call.as_ref().is_some_and(|call| interaction.lacks_reference(call)) {
            // The outbox makes its record first.
            hold = Some(self.hold());
        } else if let Some(key) = key_without_record(&reference, call.as_ref()) {
            // An update under a key that Salesforce does not know makes a record, and so does a create: so they take
            // turns. An update whose turn does not come in time is held until the create is through.
            let of_call = (origin.call_center.clone(), key.to_string());
            turn = self.turns.take(of_call, budget.half().deadline()).await;
            interaction = self.interaction(&origin.call_center, &reference, budget).await?;
            call = interaction.meant_by_update(&reference, started, accepted).cloned();
            let elsewhere = call.as_ref().is_some_and(|call| call.is_being_created(self.outbox.now()));
            hold = (turn.is_none() || elsewhere).then(|| self.hold());
        }
        let is_final = is_final(request);
        let note = self.note_of(origin, &reference, call.as_ref()).map(|note| Note {
            start_time: start_of(request, call.as_ref()),
            answered_at: answered_at(request, note.at),
            ended_at: is_final.then_some(request.end_time.map_or(note.at, FlowTime::timestamp)),
            ..note
        });
        let name = self.filled(note.as_ref());
        let (mut filled, mut report) = (None, Vec::new());
        if let Some(name) = &name {
            self.remember_picked(Some(name), "updateVoiceCall", &request.picked, budget).await;
            if is_final {
                let update = filled.insert(request.clone());
                report = self.fill_final(update, name, &interaction, budget).await?;
            }
        }
        let ask = SalesforceRequest::Update(&reference, filled.as_ref().unwrap_or(request));
        let sent = self.keep_and_send(ask, note, is_final, guard, hold, budget).await;
        drop(turn);
        let told = sent.is_ok().then(|| answered_at(request, self.outbox.now())).flatten();
        if is_final && matches!(sent, Ok(Delivered::Now | Delivered::Later)) {
            self.count_told(origin, (&interaction, call.as_ref()), told.is_some());
        }
        if let Some((call, at)) = call.as_ref().zip(told) {
            self.take_back(call, Some(at), budget).await?;
        }
        self.keep_details(name.as_ref().filter(|_| went_out(&sent)), &report, budget).await;
        sent
    }

    /// What is withheld from a call that an agent has had may say that its caller is gone: then what its create said is
    /// needed no more. Nobody is told of that, so nothing depends on it.
    async fn let_end(
        &self,
        request: &UpdateVoiceCall,
        reference: &CallReference,
        call: Option<&Call>,
        budget: &Budget,
    ) {
        let note = self.note_of(&request.origin, reference, call).filter(|_| is_final(request));
        let Some(note) = note else { return };
        let note = Note { create_body: CreateBody::Done, ..note };
        let noted = in_time(budget, self.outbox.store().note(note)).await;
        noted.unwrap_or_else(|error| without_journal(&error));
    }

    /// Takes the call out of the waiting line, once that is kept; not for a call that an agent has had.
    ///
    /// # Errors
    /// As [`Bridge::update`].
    pub async fn clear_routing(
        &self,
        request: &ClearRouting,
        budget: &Budget,
    ) -> Result<Delivered, BridgeError> {
        self.until_store_works(budget).await;
        let meant = self.meant(&request.origin, request.call.as_ref(), None, budget).await?;
        let Some((named, interaction)) = meant else { return Ok(Delivered::NoSuchCall) };
        let call = interaction.find(&named);
        if call.is_some_and(|call| interaction.lacks_reference(call)) {
            // Without a record it waits nowhere; under its key, that of another VoiceCall would be cleared.
            return Ok(Delivered::Withheld);
        }
        if self.is_called_back(&request.origin, GuardedRequest::ClearRouting, &interaction, call) {
            return Ok(Delivered::Withheld);
        }
        let reference = reference(&interaction, &named, call);
        let guard = self.guard(
            &request.origin,
            GuardedRequest::ClearRouting,
            &reference,
            (&interaction, call),
            budget,
        );
        let Some(guard) = guard.await else {
            return Ok(Delivered::Withheld);
        };
        let note = self.note_of(&request.origin, &reference, call);
        self.keep_and_send(
            SalesforceRequest::ClearRouting(&reference, &request.origin),
            note,
            false,
            guard,
            None,
            budget,
        )
        .await
    }

    /// Nothing is sent that cannot be kept: without the journal nobody knows whether an agent has had the call.
    pub(super) async fn keep_and_send(
        &self,
        ask: SalesforceRequest<'_>,
        note: Option<Note>,
        is_final: bool,
        guard: Guard,
        hold: Option<Hold>,
        budget: &Budget,
    ) -> Result<Delivered, BridgeError> {
        let center = &ask.origin().call_center;
        let name = note.as_ref().map(|note| note.call.clone());
        let subject = match (note, ask.call()) {
            (Some(note), _) => Subject::Known(note.into()),
            (None, Some(call)) => Subject::Unknown(center.clone(), call.clone()),
            (None, None) => return Ok(Delivered::NoSuchCall),
        };
        let unless_answered = !matches!(guard, Guard::Off);
        let mark = match (ask, &name) {
            (SalesforceRequest::Update(_, update), Some(name)) if is_final && unless_answered => {
                self.told_plainly(name, update, false)
            }
            _ => None,
        };
        let first = match (hold, guard) {
            (Some(hold), _) => First::AfterCreate(hold),
            (None, Guard::Unasked(failure)) => First::Failed(failure),
            (None, Guard::On | Guard::Off) => First::Now,
        };
        let asks = &[ask];
        let promise = Promise { subject, asks, is_final, unless_answered, mark, first };
        match self.promise(promise, budget).await? {
            Promised::Kept(delivered) => Ok(delivered),
            Promised::Duplicate | Promised::Answered => Ok(Delivered::Withheld),
        }
    }

    /// The interaction that a request means, and how it names its VoiceCall. After a create that failed, the vendor's flow
    /// names none: then it is the one that began at that time, if there is exactly one.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn meant(
        &self,
        origin: &Origin,
        named: Option<&CallReference>,
        started: Option<Timestamp>,
        budget: &Budget,
    ) -> Result<Option<(CallReference, Interaction)>, BridgeError> {
        let center = &origin.call_center;
        if let Some(named) = named {
            return Ok(Some((named.clone(), self.interaction(center, named, budget).await?)));
        }
        let found = match started {
            Some(started) => in_time(budget, self.store().find_by_start(center, started)).await?,
            None => Vec::new(),
        };
        if let [call] = found.as_slice() {
            let named = call.reference();
            let interaction = self.interaction(center, &named, budget).await?;
            return Ok(Some((named, interaction)));
        }
        let calls = found.len();
        tracing::warn!(call_center = %center, calls, "no voiceCallId, and not one call that is meant: nothing is sent");
        Ok(None)
    }

    /// Whether an intent is withheld because the caller has chosen to be called back: the routing is to stay while they
    /// wait, and the end comes from Webex.
    fn is_called_back(
        &self,
        origin: &Origin,
        intent: GuardedRequest<'_>,
        interaction: &Interaction,
        call: Option<&Call>,
    ) -> bool {
        self.guards(origin, intent) && interaction.is_called_back(call)
    }

    /// How an intent is guarded; none when it is withheld, because an agent has had the call. Of a VoiceCall to which
    /// Salesforce resolves no reference, Salesforce is not asked.
    async fn guard(
        &self,
        origin: &Origin,
        intent: GuardedRequest<'_>,
        reference: &CallReference,
        (interaction, call): (&Interaction, Option<&Call>),
        budget: &Budget,
    ) -> Option<Guard> {
        if !self.guards(origin, intent) {
            return Some(Guard::Off);
        }
        if is_answered(call) {
            return None;
        }
        if call.is_some_and(|call| interaction.lacks_reference(call)) {
            return Some(Guard::On);
        }
        let asked = Interaction::reference_to(reference, call);
        match self.shown(&origin.call_center, &asked, budget).await {
            Shown::Nobody => Some(Guard::On),
            Shown::Unasked(failure) => Some(Guard::Unasked(failure)),
            Shown::Agent => {
                if let Some(note) = self.note_of(origin, reference, call) {
                    self.remember_agent(note.call, budget).await;
                }
                None
            }
        }
    }

    /// Whether an intent is withheld from a call that an agent has had. That is asked twice: of what is known before,
    /// and in the commit that takes it in, so that no answer slips between.
    fn guards(&self, origin: &Origin, intent: GuardedRequest<'_>) -> bool {
        let Some(center) = self.call_center(origin.call_center.as_ref()) else { return false };
        let abandonment = &center.abandonment;
        let reasons = [abandonment.reason.as_str(), abandonment.reason_in_ivr.as_str()];
        let answered = CallFacts::default().and(Fact::AgentAnswered);
        abandonment.guard && guard(intent, answered, reasons) == GuardDecision::Withhold
    }

    /// A note on a call of the journal, or on one that its key makes known to it.
    fn note_of(&self, origin: &Origin, reference: &CallReference, call: Option<&Call>) -> Option<Note> {
        let name = call.map(|call| call.name.clone()).or_else(|| named(&origin.call_center, reference))?;
        Some(Note::of(name, self.outbox.now()))
    }
}

/// How Salesforce is told which VoiceCall is meant: as the request names it, unless that may mean another one of its key.
fn reference(interaction: &Interaction, named: &CallReference, call: Option<&Call>) -> CallReference {
    match interaction.is_transferred() {
        true => Interaction::reference_to(named, call),
        false => named.clone(),
    }
}

/// The key by which an update may make the record of its call.
fn key_without_record<'r>(reference: &'r CallReference, call: Option<&Call>) -> Option<&'r VendorCallKey> {
    match reference {
        CallReference::Key(key) if !call.is_some_and(Call::is_created) => Some(key),
        CallReference::Key(_) | CallReference::Id(_) => None,
    }
}

/// Whether it ends the call.
fn is_final(request: &UpdateVoiceCall) -> bool {
    request.rest.get("isActiveCall").and_then(serde_json::Value::as_bool) != Some(true)
}

/// When the call began, where no create has told: that is what tells flow runs apart.
fn start_of(request: &UpdateVoiceCall, call: Option<&Call>) -> Option<Timestamp> {
    let is_told = call.is_some_and(|call| call.fingerprint.is_some());
    request.start_time.map(FlowTime::timestamp).filter(|_| !is_told)
}

/// Whether an agent is known to have had the call.
fn is_answered(call: Option<&Call>) -> bool {
    let answered = call.is_some_and(|call| facts(call).is_answered());
    if answered {
        let key = call.map(|call| call.name.vendor_call_key().to_string());
        tracing::info!(vendor_call_key = key, "withheld: an agent has had the call");
    }
    answered
}

/// An update that names an agent or the time of acceptance tells that the call was answered.
fn answered_at(request: &UpdateVoiceCall, now: Timestamp) -> Option<Timestamp> {
    let agent = request.rest.get("agent").and_then(serde_json::Value::as_str);
    let by_agent = Fact::AgentInUpdate.of_agent(agent).map(|_| now);
    request.accept_time.map(FlowTime::timestamp).or(by_agent)
}
