//! Something has become of the call.

use jiff::Timestamp;

use super::attributes::went_out;
use super::deliver::Fresh;
use super::inquire::{Shown, best_reference};
use super::{Bridge, Delivered, Trouble, Turn, facts, forgetful, in_time, named};
use crate::domain::{
    Call, CallCenterName, CallReference, ClearRouting, Fact, FlowTime, Guarded, Intent, Known, Origin,
    UpdateVoiceCall, call_at, guard, is_nameless,
};
use crate::outbox::Hold;
use crate::salesforce::{Ask, Budget, Failure};
use crate::store::{CreateBody, Enqueued, Note, Subject};

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
    pub async fn update(&self, request: &UpdateVoiceCall, budget: &Budget) -> Result<Delivered, Trouble> {
        let started = request.start_time;
        let times = (started.map(FlowTime::timestamp), request.accept_time.map(FlowTime::timestamp));
        let Some((reference, call)) =
            self.meant(&request.origin, request.call.as_ref(), times, budget).await?
        else {
            return Ok(Delivered::NoSuchCall);
        };
        let reason = request.disconnect_reason.as_ref().map(|reason| reason.value.as_str());
        let intent = Intent::Update { reason };
        let is_nameless = self.is_nameless(call.as_ref(), budget).await?;
        if self.guards(&request.origin, intent)
            && self.is_called_back(&reference, call.as_ref(), budget).await?
        {
            return Ok(Delivered::Withheld);
        }
        let guard = self.guard(&request.origin, intent, &reference, call.as_ref(), is_nameless, budget);
        let Some(guard) = guard.await else {
            self.let_end(request, &reference, call.as_ref(), budget).await;
            return Ok(Delivered::Withheld);
        };
        let (turn, call, hold) = match is_nameless {
            false => self.after_create(&request.origin, &reference, call, budget).await?,
            // The outbox makes its record first.
            true => (None, call, Some(self.hold())),
        };
        let is_final = is_final(request);
        let note = self.note_of(&request.origin, &reference, call.as_ref()).map(|note| Note {
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
                report = self.fill_final(update, name, call.as_ref(), budget).await?;
            }
        }
        let ask = Ask::Update(&reference, filled.as_ref().unwrap_or(request));
        let sent = self.keep_and_send(ask, note, is_final, guard, hold, budget).await;
        drop(turn);
        let told = sent.is_ok().then(|| answered_at(request, self.outbox.now())).flatten();
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
        noted.unwrap_or_else(|error| forgetful(&error));
    }

    /// An update under a key that Salesforce does not know makes a record, and so does a create: so they take turns.
    /// An update whose turn does not come in time is held until the create is through.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn after_create(
        &self,
        origin: &Origin,
        reference: &CallReference,
        call: Option<Call>,
        budget: &Budget,
    ) -> Result<(Option<Turn<(CallCenterName, String)>>, Option<Call>, Option<Hold>), Trouble> {
        let key = match reference {
            CallReference::Key(key) if !call.as_ref().is_some_and(Call::is_created) => key,
            _ => return Ok((None, call, None)),
        };
        let turn = (origin.call_center.clone(), key.to_string());
        let turn = self.turns.take(turn, budget.half().deadline()).await;
        let call = self.find(&origin.call_center, reference, budget).await?;
        let elsewhere = call.as_ref().is_some_and(|call| call.is_being_created(self.outbox.now()));
        let hold = (turn.is_none() || elsewhere).then(|| self.hold());
        Ok((turn, call, hold))
    }

    /// Takes the call out of the waiting line, once that is kept; not for a call that an agent has had.
    ///
    /// # Errors
    /// As [`Bridge::update`].
    pub async fn clear_routing(&self, request: &ClearRouting, budget: &Budget) -> Result<Delivered, Trouble> {
        let no_times = (None, None);
        let Some((reference, call)) =
            self.meant(&request.origin, request.call.as_ref(), no_times, budget).await?
        else {
            return Ok(Delivered::NoSuchCall);
        };
        if self.is_nameless(call.as_ref(), budget).await? {
            // Without a record it waits nowhere; under its key, that of another VoiceCall would be cleared.
            return Ok(Delivered::Withheld);
        }
        let intent = Intent::ClearRouting;
        if self.guards(&request.origin, intent)
            && self.is_called_back(&reference, call.as_ref(), budget).await?
        {
            return Ok(Delivered::Withheld);
        }
        let guard = self.guard(&request.origin, intent, &reference, call.as_ref(), false, budget);
        let Some(guard) = guard.await else {
            return Ok(Delivered::Withheld);
        };
        let note = self.note_of(&request.origin, &reference, call.as_ref());
        self.keep_and_send(Ask::ClearRouting(&reference, &request.origin), note, false, guard, None, budget)
            .await
    }

    /// Nothing is sent that cannot be kept: without the journal nobody knows whether an agent has had the call.
    pub(super) async fn keep_and_send(
        &self,
        ask: Ask<'_>,
        note: Option<Note>,
        is_final: bool,
        guard: Guard,
        hold: Option<Hold>,
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let center = &ask.origin().call_center;
        let name = note.as_ref().map(|note| note.call.clone());
        let subject = match (note, ask.call()) {
            (Some(note), _) => Subject::Known(Box::new(note)),
            (None, Some(call)) => Subject::Unknown(center.clone(), call.clone()),
            (None, None) => return Ok(Delivered::NoSuchCall),
        };
        let unless_answered = !matches!(guard, Guard::Off);
        let mark = match (ask, &name) {
            (Ask::Update(_, update), Some(name)) if is_final && unless_answered => {
                self.told_plainly(name, update, false)
            }
            _ => None,
        };
        let entry = self.outbox.entry(ask, is_final, unless_answered);
        let kind = entry.kind;
        let put = self.outbox.put_marked(subject, vec![entry], unless_answered, hold.as_ref(), mark);
        match in_time(budget, put).await? {
            Enqueued::Accepted { behind: true, .. } => Ok(Delivered::Later),
            Enqueued::Accepted { ids, call, .. } => {
                if let Some((hold, name)) = hold.zip(name) {
                    self.let_go_after_create(hold, name);
                    return Ok(Delivered::Later);
                }
                let Some(&id) = ids.first() else { return Ok(Delivered::Later) };
                let fresh = Fresh { id, kind, is_final };
                if let Guard::Unasked(failure) = guard {
                    self.settle(fresh, Some(&failure), ask);
                    return Ok(Delivered::Later);
                }
                match call.filter(|call| fresh.makes_a_record_of(call)) {
                    Some(call) => self.make_now(fresh, ask, call.name, budget).await,
                    None => self.try_now(fresh, ask, budget).await,
                }
            }
            Enqueued::Duplicate | Enqueued::Answered => Ok(Delivered::Withheld),
        }
    }

    /// Which call a request means. After a create that failed, the vendor's flow names none: then it is the one that
    /// began at that time, if there is exactly one. Of several under one key it is the one that began then, or had the
    /// caller when an agent accepted, else the newest; and it is named by its id.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn meant(
        &self,
        origin: &Origin,
        named: Option<&CallReference>,
        (started, accepted): (Option<Timestamp>, Option<Timestamp>),
        budget: &Budget,
    ) -> Result<Option<(CallReference, Option<Call>)>, Trouble> {
        let center = &origin.call_center;
        if let Some(reference) = named {
            let call = self.find(center, reference, budget).await?;
            let company = match reference {
                CallReference::Key(_) => self.company_of(call.as_ref(), budget).await?,
                CallReference::Id(_) => Vec::new(),
            };
            if company.is_empty() {
                return Ok(Some((reference.clone(), call)));
            }
            let at_start = company.iter().find(|one| started.is_some() && one.began() == started);
            let meant = at_start.or_else(|| call_at(&company, accepted?)).cloned().or(call);
            return Ok(Some((best_reference(reference, meant.as_ref()), meant)));
        }
        let found = match started {
            Some(started) => in_time(budget, self.outbox.store().find_by_start(center, started)).await?,
            None => Vec::new(),
        };
        if let [call] = found.as_slice() {
            return Ok(Some((call.reference(), Some(call.clone()))));
        }
        let calls = found.len();
        tracing::warn!(call_center = %center, calls, "no voiceCallId, and not one call that is meant: nothing is sent");
        Ok(None)
    }

    /// Whether Salesforce would take any name of the call for another VoiceCall.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn is_nameless(&self, call: Option<&Call>, budget: &Budget) -> Result<bool, Trouble> {
        let company = self.company_of(call, budget).await?;
        Ok(call.is_some_and(|call| is_nameless(&company, call)))
    }

    /// How an intent is guarded; none when it is withheld, because an agent has had the call. One that is nameless has no
    /// record to ask.
    async fn guard(
        &self,
        origin: &Origin,
        intent: Intent<'_>,
        reference: &CallReference,
        call: Option<&Call>,
        is_nameless: bool,
        budget: &Budget,
    ) -> Option<Guard> {
        if !self.guards(origin, intent) {
            return Some(Guard::Off);
        }
        if is_answered(call) {
            return None;
        }
        if is_nameless {
            return Some(Guard::On);
        }
        match self.shown(&origin.call_center, &best_reference(reference, call), budget).await {
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
    fn guards(&self, origin: &Origin, intent: Intent<'_>) -> bool {
        let Some(center) = self.call_center(origin.call_center.as_ref()) else { return false };
        let abandonment = &center.abandonment;
        let reasons = [abandonment.reason.as_str(), abandonment.reason_in_ivr.as_str()];
        let answered = Known::default().and(Fact::AgentAnswered);
        abandonment.guard && guard(intent, answered, reasons) == Guarded::Withhold
    }

    /// A note on a call of the journal, or on one that its key makes known to it.
    fn note_of(&self, origin: &Origin, reference: &CallReference, call: Option<&Call>) -> Option<Note> {
        let name = call.map(|call| call.name.clone()).or_else(|| named(&origin.call_center, reference))?;
        Some(Note::of(name, self.outbox.now()))
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
