//! The caller is gone.

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::create::LOOK;
use super::deliver::{First, Promise, Promised};
use super::inquire::Shown;
use super::signs::{WebexSigns, says_callback};
use super::{Bridge, BridgeError, Delivered, facts, in_time, named};
use crate::domain::{
    AbandonmentStage, Call, CallName, CallReference, DisconnectReason, Fact, FlowTime, HangUpDecision,
    Interaction, PhoneContactEnded, UpdateVoiceCall, decide,
};
use crate::salesforce::{Budget, Failure, Operation, SalesforceRequest, StoredRequest};
use crate::store::{CreateBody, NewEvent, Note, Subject};

/// What a hang-up turned out to be, and how far that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whether it was an abandonment.
    pub verdict: HangUpDecision,
    /// Whether Salesforce has it all.
    pub delivered: Delivered,
}

/// Which of the calls of a key has ended, and what Webex has told of it.
#[derive(Clone, Copy)]
pub(super) struct Which<'a> {
    pub(super) name: &'a CallName,
    pub(super) signs: WebexSigns,
}

/// A hang-up, and the call that it ends.
struct HangUp<'a> {
    /// What was told.
    request: &'a PhoneContactEnded,
    /// All that is known of its interaction.
    interaction: &'a Interaction,
    /// The call, as far as it is known.
    call: Option<&'a Call>,
    /// The agent who had it.
    agent: Option<&'a str>,
    /// What Webex has told of it, where that was looked at.
    signs: Option<WebexSigns>,
    /// Whether no create of it is in flight here.
    has_turn: bool,
    mark: Option<NewEvent>,
}

impl Bridge {
    /// Decides whether the call was abandoned. If so, clears its routing and completes its record with the reason,
    /// both kept before they are tried; if an agent had it, or that was done before, sends nothing.
    ///
    /// # Errors
    /// When Salesforce refused the final update for good, or nothing can be written down.
    pub async fn end(&self, request: &PhoneContactEnded, budget: &Budget) -> Result<Ended, BridgeError> {
        self.until_store_works(budget).await;
        self.end_marked(request, None, None, budget).await
    }

    /// The same, with a mark for the call's task in the commit that takes an abandonment in. `which` of the calls of the
    /// key, where that is known: then the agent is one of this call.
    ///
    /// # Errors
    /// As [`Bridge::end`].
    pub(super) async fn end_marked(
        &self,
        request: &PhoneContactEnded,
        which: Option<Which<'_>>,
        mark: Option<NewEvent>,
        budget: &Budget,
    ) -> Result<Ended, BridgeError> {
        let center = &request.origin.call_center;
        let key = CallReference::Key(request.vendor_call_key.clone());
        // Behind a create in flight, so that there is a record to complete; after the deadline the outbox keeps the
        // order.
        let turn = (center.clone(), request.vendor_call_key.to_string());
        let patience = budget.half().deadline();
        let turn = self.turns.take(turn, patience).await;
        let interaction = self.interaction_ended(request, &key, budget, patience).await?;
        let began = request.start_time.map(FlowTime::timestamp);
        let meant = || interaction.meant_by_hang_up(request.voice_call.as_ref(), began);
        let call = which.and_then(|which| interaction.call(which.name)).or_else(meant);
        let named = request.agent.as_deref().map(str::trim);
        let agent = match (call, self.fingerprint_of(named)) {
            (Some(call), Some(fingerprint)) if which.is_none() => {
                named.filter(|agent| interaction.is_sign_of_agent(call, agent, fingerprint))
            }
            _ => named,
        };
        let (signs, has_turn) = (which.map(|which| which.signs), turn.is_some());
        let hang_up = HangUp { request, interaction: &interaction, call, agent, signs, has_turn, mark };
        let ended = self.end_of(hang_up, budget).await;
        self.count_end(center, (&interaction, call), &ended);
        let ended = ended?;
        if call.is_some_and(|call| interaction.is_last(call)) {
            self.leave_earlier(&interaction, budget).await?;
        }
        Ok(ended)
    }

