//! A task has ended, and its late events have had their time: what follows for its VoiceCalls.

use std::collections::BTreeSet;

use jiff::Timestamp;
use openssl::sha::sha256;
use serde::Serialize;

use super::attributes::went_out;
use super::deliver::{First, Promise, Promised};
use super::end::{Ended, Which};
use super::signs::{WebexSigns, callback_reason};
use super::update::Guard;
use super::{Bridge, BridgeError, Delivered, in_time, named};
use crate::domain::{
    AbandonmentStage, Call, CallCenterName, CallHistory, CallName, CallOutcome, CallReference, CallTimeline,
    CallTotals, Direction, DisconnectReason, FinalRecord, FinalUpdateState, FlowTime, HangUpDecision,
    Interaction, MappedName, Origin, PhoneContactEnded, PickedValues, Rest, TaskEvent, TaskId, UpdateContent,
    UpdateVoiceCall, VendorCallKey,
};
use crate::phone::{PhoneNumber, Translation};
use crate::salesforce::{Budget, Failure, SalesforceRequest};
use crate::settings::Enrichment;
use crate::store::{NewDetail, NewEvent, Note, Subject, Task};
use crate::telemetry::LogSubject;

/// Said of a call that no agent had, and that went on to another flow.
const TRANSFERRED: &str = "Transferred";

/// What followed from a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    /// It goes on, as far as is known.
    Open,
    /// No flow has told of it, and such calls are not logged.
    Unknown,
    /// No flow has told of it: it was logged.
    Logged,
    /// Its end was handled like one that a flow has reported.
    Ended(HangUpDecision),
}

impl Conclusion {
    /// In one word, for the log.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::Logged => "logged",
            Self::Ended(verdict) => verdict.label(),
        }
    }
}

/// What followed from a task, with what is worth counting.
#[derive(Debug)]
pub struct Concluded {
    /// What followed.
    pub conclusion: Conclusion,
    /// What came of enrichments, one for each call that wants one.
    pub enriched: Vec<Enriched>,
    /// Ids that were left out of updates.
    pub unmapped: Vec<Unmapped>,
    /// The contact centers of its calls.
    pub call_centers: BTreeSet<CallCenterName>,
    /// Whether something of a hang-up waits in the outbox.
    pub is_pending: bool,
}

/// How a task's calls ended.
#[derive(Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) task: &'a TaskId,
    pub(super) key: &'a VendorCallKey,
    pub(super) story: &'a CallHistory,
    pub(super) at: FlowTime,
}

/// A VoiceCall of a task, and what is told of it.
struct VoiceCallPart<'a> {
    interaction: &'a Interaction,
    call: &'a Call,
    /// Its own story; none where it is that of the task.
    story: Option<CallHistory>,
    at: FlowTime,
    /// Whether another VoiceCall follows.
    goes_on: bool,
}

/// The VoiceCalls of one contact center, each with its part of the story: an earlier one ends where the next begins. One
/// of whose part nothing was told is left alone.
fn voice_calls(interaction: &Interaction, at: FlowTime) -> Vec<VoiceCallPart<'_>> {
    if let [call] = interaction.calls() {
        return vec![VoiceCallPart { interaction, call, story: None, at, goes_on: false }];
    }
    let nexts = interaction.calls().iter().skip(1).map(Call::began).chain([None]);
    let part_told = interaction.parts().zip(nexts).filter(|((_, part), _)| !part.is_empty());
    let mut parts = Vec::new();
    for ((call, part), next) in part_told {
        let (story, at) = (Some(part.history()), next.map_or(at, FlowTime::new));
        parts.push(VoiceCallPart { interaction, call, story, at, goes_on: next.is_some() });
    }
    parts
}

impl Concluded {
    fn new(conclusion: Conclusion) -> Self {
        let (enriched, unmapped, call_centers) = (Vec::new(), Vec::new(), BTreeSet::new());
        Self { conclusion, enriched, unmapped, call_centers, is_pending: false }
    }

