//! What a conclusion adds to a call's final update, where the contact center is configured so: the whole story in
//! Salesforce's terms. One final update for each call; what is learned afterwards corrects it without ending it again.

use super::conclude::{Concluded, Ending};
use super::deliver::Fresh;
use super::end::Which;
use super::finish::Finish;
use super::heard::Heard;
use super::{Bridge, Delivered, Trouble, in_time};
use crate::domain::{
    Call, CallCenterName, CallName, CallOutcome, CallReference, CallTimeline, Event, FinalRecord, FlowTime,
    PhoneContactEnded, Said, Stage, Standing, UpdateVoiceCall, Verdict,
};
use crate::salesforce::{Ask, Budget, Failure};
use crate::settings::Enrichment;
use crate::store::{Enqueued, EntryKind, NewEvent, Note, Subject, Task};

/// What an enrichment came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enriched {
    /// The final update of an answered call was kept.
    Final,
    /// The final update of an abandoned call was kept, with what is known of it.
    Abandoned,
    /// What was learned afterwards was kept, as an update that does not end the call again.
    Corrected,
    /// A final update had been sent by somebody else: none of ours.
    Withheld,
}

impl Enriched {
    /// As a label of a metric.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Abandoned => "abandoned",
            Self::Corrected => "corrected",
            Self::Withheld => "withheld",
        }
    }
}

/// A call, how it ended, and what is to be told of it.
pub(super) struct Told<'a> {
    /// None where no flow has told of it.
    pub(super) call: Option<&'a Call>,
    pub(super) name: CallName,
    /// Whether every name of it is that of another VoiceCall, until the outbox has made its record.
    pub(super) is_nameless: bool,
    pub(super) request: &'a PhoneContactEnded,
    pub(super) finish: &'a Finish,
    pub(super) heard: Heard,
}

