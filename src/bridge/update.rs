//! Something has become of the call.

use super::Bridge;
use crate::domain::UpdateVoiceCall;
use crate::salesforce::{Budget, Failure};

impl Bridge {
    /// Passes an update on.
    ///
    /// # Errors
    /// When Salesforce did not take it in time.
    pub async fn update(&self, request: &UpdateVoiceCall, budget: &Budget) -> Result<(), Failure> {
        self.org(&request.origin.call_center)?.update(&self.client, request, budget).await
    }
}
