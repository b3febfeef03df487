//! A task has ended, and its late events have had their time: what follows for its VoiceCalls.

use jiff::Timestamp;

use super::attributes::went_out;
use super::end::Which;
use super::enrich::{Enriched, Told};
use super::finish::Unmapped;
use super::heard::Heard;
use super::update::Guard;
use super::{Bridge, Trouble, in_time, named};
use crate::domain::{
    Call, CallCenterName, CallReference, CallTimeline, Direction, DisconnectReason, Fingerprint, FlowTime,
    Origin, PhoneContactEnded, Picked, Rest, Stage, Story, TaskId, VendorCallKey, Verdict, is_nameless,
};
use crate::phone::{PhoneNumber, Translation};
use crate::salesforce::{Ask, Budget};
use crate::store::{Note, Task};

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
    Ended(Verdict),
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
}

/// How a task's calls ended.
#[derive(Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) task: &'a TaskId,
    pub(super) key: &'a VendorCallKey,
    pub(super) story: &'a Story,
    pub(super) at: FlowTime,
}

/// A VoiceCall of a task, and what is told of it.
struct Part<'a> {
    call: &'a Call,
    /// Its own story; none where it is that of the task.
    story: Option<Story>,
    at: FlowTime,
    /// Whether another VoiceCall follows.
    goes_on: bool,
    /// Whether every name of it is that of another VoiceCall, until its record is made.
    is_nameless: bool,
}

/// The VoiceCalls of one contact center, each with its part of the story: an earlier one ends where the next begins. One
/// of whose part nothing was told is left alone.
fn voice_calls<'a>(
    company: &'a [Call],
    timeline: &CallTimeline,
    at: FlowTime,
    hash: impl Fn(&str) -> Option<Fingerprint>,
) -> Vec<Part<'a>> {
    if let [call] = company {
        return vec![Part { call, story: None, at, goes_on: false, is_nameless: false }];
    }
    let nexts = company.iter().skip(1).map(Call::began).chain([None]);
    let parts = timeline.parts_of(company, hash).zip(nexts).filter(|((_, part), _)| !part.is_empty());
    let part = |((call, part), next): ((&'a Call, CallTimeline), Option<Timestamp>)| Part {
        call,
        story: Some(part.story()),
        at: next.map_or(at, FlowTime::new),
        goes_on: next.is_some(),
        is_nameless: is_nameless(company, call),
    };
    parts.map(part).collect()
}