    /// Notes how a call has ended.
    fn ended(&mut self, ended: Ended) -> HangUpDecision {
        self.is_pending |= ended.delivered == Delivered::Later;
        ended.verdict
    }
}

impl Bridge {
    /// Draws the conclusions from a task, the same as from a flow's phoneContactEnded: an abandoned call is
    /// completed, an answered one left to its agent, and what was done before is not done again. Where the contact center
    /// wants the final update enriched, an answered call gets one too, and later knowledge corrects it. What was told is
    /// added to the task as marks.
    ///
    /// # Errors
    /// When nothing can be written down: then it must be tried again. What Salesforce did not take waits in the
    /// outbox, or is buried there.
    pub async fn conclude(&self, task: &mut Task, budget: &Budget) -> Result<Concluded, BridgeError> {
        let (story, key) = (task.timeline.history(), task.id.vendor_call_key());
        let (Some(ended_at), Some(key)) = (story.ended_at, key) else {
            return Ok(Concluded::new(Conclusion::Open));
        };
        let id = task.id.clone();
        let ending = Ending { task: &id, key: &key, story: &story, at: FlowTime::new(ended_at) };
        let mut concluded = Concluded::new(Conclusion::Unknown);
        let interactions = self.interactions_of(&key, &task.timeline, budget).await?;
        let mut unread = None;
        let parts = interactions.iter().flat_map(|interaction| voice_calls(interaction, ending.at));
        let parts: Vec<VoiceCallPart<'_>> = parts.collect();
        for (at, part) in parts.iter().enumerate() {
            // What Salesforce keeps waiting leaves time to the others.
            let share = if at + 1 < parts.len() { &budget.half() } else { budget };
            let center = part.call.name.call_center();
            concluded.call_centers.insert(center.clone());
            let subject = LogSubject::of_call(Some(center.as_ref()), Some(key.as_ref()));
            let concluding = self.conclude_call(part, ending, task, &mut concluded, share);
            match subject.about(concluding).await {
                Ok(verdict) => concluded.conclusion = Conclusion::Ended(verdict),
                Err(error) if error.is_passing() => return Err(error),
                // What one org refuses is no matter of another's.
                Err(error) => unread = Some(error),
            }
        }
        match (unread, self.center_of_unknown_calls().filter(|_| interactions.is_empty())) {
            (Some(error), _) => return Err(error),
            (None, Some(center)) => {
                let subject = LogSubject::of_call(Some(center.as_ref()), Some(key.as_ref()));
                subject.about(self.log(&center, ending, task, &mut concluded, budget)).await?;
                concluded.call_centers.insert(center);
                concluded.conclusion = Conclusion::Logged;
            }
            (None, None) => {}
        }
        Ok(concluded)
    }

