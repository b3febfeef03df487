//! A call that continues another: a later flow run for the same interaction, or a Transfer by the flow's own word.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;

use super::{Bridge, Trouble, in_time, or_nothing};
use crate::domain::{
    Call, CallCenterName, CallName, CallReference, CallTimeline, Continues, CreateVoiceCall, Fingerprint,
    Initiation, Place, Run, VendorCallKey, call_at, parent_of, place,
};
use crate::salesforce::{Budget, Failure};
use crate::store::{CreateBody, Note};

impl Bridge {
    /// The name of the call that a create is about. Only where it may be that of a later flow run, the journal is asked.
    ///
    /// # Errors
    /// When it is a Transfer by the flow's word, and the journal knows no call that it could continue, or nothing at all.
    pub(super) async fn name_of(
        &self,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<CallName, Trouble> {
        match (&request.initiation, request.continues) {
            (Initiation::Transfer { parent }, _) => Ok(named(request, Some(parent))),
            (Initiation::Inbound, Continues::Unsaid) => Ok(named(request, None)),
            (Initiation::Inbound, Continues::Itself | Continues::Earlier) => {
                self.place_of(request, budget).await
            }
        }
    }

    /// The name of the call among those of its key: one that is there, or a new one behind them.
    ///
    /// # Errors
    /// As [`Bridge::name_of`].
    pub(super) async fn place_of(
        &self,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<CallName, Trouble> {
        let (center, key) = (&request.origin.call_center, &request.vendor_call_key);
        let calls = in_time(budget, self.outbox.store().calls_of(center, key)).await?;
        let began = request.start_time.timestamp();
        // What a create has told of; the others are known by hearsay.
        let told: Vec<(&Call, Run)> = calls.iter().filter_map(|call| Some((call, run(call)?))).collect();
        let runs: Vec<Run> = told.iter().map(|(_, run)| *run).collect();
        let later = || CallName::later_run(center.clone(), key.clone(), began);
        if request.continues == Continues::Earlier && parent_of(&calls, &later()).is_none() {
            return Err(Trouble::Contradiction(String::from(
                "parentVoiceCallId: missing or wrong; a Transfer names the call it continues, by id or \
                 vendorCallKey, or has the vendorCallKey of an earlier call that the bridge has created",
            )));
        }
        match place(&runs, began, request.continues) {
            Place::Of(one) => Ok(told.get(one).map_or_else(later, |(call, _)| call.name.clone())),
            Place::New if runs.is_empty() && request.continues != Continues::Earlier => {
                Ok(named(request, None))
            }
            Place::New => {
                tracing::info!(call_center = %center, vendor_call_key = %key, "another flow run for the same interaction: a Transfer");
                Ok(later())
            }
        }
    }

    /// The request as Salesforce is to read it: a Transfer names its parent by id where the journal knows one. And why it
    /// cannot be sent yet: the parent's own record was promised, and is still to be made.
    pub(super) async fn with_parent<'a>(
        &self,
        name: &CallName,
        request: &'a CreateVoiceCall,
        budget: &Budget,
    ) -> (Cow<'a, CreateVoiceCall>, Option<Failure>) {
        let key = match (&request.initiation, name.run_began()) {
            (Initiation::Transfer { parent: CallReference::Key(key) }, _) => key,
            (Initiation::Inbound, Some(_)) => &request.vendor_call_key,
            _ => return (Cow::Borrowed(request), None),
        };
        let calls = or_nothing(self.calls_under(name.call_center(), key, budget).await);
        let Some(parent) = parent_of(&calls, name) else { return (Cow::Borrowed(request), None) };
        let failure = parent.is_only_promised().then(|| Failure::Again {
            after: None,
            words: String::from("the VoiceCall that it continues is still to be created"),
        });
        let initiation = Initiation::Transfer { parent: parent.reference() };
        (Cow::Owned(CreateVoiceCall { initiation, ..request.clone() }), failure)
    }

    /// The call of a key that had the caller at that moment: the only one, or one of several.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn find_at(
        &self,
        center: &CallCenterName,
        key: &VendorCallKey,
        at: Timestamp,
        budget: &Budget,
    ) -> Result<Option<Call>, Trouble> {
        let newest = self.find(center, &CallReference::Key(key.clone()), budget).await?;
        let Some(newest) = newest else { return Ok(None) };
        if newest.name.is_plain() || newest.began().is_some_and(|began| began <= at) {
            return Ok(Some(newest));
        }
        let calls = self.calls_under(center, key, budget).await?;
        Ok(Some(call_at(&calls, at).cloned().unwrap_or(newest)))
    }