impl Concluded {
    fn new(conclusion: Conclusion) -> Self {
        Self { conclusion, enriched: Vec::new(), unmapped: Vec::new() }
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
    pub async fn conclude(&self, task: &mut Task, budget: &Budget) -> Result<Concluded, Trouble> {
        let (story, key) = (task.timeline.story(), task.id.vendor_call_key());
        let (Some(ended_at), Some(key)) = (story.ended_at, key) else {
            return Ok(Concluded::new(Conclusion::Open));
        };
        let id = task.id.clone();
        let ending = Ending { task: &id, key: &key, story: &story, at: FlowTime::new(ended_at) };
        let mut concluded = Concluded::new(Conclusion::Unknown);
        let calls = self.calls_of(&key, budget).await?;
        let mut trouble = None;
        let hash = |agent: &str| self.hash_of(Some(agent));
        let parts = calls.iter().flat_map(|company| voice_calls(company, &task.timeline, ending.at, hash));
        let parts: Vec<Part<'_>> = parts.collect();
        for (at, part) in parts.iter().enumerate() {
            // What Salesforce keeps waiting leaves time to the others.
            let share = if at + 1 < parts.len() { &budget.half() } else { budget };
            match self.conclude_call(part, ending, task, &mut concluded, share).await {
                Ok(verdict) => concluded.conclusion = Conclusion::Ended(verdict),
                Err(error) if error.is_passing() => return Err(error),
                // What one org refuses is no matter of another's.
                Err(error) => trouble = Some(error),
            }
        }
        match (trouble, self.center_of_unknown_calls().filter(|_| calls.is_empty())) {
            (Some(error), _) => return Err(error),
            (None, Some(center)) => {
                self.log(&center, ending, task, &mut concluded, budget).await?;
                concluded.conclusion = Conclusion::Logged;
            }
            (None, None) => {}
        }
        Ok(concluded)
    }

    /// The calls of a task that flows have told of, of each contact center that knows any: an event names none.
    pub(super) async fn calls_of(
        &self,
        key: &VendorCallKey,
        budget: &Budget,
    ) -> Result<Vec<Vec<Call>>, Trouble> {
        let (store, reference) = (self.outbox.store(), CallReference::Key(key.clone()));
        let mut all = Vec::new();
        for center in self.call_centers() {
            let mut calls = match in_time(budget, store.find(&center, &reference)).await? {
                Some(call) if !call.name.is_plain() => in_time(budget, store.calls_of(&center, key)).await?,
                newest => newest.into_iter().collect(),
            };
            calls.retain(Call::is_of_a_flow);
            if !calls.is_empty() {
                all.push(calls);
            }
        }
        Ok(all)
    }

    /// One call and its story.
    async fn conclude_call(
        &self,
        part: &Part<'_>,
        ending: Ending<'_>,
        task: &mut Task,
        concluded: &mut Concluded,
        budget: &Budget,
    ) -> Result<Verdict, Trouble> {
        let (call, center) = (part.call, part.call.name.call_center());
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
        let finish = match part.is_nameless && !call.is_only_promised() {
            true => None,
            false => self.finish(center, &ending, Some(call), &task.timeline, budget).await?,
        };
        let Some(finish) = finish else {
            let which = Which { name: &call.name, heard: Heard::of(ending.story) };
            return Ok(self.end_marked(&request, Some(which), None, budget).await?.verdict);
        };
        let request = finish.of_request(request);
        let (name, is_nameless) = (call.name.clone(), part.is_nameless);
        let heard = Heard::of(ending.story);
        let told = Told { call: Some(call), name, is_nameless, request: &request, finish: &finish, heard };
        self.enrich(told, task, concluded, budget).await
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
    ) -> Result<(), Trouble> {
        let finish = self.finish(center, &ending, None, &task.timeline, budget).await?;
        let request = hang_up(center, ending);
        let request = finish.iter().fold(request, |request, finish| finish.of_request(request));
        let mut request = self.with_numbers(request, task);
        if ending.story.direction == Some(Direction::Outbound) {
            request.rest.insert("initiationMethod".into(), "OUTBOUND".into());
        }
        let reference = CallReference::Key(ending.key.clone());
        match (&finish, named(center, &reference)) {
            (Some(finish), Some(name)) => {
                let heard = Heard::of(ending.story);
                let told = Told { call: None, name, is_nameless: false, request: &request, finish, heard };
                self.enrich(told, task, concluded, budget).await.map(drop)
            }
            _ if request.agent.is_none() => self.end(&request, budget).await.map(drop),
            (_, name) => {
                let accepted_at = ending.story.accepted_at();
                let mut update = self.final_update(&request, None, Stage::Unknown);
                update.disconnect_reason = None;
                update.accept_time = accepted_at.map(FlowTime::new);
                let mut report = Vec::new();
                if let Some(name) = &name {
                    report = self.fill_final(&mut update, name, None, budget).await?;
                }
                let note = name.clone().map(|name| Note {
                    start_time: request.start_time.map(FlowTime::timestamp),
                    answered_at: accepted_at,
                    ended_at: Some(request.end_time.timestamp()),
                    ..Note::of(name, self.outbox.now())
                });
                let ask = Ask::Update(&reference, &update);
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
        picked: Picked::default(),
        rest: Rest::new(),
    }
}