    /// The interaction of a task in each contact center whose flows have told of a call of it: an event names none.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn interactions_of(
        &self,
        key: &VendorCallKey,
        timeline: &CallTimeline,
        budget: &Budget,
    ) -> Result<Vec<Interaction>, BridgeError> {
        let (store, reference) = (self.store(), CallReference::Key(key.clone()));
        let mut all = Vec::new();
        for center in self.call_centers() {
            let mut calls = match in_time(budget, store.find(&center, &reference)).await? {
                Some(call) if !call.name.is_plain() => in_time(budget, store.calls_of(&center, key)).await?,
                newest => newest.into_iter().collect(),
            };
            calls.retain(Call::is_of_a_flow);
            if !calls.is_empty() {
                let fingerprint = |agent: &str| store.fingerprint(&[agent]);
                all.push(Interaction::new(calls, timeline.clone(), fingerprint));
            }
        }
        Ok(all)
    }

    /// One call and its story.
    async fn conclude_call(
        &self,
        part: &VoiceCallPart<'_>,
        ending: Ending<'_>,
        task: &mut Task,
        concluded: &mut Concluded,
        budget: &Budget,
    ) -> Result<HangUpDecision, BridgeError> {
        let (call, center, interaction) = (part.call, part.call.name.call_center(), part.interaction);
        let lacks_reference = interaction.lacks_reference(call);
        let ending = match &part.story {
            Some(story) => Ending { story, at: part.at, ..ending },
            None => ending,
        };
        let mut request = hang_up(center, ending);
        if part.goes_on && !ending.story.has_agent() {
            request.disconnect_reason =
                Some(DisconnectReason { value: TRANSFERRED.to_owned(), is_error: false });
        }
        // The first event may be lost: then the flow knows better when the call began.
        let of_flow = call.start_time.map(FlowTime::new).filter(|start| *start <= ending.at);
        request.start_time = request.start_time.into_iter().chain(of_flow).min();
        // One that nobody will make a record of any more has nothing that could be told.
        let finish = match lacks_reference && !call.is_only_promised() {
            true => None,
            false => self.finish(center, &ending, (interaction, Some(call)), &task.timeline, budget).await?,
        };
        let Some(finish) = finish else {
            let which = Which { name: &call.name, signs: WebexSigns::of(ending.story) };
            return Ok(concluded.ended(self.end_marked(&request, Some(which), None, budget).await?));
        };
        let request = finish.of_request(request);
        let (name, signs) = (call.name.clone(), WebexSigns::of(ending.story));
        let ended =
            EndedCall { interaction, call: Some(call), name, request: &request, finish: &finish, signs };
        self.enrich(ended, task, concluded, budget).await
    }

    pub(super) fn center_of_unknown_calls(&self) -> Option<CallCenterName> {
        let webex = self.settings.webex.as_ref().filter(|webex| webex.log_unknown_calls)?;
        CallCenterName::parse(webex.call_center.as_deref()?).ok()
    }

    /// Numbers as a flow would have sent them, translated.
    fn with_numbers(&self, request: PhoneContactEnded, task: &Task) -> PhoneContactEnded {
        let Some(center) = self.call_center(request.origin.call_center.as_ref()) else { return request };
        let translated = |rules: &Translation, number: &Option<PhoneNumber>| {
            rules.translate(number.as_ref()?.expose()).ok().map(PhoneNumber::new)
        };
        let from = translated(&center.translations.from, &task.numbers.origin);
        let to = translated(&center.translations.to, &task.numbers.destination);
        PhoneContactEnded { from, to, ..request }
    }

    /// Logs a call that no flow has told of, by one update that makes its record.
    async fn log(
        &self,
        center: &CallCenterName,
        ending: Ending<'_>,
        task: &mut Task,
        concluded: &mut Concluded,
        budget: &Budget,
    ) -> Result<(), BridgeError> {
        let fingerprint = |agent: &str| self.store().fingerprint(&[agent]);
        let interaction = &Interaction::new(Vec::new(), task.timeline.clone(), fingerprint);
        let finish = self.finish(center, &ending, (interaction, None), &task.timeline, budget).await?;
        let request = hang_up(center, ending);
        let request = finish.iter().fold(request, |request, finish| finish.of_request(request));
        let mut request = self.with_numbers(request, task);
        if ending.story.direction == Some(Direction::Outbound) {
            request.rest.insert("initiationMethod".into(), "OUTBOUND".into());
        }
        let reference = CallReference::Key(ending.key.clone());
        match (&finish, named(center, &reference)) {
            (Some(finish), Some(name)) => {
                let signs = WebexSigns::of(ending.story);
                let ended = EndedCall { interaction, call: None, name, request: &request, finish, signs };
                self.enrich(ended, task, concluded, budget).await.map(drop)
            }
            _ if request.agent.is_none() => self.end(&request, budget).await.map(drop),
            (_, name) => {
                let accepted_at = ending.story.accepted_at();
                let mut update = self.final_update(&request, None, AbandonmentStage::Unknown);
                update.disconnect_reason = None;
                update.accept_time = accepted_at.map(FlowTime::new);
                let mut report = Vec::new();
                if let Some(name) = &name {
                    report = self.fill_final(&mut update, name, interaction, budget).await?;
                }
                let note = name.clone().map(|name| Note {
                    start_time: request.start_time.map(FlowTime::timestamp),
                    answered_at: accepted_at,
                    ended_at: Some(request.end_time.timestamp()),
                    ..Note::of(name, self.outbox.now())
                });
                let ask = SalesforceRequest::Update(&reference, &update);
                let sent = self.keep_and_send(ask, note, true, Guard::Off, None, budget).await;
                self.keep_details(name.as_ref().filter(|_| went_out(&sent)), &report, budget).await;
                sent.map(drop)
            }
        }
    }
}

