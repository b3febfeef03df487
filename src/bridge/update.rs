//! Something has become of the call.

use super::Bridge;
use crate::domain::UpdateVoiceCall;
use crate::salesforce::{Ask, Budget, Failure};

impl Bridge {
    /// Passes an update on.
    ///
    /// # Errors
    /// When Salesforce did not take it in time.
    pub async fn update(&self, request: &UpdateVoiceCall, budget: &Budget) -> Result<(), Failure> {
        let org = self.org(&request.origin.call_center)?;
        org.ask(&self.client, Ask::Update(request), budget).await.map(drop)
    }
}
