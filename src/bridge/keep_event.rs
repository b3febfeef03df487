//! Webex tells what happens to a task.

use jiff::{SignedDuration, Timestamp};

use super::{Bridge, BridgeError, in_time, named};
use crate::domain::{
    AgentState, Call, CallCenterName, CallName, CallReference, EventKind, TaskEvent, TaskId, TaskNumbers,
};
use crate::salesforce::Budget;
use crate::store::{NewEvent, Note};

impl Bridge {
    /// Keeps an event, and lets the journal know at once that an agent has the call: a flow may report its end, or
    /// ask to clear its routing, within milliseconds. Both are durable when this returns.
    ///
    /// # Errors
    /// When they cannot be written down.
    pub async fn keep_event(
        &self,
        task: TaskId,
        event: TaskEvent,
        numbers: TaskNumbers,
        budget: &Budget,
    ) -> Result<(), BridgeError> {
        let Some(webex) = &self.settings.webex else { return Ok(()) };
        let now = self.outbox.now();
        let grace = SignedDuration::try_from(webex.grace).unwrap_or_default();
        let answered_at = event.kind.implies_agent().then(|| event.at.unwrap_or(now));
        let is_acceptance =
            matches!(event.kind, EventKind::Connected | EventKind::Agent(AgentState::Connected));
        let told = answered_at.map(|_| event.clone());
        let (store, key) = (self.outbox.store(), task.vendor_call_key());
        let kept = store.keep_event(NewEvent {
            task,
            event,
            // A call that a flow has created has its numbers in Salesforce.
            numbers: webex.log_unknown_calls.then_some(numbers),
            now,
            due_at: now.checked_add(grace).unwrap_or(now),
        });
        let told = async {
            let (Some(at), Some(key), Some(told)) = (answered_at, key, told) else { return Ok(()) };
            let look = store.look_for_answer(&key);
            if look.is_none() && !is_acceptance {
                return Ok(());
            }
            let is_one = self.tell_answered(&CallReference::Key(key), at, &told, budget).await?;
            if let Some(look) = look.filter(|_| is_one) {
                store.remember_answered(&look);
            }
            Ok(())
        };
        let (kept, told) = tokio::join!(in_time(budget, kept), told);
        kept.and(told)
    }

    /// Tells the journal that the call was answered. A webhook does not say which contact center it belongs to: it
    /// is the one whose journal knows the call, else it may be any. Gives whether every contact center knows one at most:
    /// of several calls of a key, not all need be answered.
    async fn tell_answered(
        &self,
        key: &CallReference,
        at: Timestamp,
        event: &TaskEvent,
        budget: &Budget,
    ) -> Result<bool, BridgeError> {
        let store = self.outbox.store();
        let (mut names, mut is_one) = (Vec::new(), true);
        for center in self.call_centers() {
            match in_time(budget, store.find(&center, key)).await? {
                Some(call) if !call.name.is_plain() => {
                    self.tell_parts(&call, event, budget).await?;
                    is_one = false;
                    names.push((call.name, true));
                }
                Some(call) => names.push((call.name.clone(), call.is_answered())),
                None => {}
            }
        }
        if names.is_empty() {
            let any = self.call_centers().filter_map(|center| Some((named(&center, key)?, false)));
            names = any.collect();
        }
        for (name, is_known) in names {
            if !is_known {
                in_time(budget, store.note(answered(name, at, self.outbox.now()))).await?;
            }
        }
        Ok(is_one)
    }

    /// Tells each VoiceCall of the key that was answered in its own part of the interaction. An event of the part before
    /// may come only now, or end only now what began there: so all that is known of the task is looked at.
    async fn tell_parts(&self, newest: &Call, event: &TaskEvent, budget: &Budget) -> Result<(), BridgeError> {
        let key = CallReference::Key(newest.name.vendor_call_key().clone());
        let mut interaction = self.interaction(newest.name.call_center(), &key, budget).await?;
        interaction.apply(event.clone(), |agent| self.store().fingerprint(&[agent]));
        for (call, part) in interaction.parts() {
            if let Some(at) = part.answered_at().filter(|_| !call.is_answered()) {
                let note = answered(call.name.clone(), at, self.outbox.now());
                in_time(budget, self.store().note(note)).await?;
            }
        }
        Ok(())
    }

    /// The names of all contact centers.
    pub(super) fn call_centers(&self) -> impl Iterator<Item = CallCenterName> {
        self.settings.call_centers.keys().filter_map(|name| CallCenterName::parse(name.as_str()).ok())
    }
}

fn answered(name: CallName, at: Timestamp, now: Timestamp) -> Note {
    Note { answered_at: Some(at), ..Note::of(name, now) }
}
