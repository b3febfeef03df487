//! A call was told as abandoned, by whomever, and an agent turns out to have had it: that is taken back.

use jiff::Timestamp;

use super::attributes::story;
use super::conclude::{Ending, hang_up};
use super::enrich::Told;
use super::finish::Finish;
use super::heard::Heard;
use super::{Bridge, Trouble, in_time};
use crate::domain::{
    Call, CallCenterName, CallName, CallOutcome, CallTimeline, FinalRecord, FlowTime, Said, Standing,
    UpdateVoiceCall, is_nameless,
};
use crate::salesforce::Budget;
use crate::store::NewEvent;

impl Bridge {
    /// Whether a contact center that wants no more than what became of the caller is told of it once more: what it was told
    /// was wrong. From then on the record is ours to complete.
    pub(super) fn takes_back(
        &self,
        center: &CallCenterName,
        standing: Standing<'_>,
        now: CallOutcome,
    ) -> bool {
        let Standing::Ours(said) = standing else { return false };
        let is_ours = !said.is_plain || said.outcome() == CallOutcome::Answered;
        self.may_take_back(center) && (is_ours || now > said.outcome())
    }

    pub(super) fn may_take_back(&self, center: &CallCenterName) -> bool {
        self.call_center(center.as_ref()).is_some_and(|center| center.abandonment.take_back)
    }

    /// The mark for what is told of a call without its story, so that it can be taken back.
    pub(super) fn told_plainly(
        &self,
        name: &CallName,
        update: &UpdateVoiceCall,
        is_callback: bool,
    ) -> Option<NewEvent> {
        self.settings.webex.as_ref().filter(|_| self.may_take_back(name.call_center()))?;
        let said = Said {
            start: update.start_time.map(FlowTime::timestamp),
            end: update.end_time.map(FlowTime::timestamp),
            digest: String::new(),
            fields: None,
            is_abandonment: !is_callback,
            is_callback,
            is_plain: true,
        };
        let (event, now) = (CallTimeline::default().mark(name, Some(said)), self.outbox.now());
        Some(NewEvent { task: name.vendor_call_key().task_id()?, event, numbers: None, now, due_at: now })
    }

    /// A flow tells of an agent after its call was told as abandoned: that is taken back, with what is known so far. Of an
    /// agent of whom events tell, they tell the rest.
    ///
    /// # Errors
    /// When the journal cannot be read, the correction cannot be kept, or Salesforce refused it for good.
    pub(super) async fn take_back(
        &self,
        call: &Call,
        accepted_at: Option<Timestamp>,
        budget: &Budget,
    ) -> Result<(), Trouble> {
        let (name, center) = (&call.name, call.name.call_center());
        let key = name.vendor_call_key();
        let Some(id) = key.task_id().filter(|_| call.is_over() && self.settings.webex.is_some()) else {
            return Ok(());
        };
        let Some(mut task) = in_time(budget, self.store().find_task(&id)).await? else { return Ok(()) };
        let Standing::Ours(before) = task.timeline.standing(name) else { return Ok(()) };
        let before = before.clone();
        let is_wrong = before.outcome() < CallOutcome::Answered;
        if !is_wrong || !self.takes_back(center, Standing::Ours(&before), CallOutcome::Answered) {
            return Ok(());
        }
        let company = self.company_of(Some(call), budget).await?;
        let story = story(&task.timeline, &company, Some(name), |agent| self.hash_of(Some(agent)));
        let story = story.unwrap_or_else(|| task.timeline.story());
        if story.has_agent() {
            return Ok(());
        }
        let Some(settings) = self.call_center(center.as_ref()) else { return Ok(()) };
        let record = FinalRecord {
            has_agent: true,
            start_time: before.start,
            end_time: before.end,
            accept_time: accepted_at,
            ..FinalRecord::of(&story, settings.enrichment.names(), None)
        };
        let mut finish = Finish::of(&record, CallOutcome::Answered, None, center);
        finish.said.is_plain = true;
        let at = FlowTime::new(before.end.or(call.ended_at).unwrap_or_else(|| self.outbox.now()));
        let request = hang_up(center, Ending { task: &id, key, story: &story, at });
        let is_nameless = is_nameless(&company, call);
        let heard = Heard::of(&story);
        let told = Told {
            call: Some(call),
            name: name.clone(),
            is_nameless,
            request: &request,
            finish: &finish,
            heard,
        };
        self.correct(&told, &before, &mut task, budget).await.map(drop)
    }
}