impl Bridge {
    /// The final update of a call, if its contact center wants one. `timeline` tells what was said before.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn finish(
        &self,
        center: &CallCenterName,
        ending: &Ending<'_>,
        call: Option<&Call>,
        timeline: &CallTimeline,
        budget: &Budget,
    ) -> Result<Option<Finish>, Trouble> {
        let name = call.map(|call| call.name.clone());
        let name = name.unwrap_or_else(|| CallName::new(center.clone(), ending.key.clone(), None));
        let outcome = ending.story.outcome();
        let wants = |enrichment: &&Enrichment| {
            enrichment.enabled || self.takes_back(center, timeline.standing(&name), outcome)
        };
        let enrichment = self.call_center(center.as_ref()).map(|center| &center.enrichment);
        let Some(enrichment) = enrichment.filter(wants) else { return Ok(None) };
        let location = enrichment.recording_location.as_ref().map(|template| (template, ending.task));
        let record = FinalRecord::of(ending.story, enrichment.names(), location);
        let record = record.begun(call.and_then(|call| call.start_time));
        let filled = self.fill_ended(&name, call, (ending.story, ending.at), budget).await?;
        let finish =
            Finish { report: filled.report, ..Finish::of(&record, outcome, filled.call_attributes, center) };
        match timeline.standing(&name) {
            Standing::Ours(before) if !filled.is_whole => Ok(Some(finish.without_fields(before))),
            _ => Ok(Some(finish)),
        }
    }

    /// The settings of a contact center that wants a final update.
    pub(super) fn enrichment(&self, center: &CallCenterName) -> Option<&Enrichment> {
        Some(&self.call_center(center.as_ref())?.enrichment).filter(|enrichment| enrichment.enabled)
    }

    /// Ends a call and tells what is known of it: by its final update, or, where that was ours before, by a correction. A
    /// call that an agent had by other signs than its events gets none: it would say less than is known.
    ///
    /// # Errors
    /// When it cannot be kept, or Salesforce refused it for good.
    pub(super) async fn enrich(
        &self,
        told: Told<'_>,
        task: &mut Task,
        concluded: &mut Concluded,
        budget: &Budget,
    ) -> Result<Verdict, Trouble> {
        let finish = told.finish;
        let before = match task.timeline.standing(&told.name) {
            Standing::Unknown => None,
            Standing::Ours(said) => Some(Some(said.clone())),
            Standing::Others => Some(None),
        };
        let mark = task.timeline.mark(&told.name, Some(finish.said.clone()));
        let new = before.is_none().then(|| self.new_mark(task, mark.clone()));
        // The mark is kept if the call turns out to be abandoned; that of an answered one comes with its own update.
        let which = Which { name: &told.name, heard: told.heard };
        let verdict = self.end_marked(told.request, Some(which), new, budget).await?.verdict;
        let enriched = match (before, verdict) {
            (None, Verdict::Abandoned { .. } | Verdict::Callback) => {
                task.add(mark);
                Some(Enriched::Abandoned)
            }
            (None, _) if finish.said.outcome() < CallOutcome::Answered => None,
            (None, _) => Some(self.complete(&told, task, budget).await?),
            (Some(Some(said)), _) => self.tell_again(&told, &said, task, budget).await?,
            (Some(None), _) => None,
        };
        concluded.enriched.extend(enriched);
        if enriched.is_some_and(|enriched| enriched != Enriched::Withheld) {
            concluded.unmapped.extend(finish.unmapped.iter().cloned());
        }
        Ok(verdict)
    }

    /// Keeps an answered call's final update and tries it.
    async fn complete(&self, told: &Told<'_>, task: &mut Task, budget: &Budget) -> Result<Enriched, Trouble> {
        let Told { call, request, finish, .. } = told;
        let mut update = UpdateVoiceCall {
            accept_time: finish.additions.accept_time,
            disconnect_reason: finish.additions.disconnect_reason.clone(),
            ..self.final_update(request, *call, Stage::Unknown)
        };
        // What a create that failed would have said is to go with it; else the fields are filled already.
        let report = match update.call_attributes {
            Some(_) => self.fill_final(&mut update, &told.name, *call, budget).await?,
            None => {
                update.call_attributes.clone_from(&finish.additions.call_attributes);
                finish.report.clone()
            }
        };
        let now = self.outbox.now();
        let note = Note {
            start_time: request.start_time.map(FlowTime::timestamp),
            answered_at: Some(finish.additions.accept_time.map_or(now, FlowTime::timestamp)),
            ended_at: Some(request.end_time.timestamp()),
            ..Note::of(told.name.clone(), now)
        };
        match self.tell(told, &update, (note, true), task, budget).await? {
            Delivered::Withheld => Ok(Enriched::Withheld),
            _ => {
                self.keep_details(Some(&told.name), &report, budget).await;
                Ok(Enriched::Final)
            }
        }
    }

    /// An abandonment that was withheld in the outbox, because an agent turned out to have had the call, was never told: then
    /// this is the final update. Else it is a correction.
    async fn tell_again(
        &self,
        told: &Told<'_>,
        before: &Said,
        task: &mut Task,
        budget: &Budget,
    ) -> Result<Option<Enriched>, Trouble> {
        let is_answered = told.finish.said.outcome() == CallOutcome::Answered;
        let was_told = before.outcome() == CallOutcome::Answered;
        let is_delivered = told.call.is_none_or(|call| call.closed_at.is_some());
        let is_wanted = self.enrichment(told.name.call_center()).is_some();
        if is_answered && is_wanted && !was_told && !is_delivered {
            let enriched = self.complete(told, task, budget).await?;
            if enriched == Enriched::Final {
                return Ok(Some(enriched));
            }
        }
        self.correct(told, before, task, budget).await
    }

    /// Tells what was learned after the final update, if anything was: all of it, because what an update leaves out of
    /// holds and durations becomes 0.
    pub(super) async fn correct(
        &self,
        told: &Told<'_>,
        before: &Said,
        task: &mut Task,
        budget: &Budget,
    ) -> Result<Option<Enriched>, Trouble> {
        let said = &told.finish.said;
        let is_allowed = !before.is_plain || self.may_take_back(told.name.call_center());
        if !is_allowed || !before.is_corrected_by(said) {
            return Ok(None);
        }
        let mut update = told.finish.correction(told.request, before);
        // It may have been taken for one that never left the IVR.
        if said.is_abandonment && update.enqueue_time.is_some() {
            update.disconnect_reason = Some(self.reason(told.request, Stage::Queue));
        }
        let note = Note::of(told.name.clone(), self.outbox.now());
        self.tell(told, &update, (note, false), task, budget).await?;
        self.keep_details(Some(&told.name), &told.finish.report, budget).await;
        Ok(Some(Enriched::Corrected))
    }

    /// Keeps an update and its mark in one commit, so that it is kept once, and tries it.
    async fn tell(
        &self,
        told: &Told<'_>,
        update: &UpdateVoiceCall,
        (note, is_final): (Note, bool),
        task: &mut Task,
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let name = &told.name;
        let key = || CallReference::Key(name.vendor_call_key().clone());
        let reference = told.call.map_or_else(key, Call::reference);
        let ask = Ask::Update(&reference, update);
        let mark = task.timeline.mark(name, Some(told.finish.said.clone()));
        let new = self.new_mark(task, mark.clone());
        // Of a contact center that wants no final update of ours, nothing is told that takes nothing back.
        let takes_back = !is_final && self.enrichment(name.call_center()).is_none();
        let entry = match takes_back {
            true => self.outbox.taking_back(ask),
            false => self.outbox.entry(ask, is_final, false),
        };
        let put = self.outbox.put_marked(Subject::Known(Box::new(note)), vec![entry], false, None, Some(new));
        match in_time(budget, put).await? {
            Enqueued::Accepted { ids, behind: false, call }
                if takes_back && call.as_deref().is_none_or(|call| call.closed_at.is_none()) =>
            {
                task.add(mark);
                // Whether there is something to take back is looked at in its turn.
                self.outbox.give_back(&ids).await;
                Ok(Delivered::Later)
            }
            Enqueued::Accepted { ids, behind, .. } => {
                task.add(mark);
                let fresh = |&id| Fresh { id, kind: EntryKind::Update, is_final };
                match ids.first().map(fresh).filter(|_| !behind) {
                    Some(fresh) if told.is_nameless => {
                        let words = String::from("the VoiceCall is still to be created");
                        self.settle(fresh, Some(&Failure::Again { after: None, words }), ask);
                        Ok(Delivered::Later)
                    }
                    Some(fresh) => self.try_now(fresh, ask, budget).await,
                    None => Ok(Delivered::Later),
                }
            }
            Enqueued::Duplicate | Enqueued::Answered => {
                let key = name.vendor_call_key();
                tracing::info!(vendor_call_key = %key, "withheld: a final update was sent before");
                if task.timeline.standing(name) == Standing::Unknown {
                    task.add(task.timeline.mark(name, None));
                }
                Ok(Delivered::Withheld)
            }
        }
    }

    /// A mark, to be kept with its task.
    pub(super) fn new_mark(&self, task: &Task, event: Event) -> NewEvent {
        let now = self.outbox.now();
        NewEvent { task: task.id.clone(), event, numbers: None, now, due_at: now }
    }
}
