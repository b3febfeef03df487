//! Where shall the call go, and when does nobody wait for it any more?

use super::Bridge;
use crate::domain::{ClearRouting, ExecuteOmniFlow, Routing};
use crate::salesforce::{Ask, Budget, Failure};

/// Where a call goes, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The queue or agent.
    pub routing: Routing,
    /// Whether it is the configured fallback queue, because Salesforce could not say.
    pub fallback: bool,
}

impl Bridge {
    /// Asks the Omni-Channel flow. When Salesforce cannot answer and the contact center has a fallback queue, the
    /// caller goes there; a request that Salesforce refuses is the flow designer's to mend and is told.
    ///
    /// # Errors
    /// When there is neither an answer nor a fallback queue.
    pub async fn route(&self, request: &ExecuteOmniFlow, budget: &Budget) -> Result<Routed, Failure> {
        let name = &request.origin.call_center;
        let failure = match self.org(name)?.omni_flow(&self.client, request, budget).await {
            Ok(routing) => {
                return Ok(Routed { routing, fallback: false });
            }
            Err(refused @ Failure::Refused { .. }) => return Err(refused),
            Err(failure) => failure,
        };
        let Some(queue) = self.call_center(name.as_ref()).and_then(|center| center.fallback_queue.clone())
        else {
            return Err(failure);
        };
        tracing::warn!(call_center = %name, call = %request.call, %queue, reason = %failure, "answered the fallback queue");
        Ok(Routed { routing: Routing { queue: Some(queue), agent: None }, fallback: true })
    }

    /// Takes the call out of the waiting line.
    ///
    /// # Errors
    /// When Salesforce did not do it in time.
    pub async fn clear_routing(&self, request: &ClearRouting, budget: &Budget) -> Result<(), Failure> {
        let org = self.org(&request.origin.call_center)?;
        org.ask(&self.client, Ask::ClearRouting(request), budget).await.map(drop)
    }
}