/// What a flow would have reported. An outbound call has its agent from the start.
pub(super) fn hang_up(center: &CallCenterName, ending: Ending<'_>) -> PhoneContactEnded {
    let Ending { key, story, at, .. } = ending;
    let agent = story.has_agent().then(|| story.agent().unwrap_or("unknown").to_owned());
    PhoneContactEnded {
        origin: Origin { call_center: center.clone(), certificate: None },
        vendor_call_key: key.clone(),
        voice_call: None,
        start_time: story.started_at().map(FlowTime::new),
        end_time: at,
        enqueue_time: story.enqueued_at().map(FlowTime::new),
        agent,
        disconnect_reason: None,
        call_attributes: None,
        from: None,
        to: None,
        picked: PickedValues::default(),
        rest: Rest::new(),
    }
}

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
pub(super) struct EndedCall<'a> {
    /// All that is known of its interaction.
    pub(super) interaction: &'a Interaction,
    /// None where no flow has told of it.
    pub(super) call: Option<&'a Call>,
    pub(super) name: CallName,
    pub(super) request: &'a PhoneContactEnded,
    pub(super) finish: &'a Finish,
    pub(super) signs: WebexSigns,
}

impl EndedCall<'_> {
    /// Whether the outbox has to make its record first.
    fn lacks_reference(&self) -> bool {
        self.call.is_some_and(|call| self.interaction.lacks_reference(call))
    }
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
        (interaction, call): (&Interaction, Option<&Call>),
        timeline: &CallTimeline,
        budget: &Budget,
    ) -> Result<Option<Finish>, BridgeError> {
        let name = call.map(|call| call.name.clone());
        let name = name.unwrap_or_else(|| CallName::new(center.clone(), ending.key.clone(), None));
        let outcome = ending.story.outcome();
        let wants = |enrichment: &&Enrichment| {
            enrichment.enabled || self.takes_back(center, timeline.final_update(&name), outcome)
        };
        let enrichment = self.call_center(center.as_ref()).map(|center| &center.enrichment);
        let Some(enrichment) = enrichment.filter(wants) else { return Ok(None) };
        let location = enrichment.recording_location.as_ref().map(|template| (template, ending.task));
        let record = FinalRecord::of(ending.story, enrichment.names(), location);
        let record = record.begun(call.and_then(|call| call.start_time));
        let filled = self.fill_ended(&name, interaction, (ending.story, ending.at), budget).await?;
        let finish =
            Finish { report: filled.report, ..Finish::of(&record, outcome, filled.call_attributes, center) };
        match timeline.final_update(&name) {
            FinalUpdateState::Ours(before) if !filled.is_whole => Ok(Some(finish.without_fields(before))),
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
        ended: EndedCall<'_>,
        task: &mut Task,
        concluded: &mut Concluded,
        budget: &Budget,
    ) -> Result<HangUpDecision, BridgeError> {
        let finish = ended.finish;
        let before = match task.timeline.final_update(&ended.name) {
            FinalUpdateState::Unknown => None,
            FinalUpdateState::Ours(said) => Some(Some(said.clone())),
            FinalUpdateState::Others => Some(None),
        };
        let mark = task.timeline.sent_update(&ended.name, Some(finish.said.clone()));
        let new = before.is_none().then(|| self.new_mark(task, mark.clone()));
        // The mark is kept if the call turns out to be abandoned; that of an answered one comes with its own update.
        let which = Which { name: &ended.name, signs: ended.signs };
        let verdict = concluded.ended(self.end_marked(ended.request, Some(which), new, budget).await?);
        let enriched = match (before, verdict) {
            (None, HangUpDecision::Abandoned { .. } | HangUpDecision::Callback) => {
                task.add(mark);
                Some(Enriched::Abandoned)
            }
            (None, _) if finish.said.outcome() < CallOutcome::Answered => None,
            (None, _) => Some(self.complete(&ended, task, budget).await?),
            (Some(Some(said)), _) => self.tell_again(&ended, &said, task, budget).await?,
            (Some(None), _) => None,
        };
        concluded.enriched.extend(enriched);
        if enriched.is_some_and(|enriched| enriched != Enriched::Withheld) {
            concluded.unmapped.extend(finish.unmapped.iter().cloned());
        }
        Ok(verdict)
    }

    /// Keeps an answered call's final update and tries it.
    async fn complete(
        &self,
        ended: &EndedCall<'_>,
        task: &mut Task,
        budget: &Budget,
    ) -> Result<Enriched, BridgeError> {
        let EndedCall { interaction, call, request, finish, .. } = ended;
        let mut update = UpdateVoiceCall {
            accept_time: finish.additions.accept_time,
            disconnect_reason: finish.additions.disconnect_reason.clone(),
            ..self.final_update(request, *call, AbandonmentStage::Unknown)
        };
        // What a create that failed would have said is to go with it; else the fields are filled already.
        let report = match update.call_attributes {
            Some(_) => self.fill_final(&mut update, &ended.name, interaction, budget).await?,
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
            ..Note::of(ended.name.clone(), now)
        };
        match self.tell(ended, &update, (note, true), task, budget).await? {
            Delivered::Withheld => Ok(Enriched::Withheld),
            _ => {
                self.keep_details(Some(&ended.name), &report, budget).await;
                Ok(Enriched::Final)
            }
        }
    }

    /// An abandonment that was withheld in the outbox, because an agent turned out to have had the call, was never told: then
    /// this is the final update. Else it is a correction.
    async fn tell_again(
        &self,
        ended: &EndedCall<'_>,
        before: &UpdateContent,
        task: &mut Task,
        budget: &Budget,
    ) -> Result<Option<Enriched>, BridgeError> {
        let is_answered = ended.finish.said.outcome() == CallOutcome::Answered;
        let was_told = before.outcome() == CallOutcome::Answered;
        let is_delivered = ended.call.is_none_or(|call| call.closed_at.is_some());
        let is_wanted = self.enrichment(ended.name.call_center()).is_some();
        if is_answered && is_wanted && !was_told && !is_delivered {
            let enriched = self.complete(ended, task, budget).await?;
            if enriched == Enriched::Final {
                return Ok(Some(enriched));
            }
        }
        self.correct(ended, before, task, budget).await
    }

    /// Tells what was learned after the final update, if anything was: all of it, because what an update leaves out of
    /// holds and durations becomes 0.
    pub(super) async fn correct(
        &self,
        ended: &EndedCall<'_>,
        before: &UpdateContent,
        task: &mut Task,
        budget: &Budget,
    ) -> Result<Option<Enriched>, BridgeError> {
        let said = &ended.finish.said;
        let is_allowed = !before.is_plain || self.may_take_back(ended.name.call_center());
        if !is_allowed || !before.is_corrected_by(said) {
            return Ok(None);
        }
        let mut update = ended.finish.correction(ended.request, before);
        // It may have been taken for one that never left the IVR.
        if said.is_abandonment && update.enqueue_time.is_some() {
            update.disconnect_reason = Some(self.reason(ended.request, AbandonmentStage::Queue));
        }
        let note = Note::of(ended.name.clone(), self.outbox.now());
        self.tell(ended, &update, (note, false), task, budget).await?;
        self.keep_details(Some(&ended.name), &ended.finish.report, budget).await;
        Ok(Some(Enriched::Corrected))
    }

    /// Keeps an update and its mark in one commit, so that it is kept once, and tries it.
    async fn tell(
        &self,
        ended: &EndedCall<'_>,
        update: &UpdateVoiceCall,
        (note, is_final): (Note, bool),
        task: &mut Task,
        budget: &Budget,
    ) -> Result<Delivered, BridgeError> {
        let name = &ended.name;
        let key = || CallReference::Key(name.vendor_call_key().clone());
        let reference = ended.call.map_or_else(key, Call::reference);
        let ask = SalesforceRequest::Update(&reference, update);
        let mark = task.timeline.sent_update(name, Some(ended.finish.said.clone()));
        let new = self.new_mark(task, mark.clone());
        // Of a contact center that wants no final update of ours, nothing is told that takes nothing back.
        let takes_back = !is_final && self.enrichment(name.call_center()).is_none();
        let first = match ended.lacks_reference() {
            _ if takes_back => First::OnceClosed,
            true => {
                let words = String::from("the VoiceCall is still to be created");
                First::Failed(Failure::Again { after: None, words })
            }
            false => First::Now,
        };
        let (subject, asks) = (Subject::Known(note.into()), &[ask]);
        let promise = Promise { subject, asks, is_final, unless_answered: false, mark: Some(new), first };
        let promised = self.promise(promise, budget).await;
        if matches!(promised, Ok(Promised::Kept(_)) | Err(BridgeError::Salesforce(_))) {
            task.add(mark);
        }
        match promised? {
            Promised::Kept(delivered) => Ok(delivered),
            Promised::Duplicate | Promised::Answered => {
                let key = name.vendor_call_key();
                tracing::info!(vendor_call_key = %key, "withheld: a final update was sent before");
                if task.timeline.final_update(name) == FinalUpdateState::Unknown {
                    task.add(task.timeline.sent_update(name, None));
                }
                Ok(Delivered::Withheld)
            }
        }
    }

    /// A mark, to be kept with its task.
    pub(super) fn new_mark(&self, task: &Task, event: TaskEvent) -> NewEvent {
        let now = self.outbox.now();
        NewEvent { task: task.id.clone(), event, numbers: None, now, due_at: now }
    }
}

