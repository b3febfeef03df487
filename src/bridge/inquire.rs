//! Whether an agent had the call, asked of Salesforce itself before an abandonment is sent.

use super::Bridge;
use crate::domain::{CallCenterName, CallName, CallReference};
use crate::salesforce::{Budget, Failure};
use crate::store::Note;

/// What a VoiceCall says of an agent.
#[derive(Debug)]
pub(super) enum Shown {
    /// An agent has had the call.
    Agent,
    /// No agent; or it is not to be asked, and what is known counts.
    Nobody,
    /// Nobody knows: an abandonment is kept, and the outbox asks again before it sends it.
    Unasked(Failure),
}

impl Bridge {
    /// Asks the VoiceCall where that is configured, with half of the time that is left: what it says must still be
    /// written down, and sent.
    pub(super) async fn shown(
        &self,
        center: &CallCenterName,
        call: &CallReference,
        budget: &Budget,
    ) -> Shown {
        let half = budget.half();
        let agent = match self.org(center) {
            Ok(org) => org.agent_in_record(&self.client, call, &half).await,
            Err(failure) => Err(failure),
        };
        budget.waited(half.upstream().unwrap_or_default());
        match agent {
            Ok(Some(_)) => {
                tracing::info!(call_center = %center, %call, "not abandoned: the VoiceCall shows an agent");
                Shown::Agent
            }
            Ok(None) => Shown::Nobody,
            Err(failure) => Shown::Unasked(failure),
        }
    }

    /// Remembers that the VoiceCall shows an agent. What was withheld stays so if that cannot be written down.
    pub(super) async fn remember_agent(&self, name: CallName, budget: &Budget) {
        let now = self.outbox.now();
        let note = Note { answered_at: Some(now), ..Note::of(name, now) };
        self.note_down(note, budget).await;
    }
}