    /// All calls of the key of `call`, where it may have more than one: nothing where it is plainly the first.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn company_of(
        &self,
        call: Option<&Call>,
        budget: &Budget,
    ) -> Result<Vec<Call>, Trouble> {
        match call.filter(|call| !call.name.is_plain()) {
            Some(call) => {
                self.calls_under(call.name.call_center(), call.name.vendor_call_key(), budget).await
            }
            None => Ok(Vec::new()),
        }
    }

    /// An agent as the journal keeps them.
    pub(super) fn hash_of(&self, agent: Option<&str>) -> Option<Fingerprint> {
        let agent = agent.map(str::trim).filter(|agent| !agent.is_empty())?;
        Some(self.outbox.store().fingerprint(&[agent]))
    }

    /// The agent whom a hang-up of `call` names, if that shows that they had this call. Webex names the last agent of the
    /// interaction, who may have had an earlier VoiceCall of it: one who is known to have is no sign. One of whom nobody
    /// has told is one, so that no answered call is ever reported as abandoned.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn last_agent<'a>(
        &self,
        agent: Option<&'a str>,
        call: &Call,
        company: &[Call],
        budget: &Budget,
    ) -> Result<Option<&'a str>, Trouble> {
        let Some(agent) = agent.map(str::trim).filter(|agent| !agent.is_empty()) else { return Ok(None) };
        let began = call.began();
        let earlier = company.iter().filter(|other| other.name != call.name && other.began() < began);
        let hash = self.hash_of(Some(agent));
        let mut is_of_earlier = earlier.clone().any(|other| other.answered_by == hash);
        let timeline = self.timeline_of(call.name.vendor_call_key(), budget).await?;
        for (part_of, part) in timeline.parts_of(company, |agent| self.hash_of(Some(agent))) {
            match part_of.began().cmp(&began) {
                Ordering::Less => is_of_earlier |= part.story().agents.iter().any(|one| one.agent == agent),
                Ordering::Equal if part.is_answered() => return Ok(Some(agent)),
                Ordering::Equal | Ordering::Greater => {}
            }
        }
        Ok(if is_of_earlier { None } else { Some(agent) })
    }

    /// What Webex's events have told of the interaction.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn timeline_of(
        &self,
        key: &VendorCallKey,
        budget: &Budget,
    ) -> Result<CallTimeline, Trouble> {
        let Some(task) = key.task_id() else { return Ok(CallTimeline::default()) };
        let task = in_time(budget, self.outbox.store().find_task(&task)).await?;
        Ok(task.map(|task| task.timeline).unwrap_or_default())
    }

    /// The hang-up of the newest call is the end of the interaction: those before it, which agents had, ended where the
    /// next began, and nothing of them is needed any more.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) async fn leave_earlier(&self, company: &[Call], budget: &Budget) -> Result<(), Trouble> {
        for pair in company.windows(2) {
            let [call, next] = pair else { continue };
            if !call.is_answered() || call.is_over() {
                continue;
            }
            let name = call.name.clone();
            let note = Note {
                ended_at: next.began(),
                create_body: CreateBody::Done,
                ..Note::of(name, self.outbox.now())
            };
            in_time(budget, self.outbox.store().note(note)).await?;
        }
        Ok(())
    }

    /// The calls of a key.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn calls_under(
        &self,
        center: &CallCenterName,
        key: &VendorCallKey,
        budget: &Budget,
    ) -> Result<Vec<Call>, Trouble> {
        in_time(budget, self.outbox.store().calls_of(center, key)).await
    }
}

/// As the decision looks at a call that a create has told of.
fn run(call: &Call) -> Option<Run> {
    let began = call.began().filter(|_| call.fingerprint.is_some())?;
    let is_later = call.name.run_began().is_some();
    Some(Run { began, is_later, answered_at: call.answered_at, is_over: call.is_over() })
}

fn named(request: &CreateVoiceCall, parent: Option<&CallReference>) -> CallName {
    CallName::new(request.origin.call_center.clone(), request.vendor_call_key.clone(), parent)
}