/// Said where a call was first reported as abandoned, an agent turned out to have had it, and Webex gives no reason.
const ENDED: &str = "Ended";

/// An id of Webex that has no name in the configuration, and was left out of an update.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unmapped {
    /// `queues` or `agents`.
    pub table: &'static str,
    /// The contact center.
    pub call_center: CallCenterName,
    /// The id.
    pub id: String,
}

/// What an update says beyond start and end.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Additions {
    pub(super) enqueue_time: Option<FlowTime>,
    pub(super) accept_time: Option<FlowTime>,
    pub(super) disconnect_reason: Option<DisconnectReason>,
    #[serde(skip)]
    pub(super) call_attributes: Option<String>,
    rest: Rest,
}

/// A call's final update as its contact center wants it.
pub(super) struct Finish {
    pub(super) additions: Additions,
    /// What it will have said.
    pub(super) said: UpdateContent,
    /// What became of fields, to be kept once it is told.
    pub(super) report: Vec<NewDetail>,
    pub(super) unmapped: Vec<Unmapped>,
}

/// What the fields of a call that has ended are filled with.
pub(super) struct FilledAtEnd {
    pub(super) call_attributes: Option<String>,
    /// What became of them, to be kept once they are told.
    pub(super) report: Vec<NewDetail>,
    /// Whether all is known that was told of the call.
    pub(super) is_whole: bool,
}

