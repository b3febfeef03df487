//! An agent took the call.

use super::Bridge;
use crate::domain::AgentAnswered;

impl Bridge {
    /// Tells the log that an agent took the call. Salesforce learns it from the agent's own desktop; here nothing
    /// remembers it, so a hang-up is judged by the agent that it names itself.
    pub fn agent_answered(&self, request: &AgentAnswered) {
        tracing::info!(
            call_center = %request.origin.call_center,
            vendor_call_key = %request.vendor_call_key,
            agent = request.agent,
            queue = request.queue,
            accept_time = %request.accept_time,
            "an agent answered"
        );
    }
}