    /// As [`Bridge::end`], of one call.
    ///
    /// # Errors
    /// As [`Bridge::end`].
    async fn end_of(&self, hang_up: HangUp<'_>, budget: &Budget) -> Result<Ended, BridgeError> {
        let HangUp { request, interaction, call, agent, signs, has_turn, mark } = hang_up;
        let center = &request.origin.call_center;
        let key = CallReference::Key(request.vendor_call_key.clone());
        let answered = Fact::AgentAtHangUp.of_agent(agent);
        let queued = request.enqueue_time.map(|_| Fact::Queued);
        let known = call.map(facts).unwrap_or_default().and(answered).and(queued);
        let known = known.and(says_callback(request));
        let name = call.map(|call| call.name.clone()).or_else(|| named(center, &key));
        let Some(name) = name else { return Ok(ended(HangUpDecision::Duplicate, Delivered::NoSuchCall)) };
        self.remember_picked(Some(&name), "phoneContactEnded", &request.picked, budget).await;
        let is_open = matches!(decide(known), HangUpDecision::Abandoned { .. } | HangUpDecision::Callback);
        let signs = signs.or_else(|| {
            let story = interaction.history_of(call.map(|call| &call.name)).filter(|_| is_open)?;
            Some(WebexSigns::of(&story))
        });
        let signs = signs.unwrap_or_default();
        match decide(known.union(signs.facts)) {
            // Their place in the queue, and so the routing, stays.
            HangUpDecision::Callback if signs.waits => {
                Ok(ended(HangUpDecision::Callback, Delivered::Withheld))
            }
            verdict @ (HangUpDecision::Abandoned { .. } | HangUpDecision::Callback) => {
                let request = &signs.complete(request, verdict == HangUpDecision::Callback);
                let named = request.voice_call.as_ref().unwrap_or(&key);
                let reference = Interaction::reference_to(named, call);
                let lacks_reference = call.is_some_and(|call| interaction.lacks_reference(call));
                // Beside a create in flight there may be no record yet to ask; the outbox asks it later. So it is where
                // the outbox has to make the record first.
                let wait = match has_turn && !lacks_reference {
                    false => Wait::ForCreate,
                    true => match self.shown(center, &reference, budget).await {
                        Shown::Agent => {
                            self.count_withheld("answered_in_record");
                            return self.leave(request, name, true, budget).await;
                        }
                        Shown::Nobody => Wait::No,
                        Shown::Unasked(failure) => Wait::ForAnswer(failure),
                    },
                };
                let abandonment = Abandonment { request, interaction, call, name, reference, verdict, mark };
                self.abandon(abandonment, wait, budget).await
            }
            HangUpDecision::Duplicate => {
                if let Some(call) = call.filter(|call| answered.is_some() && !call.is_answered()) {
                    self.leave(request, name, true, budget).await?;
                    self.take_back(call, None, budget).await?;
                }
                Ok(ended(HangUpDecision::Duplicate, Delivered::Withheld))
            }
            HangUpDecision::Answered => {
                self.count_withheld("answered");
                self.leave(request, name, answered.is_some(), budget).await
            }
        }
    }

    /// An agent had the call: its record is theirs. `is_news`: the journal does not know of the agent yet.
    async fn leave(
        &self,
        request: &PhoneContactEnded,
        name: CallName,
        is_news: bool,
        budget: &Budget,
    ) -> Result<Ended, BridgeError> {
        let now = self.outbox.now();
        let note = Note {
            ended_at: Some(request.end_time.timestamp()),
            answered_at: is_news.then_some(now),
            create_body: CreateBody::Done,
            ..Note::of(name, now)
        };
        in_time(budget, self.outbox.store().note(note)).await?;
        Ok(ended(HangUpDecision::Answered, Delivered::Withheld))
    }