/// Of a contact center that fills none.
impl Default for FilledAtEnd {
    fn default() -> Self {
        Self { call_attributes: None, report: Vec::new(), is_whole: true }
    }
}

impl Finish {
    /// The one place where the final update of a conclusion takes shape. `call_attributes`: JSON of custom fields.
    pub(super) fn of(
        record: &FinalRecord,
        outcome: CallOutcome,
        call_attributes: Option<String>,
        center: &CallCenterName,
    ) -> Self {
        let time = |at: Option<Timestamp>| at.map(FlowTime::new);
        let reason = |value: &String| DisconnectReason { value: value.clone(), is_error: false };
        let additions = Additions {
            enqueue_time: time(record.enqueue_time),
            accept_time: time(record.accept_time),
            disconnect_reason: record.disconnect_reason.as_ref().map(reason),
            call_attributes,
            rest: rest(record),
        };
        let unmapped = |table, given: &Option<MappedName>| {
            let id = given.as_ref()?.unmapped()?.to_owned();
            Some(Unmapped { table, call_center: center.clone(), id })
        };
        Self {
            said: UpdateContent {
                start: time(record.start_time).map(FlowTime::timestamp),
                end: time(record.end_time).map(FlowTime::timestamp),
                digest: serde_json::to_vec(&additions).map(|json| digest(&json)).unwrap_or_default(),
                fields: additions.call_attributes.as_ref().map(|fields| digest(fields.as_bytes())),
                is_abandonment: outcome == CallOutcome::Abandoned,
                is_callback: outcome == CallOutcome::Callback,
                is_plain: false,
            },
            unmapped: [unmapped("queues", &record.queue), unmapped("agents", &record.agent)]
                .into_iter()
                .flatten()
                .collect(),
            report: Vec::new(),
            additions,
        }
    }

