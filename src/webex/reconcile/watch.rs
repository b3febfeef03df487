//! Looks after the subscriptions: Webex turns those inactive whose receiver failed.

use crate::webex::{ApiClient, WebexError};

/// What is looked after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionWatch {
    /// Where our webhooks go.
    pub destination: String,
    /// Whether inactive ones may be made active again.
    pub reactivate: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubscriptionCounts {
    /// Ours that send.
    pub active: usize,
    /// Ours that do not, and were left so.
    pub inactive: usize,
    /// Ours that did not, and do now.
    pub reactivated: usize,
}

impl SubscriptionWatch {
    /// Looks at the subscriptions that send to us.
    ///
    /// # Errors
    /// When Webex does not answer, or does not make one active again.
    pub async fn look(&self, client: &ApiClient) -> Result<SubscriptionCounts, WebexError> {
        let mut watched = SubscriptionCounts::default();
        let all = client.subscriptions().await?;
        for ours in all.iter().filter(|each| each.destination_url == self.destination) {
            let (id, name) = (&ours.id, &ours.name);
            if ours.is_active() {
                watched.active += 1;
            } else if self.reactivate {
                client.reactivate(id).await?;
                watched.reactivated += 1;
                tracing::warn!(id, name, "Webex had turned this subscription inactive; it is active again");
            } else {
                watched.inactive += 1;
                let hint = "Webex has turned this subscription inactive: run `scv-bridge webex subscribe --reactivate`";
                tracing::warn!(id, name, "{hint}");
            }
        }
        Ok(watched)
    }
}
