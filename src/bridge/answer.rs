//! An agent took the call.

use super::{Bridge, BridgeError, in_time};
use crate::domain::{AgentAnswered, CallName, CallReference};
use crate::salesforce::Budget;
use crate::store::Note;

impl Bridge {
    /// Remembers that an agent took the call. Salesforce learns it from the agent's own desktop; we need it when the
    /// caller hangs up, because Webex reports that for every call alike.
    ///
    /// # Errors
    /// When it cannot be written down; or, of a call that was told as abandoned, when Salesforce refused that it was not.
    pub async fn agent_answered(&self, request: &AgentAnswered, budget: &Budget) -> Result<(), BridgeError> {
        let center = &request.origin.call_center;
        let (key, at) = (&request.vendor_call_key, request.accept_time.timestamp());
        self.until_store_works(budget).await;
        let interaction = self.interaction(center, &CallReference::Key(key.clone()), budget).await?;
        let known = interaction.meant_by_answer(at);
        let name = known.map(|call| call.name.clone());
        let name = name.unwrap_or_else(|| CallName::new(center.clone(), key.clone(), None));
        let answered_by = self.fingerprint_of(request.agent.as_deref());
        let note = Note { answered_at: Some(at), answered_by, ..Note::of(name, self.outbox.now()) };
        let filled = self.filled(Some(&note));
        let noted = in_time(budget, self.outbox.store().note(note));
        let picked = self.remember_picked(filled.as_ref(), "agentAnswered", &request.picked, budget);
        tokio::join!(noted, picked).0?;
        if let Some(call) = known {
            self.take_back(call, Some(at), budget).await?;
        }
        tracing::info!(call_center = %center, vendor_call_key = %request.vendor_call_key, agent = request.agent, queue = request.queue, "an agent answered");
        Ok(())
    }
}