    /// What fields were filled with is not known any more: what was said of them stands.
    pub(super) fn without_fields(mut self, before: &UpdateContent) -> Self {
        self.additions.call_attributes = None;
        self.said.fields.clone_from(&before.fields);
        self.report.clear();
        self
    }

    /// A hang-up, with what the final update is to say besides.
    pub(super) fn of_request(&self, request: PhoneContactEnded) -> PhoneContactEnded {
        PhoneContactEnded {
            start_time: self.said.start.map(FlowTime::new),
            enqueue_time: self.additions.enqueue_time,
            rest: self.additions.rest.clone(),
            ..request
        }
    }

    /// Everything again, without ending the call again. Start and end only if they were wrong: Salesforce computes the duration from both.
    pub(super) fn correction(&self, request: &PhoneContactEnded, before: &UpdateContent) -> UpdateVoiceCall {
        let Additions { enqueue_time, accept_time, disconnect_reason, call_attributes, mut rest } =
            self.additions.clone();
        rest.insert("isActiveCall".into(), true.into());
        let moved = (before.start, before.end) != (self.said.start, self.said.end);
        let ended = || match (before.outcome(), self.said.outcome()) {
            (_, CallOutcome::Callback) => Some(callback_reason(None)),
            (CallOutcome::Answered, _) | (_, CallOutcome::Abandoned) => None,
            (_, CallOutcome::Answered) => Some(DisconnectReason { value: ENDED.to_owned(), is_error: false }),
        };
        UpdateVoiceCall {
            origin: request.origin.clone(),
            call: None,
            start_time: self.said.start.filter(|_| moved).map(FlowTime::new),
            end_time: self.said.end.filter(|_| moved).map(FlowTime::new),
            enqueue_time,
            accept_time,
            from_number: None,
            disconnect_reason: disconnect_reason.or_else(ended),
            call_attributes,
            rest,
            picked: PickedValues::default(),
        }
    }
}

