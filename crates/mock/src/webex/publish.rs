//! Webhooks on their way to subscribers.

use std::time::Duration;

use super::MockWebex;
use super::events::{Envelope, Event, Webhook};
use super::subscriptions::Subscription;
use super::weather::Weather;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What became of the events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Published {
    /// Webhooks that were sent.
    pub sent: usize,
    /// Those that were taken: any 2xx.
    pub taken: usize,
    /// Statuses of the others; 0 without an answer.
    pub refused: Vec<u16>,
}

/// Follows no redirects, as Webex does not.
pub(super) fn client() -> reqwest::Result<reqwest::Client> {
    let builder = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    builder.redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build()
}

impl MockWebex {
    /// Sends events to every active subscription that wants them, each as that subscription's version and secret have
    /// it, in this weather. Nothing is sent again; a receiver that fails often turns its subscription inactive.
    pub async fn publish(&self, events: &[Event], weather: &Weather) -> Published {
        let mut published = Published::default();
        for (event, subscription) in weather.blow(self.wanted(events)) {
            let settings = &self.tenant.settings;
            let envelope = Envelope {
                org_id: settings.org_id.clone(),
                subscription: subscription.id.clone(),
                version: version(&subscription),
                misspelled_org_key: settings.misspelled_org_key,
                secret: subscription.secret.clone(),
            };
            let webhook = envelope.webhook(&event, self.tenant.now());
            let url = settings.deliver_to.clone().unwrap_or_else(|| subscription.destination_url.clone());
            published.sent += 1;
            let status = self.deliver(&url, &webhook).await;
            let taken = (200..300).contains(&status);
            if taken {
                published.taken += 1;
            } else {
                published.refused.push(status);
            }
            let inactive_after = settings.inactive_after;
            self.change_subscription(&subscription.id, |known| {
                known.failures = if taken { 0 } else { known.failures + 1 };
                known.active &= known.failures < inactive_after;
            });
        }
        published
    }

    /// Sends one webhook, once; gives the status, 0 without an answer.
    pub async fn deliver(&self, url: &str, webhook: &Webhook) -> u16 {
        let mut request = self.http.post(url).header("content-type", "application/json");
        for (name, value) in &webhook.headers {
            request = request.header(*name, value);
        }
        match request.body(webhook.body.clone()).send().await {
            Ok(answer) => answer.status().as_u16(),
            Err(_) => 0,
        }
    }

    fn wanted(&self, events: &[Event]) -> Vec<(Event, Subscription)> {
        let subscriptions = self.subscriptions();
        let wants =
            |known: &&Subscription, event: &Event| known.active && known.event_types.contains(&event.kind);
        let of = |event: &Event| {
            let wanting = subscriptions.iter().filter(|known| wants(known, event));
            wanting.map(|known| (event.clone(), known.clone())).collect::<Vec<_>>()
        };
        events.iter().flat_map(of).collect()
    }
}

/// The version of the envelope is that of the resource.
fn version(subscription: &Subscription) -> u8 {
    if subscription.resource_version.contains(":2.") { 2 } else { 1 }
}
