//! An agent took the call.

use super::{Bridge, Trouble, in_time};
use crate::domain::{AgentAnswered, CallReference, FlowTime};
use crate::salesforce::Budget;
use crate::store::Note;

impl Bridge {
    /// Remembers that an agent took the call. Salesforce learns it from the agent's own desktop; we need it when the
    /// caller hangs up, because Webex reports that for every call alike.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub async fn agent_answered(&self, request: &AgentAnswered, budget: &Budget) -> Result<(), Trouble> {
        let center = &request.origin.call_center;
        let key = CallReference::Key(request.vendor_call_key.clone());
        let known = self.find(center, &key, budget).await.map(|call| call.name);
        let Some(name) = known.or_else(|| super::named(center, &key)) else { return Ok(()) };
        let answered_at = Some(FlowTime::timestamp(request.accept_time));
        let note = Note { answered_at, ..Note::of(name, self.outbox.now()) };
        let filled = self.filled(Some(&note));
        let noted = in_time(budget, self.outbox.store().note(note));
        let picked = self.remember_picked(filled.as_ref(), "agentAnswered", &request.picked, budget);
        tokio::join!(noted, picked).0?;
        tracing::info!(call_center = %center, vendor_call_key = %request.vendor_call_key, agent = request.agent, queue = request.queue, "an agent answered");
        Ok(())
    }
}