/// Counts, durations in whole seconds, and names. A duration with an agent is taken only together with the location of
/// the recording.
fn rest(record: &FinalRecord) -> Rest {
    let mut rest = Rest::new();
    let holds = record.sums.holds.and_then(|holds| u64::try_from(holds).ok());
    for (name, figure) in [
        ("numberOfHolds", holds),
        ("longestHoldDuration", record.sums.longest_hold),
        ("totalHoldDuration", record.sums.total_hold),
    ] {
        rest.extend(figure.map(|figure| (name.into(), figure.into())));
    }
    for (name, given) in [("queue", &record.queue), ("agent", &record.agent)] {
        if let Some(value) = given.as_ref().and_then(MappedName::name) {
            rest.insert(name.into(), value.into());
        }
    }
    if let Some(recording) = &record.recording {
        rest.insert("recordingLocation".into(), recording.location.as_str().into());
        if let Some(interaction) = record.sums.agent_interaction {
            rest.insert("agentInteractionDuration".into(), interaction.into());
        }
        if let Some(total) = recording.total {
            rest.insert("totalRecordingDuration".into(), total.into());
        }
    }
    rest
}

/// A hash: what was said is compared, not kept.
fn digest(json: &[u8]) -> String {
    hex::encode(sha256(json)).chars().take(32).collect()
}

impl Bridge {
    /// Whether a contact center that wants no more than what became of the caller is told of it once more: what it was told
    /// was wrong. From then on the record is ours to complete.
    pub(super) fn takes_back(
        &self,
        center: &CallCenterName,
        standing: FinalUpdateState<'_>,
        now: CallOutcome,
    ) -> bool {
        let FinalUpdateState::Ours(said) = standing else { return false };
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
        let said = UpdateContent {
            start: update.start_time.map(FlowTime::timestamp),
            end: update.end_time.map(FlowTime::timestamp),
            digest: String::new(),
            fields: None,
            is_abandonment: !is_callback,
            is_callback,
            is_plain: true,
        };
        let (event, now) = (CallTimeline::default().sent_update(name, Some(said)), self.outbox.now());
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
    ) -> Result<(), BridgeError> {
        let (name, center) = (&call.name, call.name.call_center());
        let key = name.vendor_call_key();
        let Some(id) = key.task_id().filter(|_| call.is_over() && self.settings.webex.is_some()) else {
            return Ok(());
        };
        let Some(mut task) = in_time(budget, self.store().find_task(&id)).await? else { return Ok(()) };
        let FinalUpdateState::Ours(before) = task.timeline.final_update(name) else { return Ok(()) };
        let before = before.clone();
        let is_wrong = before.outcome() < CallOutcome::Answered;
        if !is_wrong || !self.takes_back(center, FinalUpdateState::Ours(&before), CallOutcome::Answered) {
            return Ok(());
        }
        let interaction = &self.interaction(center, &CallReference::Key(key.clone()), budget).await?;
        let story = interaction.history_of(Some(name)).unwrap_or_else(|| task.timeline.history());
        if story.has_agent() {
            return Ok(());
        }
        let Some(settings) = self.call_center(center.as_ref()) else { return Ok(()) };
        let record = FinalRecord {
            has_agent: true,
            start_time: before.start,
            end_time: before.end,
            // The flow's word of the acceptance may be later than its word of the end.
            accept_time: accepted_at.filter(|at| before.end.is_none_or(|end| *at <= end)),
            // No event tells of the agent, nor of holds.
            sums: CallTotals::default(),
            ..FinalRecord::of(&story, settings.enrichment.names(), None)
        };
        let mut finish = Finish::of(&record, CallOutcome::Answered, None, center);
        finish.said.is_plain = true;
        let at = FlowTime::new(before.end.or(call.ended_at).unwrap_or_else(|| self.outbox.now()));
        let request = hang_up(center, Ending { task: &id, key, story: &story, at });
        let (name, signs) = (name.clone(), WebexSigns::of(&story));
        let ended =
            EndedCall { interaction, call: Some(call), name, request: &request, finish: &finish, signs };
        self.correct(&ended, &before, &mut task, budget).await.map(drop)
    }
}