    /// The interaction of the call, by the VoiceCall that the hang-up names, else by its key. Another replica's create is
    /// waited for like one of our own.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn interaction_ended(
        &self,
        request: &PhoneContactEnded,
        key: &CallReference,
        budget: &Budget,
        patience: Instant,
    ) -> Result<Interaction, BridgeError> {
        let center = &request.origin.call_center;
        let named = request.voice_call.as_ref().unwrap_or(key);
        loop {
            let mut interaction = self.interaction(center, named, budget).await?;
            if interaction.calls().is_empty() && named != key {
                interaction = self.interaction(center, key, budget).await?;
            }
            let look = Instant::now() + LOOK;
            let now = self.outbox.now();
            let call = interaction.find(named).or_else(|| interaction.newest());
            if !call.is_some_and(|call| call.is_being_created(now)) || look >= patience {
                return Ok(interaction);
            }
            sleep_until(look).await;
        }
    }
}

pub(super) fn ended(verdict: HangUpDecision, delivered: Delivered) -> Ended {
    Ended { verdict, delivered }
}

/// What keeps an abandonment from being sent as soon as it is kept.
pub(super) enum Wait {
    /// Nothing.
    No,
    /// A create in flight: an update that came before it would make a record of its own.
    ForCreate,
    /// Salesforce could not be asked whether an agent had the call.
    ForAnswer(Failure),
}

/// A hang-up that looks like an abandonment.
pub(super) struct Abandonment<'a> {
    pub(super) request: &'a PhoneContactEnded,
    /// All that is known of its interaction.
    pub(super) interaction: &'a Interaction,
    pub(super) call: Option<&'a Call>,
    pub(super) name: CallName,
    pub(super) reference: CallReference,
    pub(super) verdict: HangUpDecision,
    pub(super) mark: Option<NewEvent>,
}

impl Bridge {
    /// The vendors' recipe: clear routing, then one final update with start, end and reason. The update alone clears
    /// the routing too, so a first step that is refused is no harm. Before a wait it is left to the outbox.
    pub(super) async fn abandon(
        &self,
        abandonment: Abandonment<'_>,
        wait: Wait,
        budget: &Budget,
    ) -> Result<Ended, BridgeError> {
        let Abandonment { request, interaction, call, name, reference, verdict, mark } = abandonment;
        let mut update = self.final_update(request, call, verdict.stage());
        let mark = mark.or_else(|| self.told_plainly(&name, &update, verdict == HangUpDecision::Callback));
        let report = self.fill_final(&mut update, &name, interaction, budget).await?;
        let asks = [
            SalesforceRequest::ClearRouting(&reference, &request.origin),
            SalesforceRequest::Update(&reference, &update),
        ];
        let now = self.outbox.now();
        let first = match wait {
            _ if call.is_some_and(|call| call.is_being_created(now)) => First::AfterCreate(self.hold()),
            Wait::ForCreate => First::AfterCreate(self.hold()),
            Wait::ForAnswer(failure) => First::Failed(failure),
            Wait::No => First::NowUnlessCreated,
        };
        let note = Note {
            start_time: start_of(request, call),
            ended_at: Some(request.end_time.timestamp()),
            ..Note::of(name.clone(), now)
        };
        let subject = Subject::Known(note.into());
        let promise = Promise { subject, asks: &asks, is_final: true, unless_answered: true, mark, first };
        let promised = self.promise(promise, budget).await;
        if matches!(promised, Ok(Promised::Kept(_)) | Err(BridgeError::Salesforce(_))) {
            self.keep_details(Some(&name), &report, budget).await;
        }
        match promised? {
            Promised::Kept(delivered) => Ok(ended(verdict, delivered)),
            Promised::Duplicate => {
                self.count_withheld("closed");
                Ok(ended(HangUpDecision::Duplicate, Delivered::Withheld))
            }
            Promised::Answered => {
                self.count_withheld("answered");
                Ok(ended(HangUpDecision::Answered, Delivered::Withheld))
            }
        }
    }

