//! A task has ended, and its late events have had their time: what follows for its VoiceCall.

use super::attributes::went_out;
use super::update::Guard;
use super::{Bridge, Trouble, in_time};
use crate::domain::{
    CallCenterName, CallReference, Direction, FlowTime, Origin, PhoneContactEnded, Stage, Story, Picked,
    VendorCallKey, Verdict,
};
use crate::phone::{PhoneNumber, Translation};
use crate::salesforce::{Ask, Budget};
use crate::store::{Note, Task};

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

impl Bridge {
    /// Draws the conclusions from a task, the same as from a flow's phoneContactEnded: an abandoned call is
    /// completed, an answered one left to its agent, and what was done before is not done again.
    ///
    /// # Errors
    /// When nothing can be written down: then it must be tried again. What Salesforce did not take waits in the
    /// outbox, or is buried there.
    pub async fn conclude(&self, task: &Task, budget: &Budget) -> Result<Conclusion, Trouble> {
        let (story, key) = (task.timeline.story(), task.id.vendor_call_key());
        let (Some(ended_at), Some(key)) = (story.ended_at, key) else { return Ok(Conclusion::Open) };
        let mut conclusion = Conclusion::Unknown;
        for center in self.call_centers() {
            let reference = CallReference::Key(key.clone());
            let call = in_time(budget, self.outbox.store().find(&center, &reference)).await?;
            if call.is_some_and(|call| call.is_of_a_flow()) {
                let request = hang_up(&center, &key, &story, FlowTime::new(ended_at));
                let ended = self.end(&request, budget).await?;
                conclusion = Conclusion::Ended(ended.verdict);
            }
        }
        match (conclusion, self.center_of_unknown_calls()) {
            (Conclusion::Unknown, Some(center)) => {
                let request = hang_up(&center, &key, &story, FlowTime::new(ended_at));
                self.log(self.with_numbers(request, task), &story, budget).await?;
                Ok(Conclusion::Logged)
            }
            _ => Ok(conclusion),
        }
    }

    fn center_of_unknown_calls(&self) -> Option<CallCenterName> {
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
    async fn log(&self, request: PhoneContactEnded, story: &Story, budget: &Budget) -> Result<(), Trouble> {
        if request.agent.is_none() {
            return self.end(&request, budget).await.map(drop);
        }
        let reference = CallReference::Key(request.vendor_call_key.clone());
        let mut update = self.final_update(&request, None, Stage::Unknown);
        update.disconnect_reason = None;
        update.accept_time = story.accepted_at().map(FlowTime::new);
        if story.direction == Some(Direction::Outbound) {
            update.rest.insert("initiationMethod".into(), "OUTBOUND".into());
        }
        let name = super::named(&request.origin.call_center, &reference);
        let mut report = Vec::new();
        if let Some(name) = &name {
            report = self.fill_final(&mut update, name, None, budget).await;
        }
        let note = name.clone().map(|name| Note {
            start_time: request.start_time.map(FlowTime::timestamp),
            answered_at: story.accepted_at(),
            ended_at: Some(request.end_time.timestamp()),
            ..Note::of(name, self.outbox.now())
        });
        let sent = self.keep_and_send(Ask::Update(&reference, &update), note, true, Guard::Off, None, budget);
        let sent = sent.await;
        self.keep_details(name.as_ref().filter(|_| went_out(&sent)), &report, budget).await;
        sent.map(drop)
    }
}

/// What a flow would have reported. An outbound call has its agent from the start.
fn hang_up(
    center: &CallCenterName,
    key: &VendorCallKey,
    story: &Story,
    end_time: FlowTime,
) -> PhoneContactEnded {
    let has_agent = story.is_answered || story.direction == Some(Direction::Outbound);
    let agent = has_agent.then(|| story.agent().unwrap_or("unknown").to_owned());
    PhoneContactEnded {
        origin: Origin { call_center: center.clone(), certificate: None },
        vendor_call_key: key.clone(),
        voice_call: None,
        start_time: story.started_at().map(FlowTime::new),
        end_time,
        enqueue_time: story.enqueued_at().map(FlowTime::new),
        agent,
        disconnect_reason: None,
        call_attributes: None,
        from: None,
        to: None,
        picked: Picked::default(),
    }
}
