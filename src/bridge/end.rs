//! The caller is gone.

use tokio::time::{Instant, sleep_until};

use super::abandon::{Abandonment, Hurdle};
use super::create::LOOK;
use super::heard::{Heard, says_callback};
use super::inquire::{Shown, best_reference};
use super::{Bridge, Delivered, Trouble, facts, in_time, named};
use crate::domain::{
    Call, CallName, CallReference, Fact, FlowTime, PhoneContactEnded, Verdict, decide, is_nameless,
};
use crate::salesforce::Budget;
use crate::store::{CreateBody, NewEvent, Note};

/// What a hang-up turned out to be, and how far that has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// Whether it was an abandonment.
    pub verdict: Verdict,
    /// Whether Salesforce has it all.
    pub delivered: Delivered,
}

/// Which of the calls of a key has ended, and what Webex has told of it.
#[derive(Clone, Copy)]
pub(super) struct Which<'a> {
    pub(super) name: &'a CallName,
    pub(super) heard: Heard,
}

/// A hang-up, and the call that it ends.
struct HangUp<'a> {
    /// What was told.
    request: &'a PhoneContactEnded,
    /// The call, as far as it is known.
    call: Option<Call>,
    /// The others of its key, with itself, if there are any.
    company: &'a [Call],
    /// The agent who had it.
    agent: Option<&'a str>,
    /// What Webex has told of it, where that was looked at.
    heard: Option<Heard>,
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
    pub async fn end(&self, request: &PhoneContactEnded, budget: &Budget) -> Result<Ended, Trouble> {
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
    ) -> Result<Ended, Trouble> {
        let center = &request.origin.call_center;
        let key = CallReference::Key(request.vendor_call_key.clone());
        // Behind a create in flight, so that there is a record to complete; after the deadline the outbox keeps the
        // order.
        let turn = (center.clone(), request.vendor_call_key.to_string());
        let patience = budget.half().deadline();
        let turn = self.turns.take(turn, patience).await;
        let call = self.find_ended(request, &key, budget, patience).await?;
        let company = self.company_of(call.as_ref(), budget).await?;
        // Each flow run of an interaction may report its end, under the same key.
        let began = request.start_time.map(FlowTime::timestamp);
        let names_id = matches!(request.voice_call, Some(CallReference::Id(_)));
        let is_meant = |one: &&Call| match which {
            Some(which) => one.name == *which.name,
            None => !names_id && began.is_some() && one.began() == began,
        };
        let call = company.iter().find(is_meant).cloned().or(call);
        let named = request.agent.as_deref();
        let agent = match &call {
            Some(call) if !company.is_empty() && which.is_none() => {
                self.last_agent(named, call, &company, budget).await?
            }
            _ => named,
        };
        let is_newest =
            call.as_ref().is_some_and(|call| company.last().is_some_and(|last| last.id == call.id));
        let (heard, has_turn) = (which.map(|which| which.heard), turn.is_some());
        let hang_up = HangUp { request, call, company: &company, agent, heard, has_turn, mark };
        let ended = self.end_of(hang_up, budget).await?;
        if is_newest {
            self.leave_earlier(&company, budget).await?;
        }
        Ok(ended)
    }

    /// As [`Bridge::end`], of one call.
    ///
    /// # Errors
    /// As [`Bridge::end`].
    async fn end_of(&self, hang_up: HangUp<'_>, budget: &Budget) -> Result<Ended, Trouble> {
        let HangUp { request, call, company, agent, heard, has_turn, mark } = hang_up;
        let center = &request.origin.call_center;
        let key = CallReference::Key(request.vendor_call_key.clone());
        let answered = Fact::AgentAtHangUp.of_agent(agent);
        let queued = request.enqueue_time.map(|_| Fact::Queued);
        let known = call.as_ref().map(facts).unwrap_or_default().and(answered).and(queued);
        let known = known.and(says_callback(request));
        let name = call.as_ref().map(|call| call.name.clone()).or_else(|| named(center, &key));
        let Some(name) = name else { return Ok(ended(Verdict::Duplicate, Delivered::NoSuchCall)) };
        self.remember_picked(Some(&name), "phoneContactEnded", &request.picked, budget).await;
        let is_open = matches!(decide(known), Verdict::Abandoned { .. } | Verdict::Callback);
        let heard = match heard {
            None if is_open => {
                self.heard_of(&request.vendor_call_key, call.as_ref(), company, budget).await?
            }
            heard => heard.unwrap_or_default(),
        };
        match decide(known.union(heard.facts)) {
            // Their place in the queue, and so the routing, stays.
            Verdict::Callback if heard.waits => Ok(ended(Verdict::Callback, Delivered::Withheld)),
            verdict @ (Verdict::Abandoned { .. } | Verdict::Callback) => {
                let request = &heard.complete(request, verdict == Verdict::Callback);
                let named = request.voice_call.as_ref().unwrap_or(&key);
                let (call, reference) = (call.as_ref(), best_reference(named, call.as_ref()));
                let is_nameless = call.is_some_and(|call| is_nameless(company, call));
                // Beside a create in flight there may be no record yet to ask; the outbox asks it later. So it is where
                // the outbox has to make the record first.
                let hurdle = match has_turn && !is_nameless {
                    false => Hurdle::Create,
                    true => match self.shown(center, &reference, budget).await {
                        Shown::Agent => return self.leave(request, name, true, budget).await,
                        Shown::Nobody => Hurdle::None,
                        Shown::Unasked(failure) => Hurdle::Unasked(failure),
                    },
                };
                let abandonment = Abandonment { request, call, name, reference, verdict, mark };
                self.abandon(abandonment, hurdle, budget).await
            }
            Verdict::Duplicate => {
                if let Some(call) = call.filter(|call| answered.is_some() && !call.is_answered()) {
                    self.leave(request, name, true, budget).await?;
                    self.take_back(&call, None, budget).await?;
                }
                Ok(ended(Verdict::Duplicate, Delivered::Withheld))
            }
            Verdict::Answered => self.leave(request, name, answered.is_some(), budget).await,
        }
    }

    /// An agent had the call: its record is theirs. `is_news`: the journal does not know of the agent yet.
    async fn leave(
        &self,
        request: &PhoneContactEnded,
        name: CallName,
        is_news: bool,
        budget: &Budget,
    ) -> Result<Ended, Trouble> {
        let now = self.outbox.now();
        let note = Note {
            ended_at: Some(request.end_time.timestamp()),
            answered_at: is_news.then_some(now),
            create_body: CreateBody::Done,
            ..Note::of(name, now)
        };
        in_time(budget, self.outbox.store().note(note)).await?;
        Ok(ended(Verdict::Answered, Delivered::Withheld))
    }

    /// What is known of the call. Another replica's create is waited for like one of our own.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn find_ended(
        &self,
        request: &PhoneContactEnded,
        key: &CallReference,
        budget: &Budget,
        patience: Instant,
    ) -> Result<Option<Call>, Trouble> {
        let center = &request.origin.call_center;
        loop {
            let call = match self.find(center, request.voice_call.as_ref().unwrap_or(key), budget).await? {
                None if request.voice_call.is_some() => self.find(center, key, budget).await?,
                found => found,
            };
            let look = Instant::now() + LOOK;
            let now = self.outbox.now();
            if !call.as_ref().is_some_and(|call| call.is_being_created(now)) || look >= patience {
                return Ok(call);
            }
            sleep_until(look).await;
        }
    }
}

pub(super) fn ended(verdict: Verdict, delivered: Delivered) -> Ended {
    Ended { verdict, delivered }
}
