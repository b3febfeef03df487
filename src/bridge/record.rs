//! Which recordings are worth asking for, and which final updates wait for one.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Bridge, BridgeError, named};
use crate::domain::{CallCenterName, CallHistory, CallName, CallReference, FinalUpdateState, Interaction};
use crate::salesforce::Budget;
use crate::settings::Enrichment;
use crate::store::Task;

impl Bridge {
    /// Whether Webex is to be asked for a task's recordings: they were announced, an agent had the call, and a contact
    /// center wants to know where they are, whose final update was not somebody else's.
    ///
    /// # Errors
    /// When the journal does not answer.
    pub async fn wants_recordings(&self, task: &Task, budget: &Budget) -> Result<bool, BridgeError> {
        if !self.wants_any() || task.timeline.announced().is_none() {
            return Ok(false);
        }
        let story = task.timeline.history();
        if story.ended_at.is_none() || !story.has_agent() {
            return Ok(false);
        }
        let names = self.names_of(task, budget).await?;
        Ok(names.iter().any(|name| {
            self.located(name).is_some() && task.timeline.final_update(name) != FinalUpdateState::Others
        }))
    }

    /// Until when a task's final update waits for a recording.
    ///
    /// # Errors
    /// As [`Bridge::wants_recordings`].
    pub async fn waits_for_recording(
        &self,
        task: &Task,
        budget: &Budget,
    ) -> Result<Option<Timestamp>, BridgeError> {
        let waits = |enrichment: &Enrichment| !enrichment.wait_for_recording.is_zero();
        if !self.all_located().any(waits) {
            return Ok(None);
        }
        let story = task.timeline.history();
        let is_complete = task.timeline.announced().is_none() && !story.recordings.is_empty();
        if is_complete || !story.has_agent() || self.wait_over(&story, self.longest_wait()) {
            return Ok(None);
        }
        let names = self.names_of(task, budget).await?;
        let waiting =
            names.iter().filter(|name| task.timeline.final_update(name) == FinalUpdateState::Unknown);
        let longest = waiting.filter_map(|name| Some(self.located(name)?.wait_for_recording)).max();
        let longest = longest.unwrap_or_default();
        Ok(until(&story, longest).filter(|until| !longest.is_zero() && *until > self.outbox.now()))
    }

    fn wait_over(&self, story: &CallHistory, longest: Duration) -> bool {
        until(story, longest).is_none_or(|until| until <= self.outbox.now())
    }

    fn longest_wait(&self) -> Duration {
        self.all_located().map(|enrichment| enrichment.wait_for_recording).max().unwrap_or_default()
    }

    fn wants_any(&self) -> bool {
        self.all_located().next().is_some()
    }

    /// Everything that wants to know where recordings are.
    fn all_located(&self) -> impl Iterator<Item = &Enrichment> {
        let all = self.settings.call_centers.values().map(|center| &center.enrichment);
        all.filter(|enrichment| enrichment.enabled && enrichment.recording_location.is_some())
    }

    fn located(&self, name: &CallName) -> Option<&Enrichment> {
        self.enrichment(name.call_center()).filter(|enrichment| enrichment.recording_location.is_some())
    }

    /// The contact centers whose Salesforce is told of a task's end; none if nobody knows the call.
    ///
    /// # Errors
    /// As [`Bridge::wants_recordings`].
    pub async fn call_centers_of(
        &self,
        task: &Task,
        budget: &Budget,
    ) -> Result<BTreeSet<CallCenterName>, BridgeError> {
        let names = self.names_of(task, budget).await?;
        Ok(names.iter().map(|name| name.call_center().clone()).collect())
    }

    /// The task's calls, and the one that it will be if no flow has told of any.
    async fn names_of(&self, task: &Task, budget: &Budget) -> Result<Vec<CallName>, BridgeError> {
        let Some(key) = task.id.vendor_call_key() else { return Ok(Vec::new()) };
        let interactions = self.interactions_of(&key, &task.timeline, budget).await?;
        if !interactions.is_empty() {
            let calls = interactions.iter().flat_map(Interaction::calls);
            return Ok(calls.map(|call| call.name.clone()).collect());
        }
        let center = self.center_of_unknown_calls();
        Ok(center.and_then(|center| named(&center, &CallReference::Key(key))).into_iter().collect())
    }
}

fn until(story: &CallHistory, wait: Duration) -> Option<Timestamp> {
    story.ended_at?.checked_add(SignedDuration::try_from(wait).ok()?).ok()
}