    /// The final update of an abandonment.
    pub(super) fn final_update(
        &self,
        request: &PhoneContactEnded,
        call: Option<&Call>,
        stage: AbandonmentStage,
    ) -> UpdateVoiceCall {
        let mut update = UpdateVoiceCall {
            origin: request.origin.clone(),
            call: None,
            start_time: request.start_time,
            end_time: Some(end_of(request, call)),
            enqueue_time: request.enqueue_time,
            accept_time: None,
            from_number: None,
            disconnect_reason: Some(self.reason(request, stage)),
            call_attributes: request.call_attributes.clone(),
            rest: request.rest.clone(),
            picked: request.picked.clone(),
        };
        // A call that Salesforce may not know by an id: the update makes its record, and then wants to know what a
        // create would have said.
        let has_id = request.voice_call.as_ref().is_some_and(|call| matches!(call, CallReference::Id(_)))
            || call.is_some_and(|call| call.voice_call_id.is_some());
        if !has_id {
            complete(&mut update, request, call);
        }
        update
    }

    /// What the request says, else what is configured for where the caller gave up.
    pub(super) fn reason(&self, request: &PhoneContactEnded, stage: AbandonmentStage) -> DisconnectReason {
        let configured = || {
            let abandonment = &self.call_center(request.origin.call_center.as_ref())?.abandonment;
            let value = stage.choose(&abandonment.reason, &abandonment.reason_in_ivr).clone();
            Some(DisconnectReason { value, is_error: abandonment.is_error })
        };
        let default = || DisconnectReason { value: String::from("Abandoned"), is_error: true };
        request.disconnect_reason.clone().or_else(configured).unwrap_or_else(default)
    }
}

/// When the call began, where no create has told: that is what tells flow runs apart.
fn start_of(request: &PhoneContactEnded, call: Option<&Call>) -> Option<Timestamp> {
    let is_told = call.is_some_and(|call| call.fingerprint.is_some());
    request.start_time.map(FlowTime::timestamp).filter(|_| !is_told)
}

/// What a create would have said: from the request, else from the create that failed.
fn complete(update: &mut UpdateVoiceCall, request: &PhoneContactEnded, call: Option<&Call>) {
    let failed = call
        .and_then(|call| call.create_body.as_ref())
        .and_then(|body| serde_json::from_str::<StoredRequest>(body.expose()).ok())
        .and_then(|stored| stored.read(Operation::Create).ok());
    let said = |name: &str| failed.as_ref().and_then(|create| create.body.get(name)).and_then(Value::as_str);
    let method = said("initiationMethod").unwrap_or("Inbound").to_uppercase();
    update.rest.insert("callCenterApiName".into(), Value::from(request.origin.call_center.as_ref()));
    update.rest.entry("initiationMethod").or_insert(Value::from(method));
    let to = request.to.as_ref().map(|number| number.expose()).or_else(|| said("to"));
    if let Some(to) = to {
        update.rest.insert("toNumber".into(), Value::from(to));
    }
    update.from_number = request.from.clone().or_else(|| said("from").map(Into::into));
    update.start_time =
        update.start_time.or_else(|| said("startTime").and_then(|time| FlowTime::parse(time).ok()));
    if update.call_attributes.is_none() {
        update.call_attributes = said("callAttributes").map(str::to_owned);
    }
}

/// A call does not end before it began: Webex's clock, which gives the start, may be ahead of ours, which gives the end.
fn end_of(request: &PhoneContactEnded, call: Option<&Call>) -> FlowTime {
    let began = request.start_time.or_else(|| call.and_then(Call::began).map(FlowTime::new));
    began.filter(|began| began.timestamp() > request.end_time.timestamp()).unwrap_or(request.end_time)
}
