//! A call has arrived.

use super::Bridge;
use crate::domain::CreateVoiceCall;
use crate::salesforce::{Budget, Created, Failure};

impl Bridge {
    /// Gives the call its record.
    ///
    /// # Errors
    /// When Salesforce did not make it in time.
    pub async fn create(&self, request: &CreateVoiceCall, budget: &Budget) -> Result<Created, Failure> {
        let org = self.org(&request.origin.call_center)?;
        let created = org.create(&self.client, request, budget).await?;
        if !created.warnings.is_empty() {
            tracing::warn!(
                call_center = %request.origin.call_center,
                vendor_call_key = %request.vendor_call_key,
                warnings = ?created.warnings,
                "Salesforce created the VoiceCall and complained"
            );
        }
        Ok(created)
    }
}
