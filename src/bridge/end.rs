//! The caller is gone.

use serde_json::Value;

use super::Bridge;
use crate::domain::{
    CallReference, ClearRouting, Fact, Known, PhoneContactEnded, Rest, UpdateVoiceCall, Verdict, decide,
};
use crate::salesforce::{Ask, Budget, Failure};

impl Bridge {
    /// Decides whether the call was abandoned. If so, clears its routing and completes its record with the
    /// reason; if an agent had it, sends nothing.
    ///
    /// # Errors
    /// When Salesforce did not take the final update in time. Sending the same again does no harm.
    pub async fn end(&self, request: &PhoneContactEnded, budget: &Budget) -> Result<Verdict, Failure> {
        let known = Known::default().and(Fact::AgentAtHangUp.of_agent(request.agent.as_deref()));
        let verdict = decide(known);
        if let Verdict::Abandoned { .. } = verdict {
            self.abandon(request, budget).await?;
        }
        Ok(verdict)
    }

    /// The vendors' recipe: clear routing, then one final update with start, end and reason. The update alone
    /// clears the routing too, so it is sent even if the first step failed, and has half of the time for itself.
    async fn abandon(&self, request: &PhoneContactEnded, budget: &Budget) -> Result<(), Failure> {
        let org = self.org(&request.origin.call_center)?;
        let key = || CallReference::Key(request.vendor_call_key.clone());
        let call = request.voice_call.clone().unwrap_or_else(key);
        let clear = ClearRouting { origin: request.origin.clone(), call: call.clone() };
        let first = budget.half();
        let cleared = org.ask(&self.client, Ask::ClearRouting(&clear), &first).await;
        budget.waited(first.upstream().unwrap_or_default());
        if let Err(reason) = cleared {
            tracing::warn!(
                call_center = %request.origin.call_center,
                vendor_call_key = %request.vendor_call_key,
                %reason,
                "routing was not cleared; the final update will do it"
            );
        }
        org.ask(&self.client, Ask::Update(&final_update(request, call)), budget).await.map(drop)
    }
}

/// The update that completes the record. Under a key, Salesforce makes the record if there is none, and then
/// wants to know what a create would have said.
fn final_update(request: &PhoneContactEnded, call: CallReference) -> UpdateVoiceCall {
    let mut rest = Rest::new();
    let mut from_number = None;
    if matches!(call, CallReference::Key(_)) {
        let name = request.origin.call_center.as_ref();
        rest.insert("callCenterApiName".into(), Value::from(name));
        rest.insert("initiationMethod".into(), Value::from("INBOUND"));
        if let Some(to) = &request.to {
            rest.insert("toNumber".into(), Value::from(to.expose()));
        }
        from_number.clone_from(&request.from);
    }
    UpdateVoiceCall {
        origin: request.origin.clone(),
        call,
        start_time: request.start_time,
        end_time: Some(request.end_time),
        enqueue_time: None,
        accept_time: None,
        from_number,
        disconnect_reason: Some(request.disconnect_reason.clone()),
        call_attributes: request.call_attributes.clone(),
        rest,
    }
}
