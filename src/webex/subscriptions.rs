//! The Subscriptions API: which webhooks Webex sends, and where.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::client::{ApiClient, ApiRequest, WebexError};
use crate::settings::BaseUrl;

/// The path of the bridge's webhook route.
const ROUTE: &str = "/webhooks/wxcc";
/// Characters of an id that need no escape in a path.
pub(super) const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A subscription as Webex returns it, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Resource and version, such as `task:1.0.0`.
    #[serde(default)]
    pub resource_version: String,
    /// The types of its webhooks.
    #[serde(default)]
    pub event_types: Vec<String>,
    /// Where its webhooks are sent.
    #[serde(default)]
    pub destination_url: String,
    /// `active` or `inactive`.
    #[serde(default)]
    pub status: String,
}

impl Subscription {
    /// Whether webhooks are sent.
    pub fn is_active(&self) -> bool {
        self.status.eq_ignore_ascii_case("active")
    }

    /// Whether it sends webhooks of this resource to `destination`.
    pub fn serves(&self, resource: &WebhookResource, destination: &str) -> bool {
        self.resource_version == resource.to_string() && self.destination_url == destination
    }
}

/// A subscription to create.
#[derive(Debug)]
pub struct NewSubscription {
    /// 4 to 64 characters.
    pub name: String,
    /// The resource of its webhooks.
    pub resource: WebhookResource,
    /// Where its webhooks are sent.
    pub destination_url: String,
    /// The secret that signs the webhooks.
    pub secret: SecretString,
}

/// Where the webhooks of a bridge at `public_url` are sent.
///
/// # Errors
/// When Webex would not send there: it wants https on port 443, without a query.
pub fn destination(public_url: Option<&BaseUrl>) -> Result<String, String> {
    let wanted = "Webex sends webhooks to https on port 443 only";
    let base = public_url.ok_or_else(|| format!("server.public_url is not set; {wanted}"))?;
    let text = format!("{base}{ROUTE}");
    match Url::parse(&text) {
        Ok(url) if url.scheme() == "https" && url.port_or_known_default() == Some(443) => Ok(text),
        _ => Err(format!("server.public_url is {base}; {wanted}")),
    }
}

/// The envelope of lists and of single subscriptions.
#[derive(Deserialize)]
struct DataEnvelope<T> {
    data: T,
}

/// The list of subscriptions in an answer.
pub(super) fn read_list(body: &[u8]) -> Option<Vec<Subscription>> {
    serde_json::from_slice::<DataEnvelope<_>>(body).ok().map(|envelope| envelope.data)
}

impl ApiClient {
    /// All subscriptions of the tenant.
    ///
    /// # Errors
    /// When Webex gives none.
    pub async fn subscriptions(&self) -> Result<Vec<Subscription>, WebexError> {
        let ask = ApiRequest { method: Method::GET, path: "/v2/subscriptions", body: None };
        Ok(self.ask::<DataEnvelope<Vec<Subscription>>>(&ask).await?.data)
    }

    /// Creates one.
    ///
    /// # Errors
    /// When Webex makes none.
    pub async fn subscribe(&self, new: &NewSubscription) -> Result<Subscription, WebexError> {
        let body = json!({
            "name": new.name,
            "resourceVersion": new.resource.to_string(),
            "eventTypes": new.resource.event_types(),
            "destinationUrl": new.destination_url,
            "secret": new.secret.expose_secret(),
        });
        let ask = ApiRequest { method: Method::POST, path: "/v2/subscriptions", body: Some(body) };
        Ok(self.ask::<DataEnvelope<Subscription>>(&ask).await?.data)
    }

    /// Sets an inactive one to active.
    ///
    /// # Errors
    /// When Webex does not.
    pub async fn reactivate(&self, id: &str) -> Result<(), WebexError> {
        let body = Some(json!({ "status": "active" }));
        self.ask::<Value>(&ApiRequest { method: Method::PATCH, path: &path(id), body }).await.map(drop)
    }

    /// Replaces the secret of one, while secrets rotate.
    ///
    /// # Errors
    /// When Webex does not.
    pub async fn replace_secret(&self, id: &str, secret: &SecretString) -> Result<(), WebexError> {
        let body = Some(json!({ "secret": secret.expose_secret() }));
        self.ask::<Value>(&ApiRequest { method: Method::PATCH, path: &path(id), body }).await.map(drop)
    }

    /// Removes one.
    ///
    /// # Errors
    /// When Webex does not.
    pub async fn unsubscribe(&self, id: &str) -> Result<(), WebexError> {
        let ask = ApiRequest { method: Method::DELETE, path: &path(id), body: None };
        self.ask::<Value>(&ask).await.map(drop)
    }
}

fn path(id: &str) -> String {
    format!("/v2/subscriptions/{}", utf8_percent_encode(id, ESCAPED))
}

/// A resource and its version, such as `task:1.0.0`: one for each subscription.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebhookResource {
    kind: ResourceKind,
    version: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum ResourceKind {
    Task,
    Agent,
    Capture,
}

/// The webhooks that the bridge uses; the headings of the vendor's document omit `task:` in some places.
const TASK_EVENTS: [&str; 14] = [
    "task:new",
    "task:parked",
    "task:connect",
    "task:connected",
    "task:on-hold",
    "task:hold-done",
    "task:consulting",
    "task:consult-done",
    "task:conferencing",
    "task:conference-done",
    "task:conference-transferred",
    "task:origin-updated",
    "task:ended",
    "task:failed",
];

impl WebhookResource {
    /// The resources that the bridge needs, of each its versions, the newest first: Webex accepts some of them only, and
    /// is to end `agent:1.0.0` on 2026-12-16.
    pub fn usual() -> Vec<Vec<Self>> {
        let of = |kind, versions: &[&str]| {
            versions.iter().map(|version| Self { kind, version: (*version).to_owned() }).collect()
        };
        vec![
            of(ResourceKind::Task, &["1.0.0"]),
            of(ResourceKind::Agent, &["2.0.0", "1.0.0"]),
            of(ResourceKind::Capture, &["1.0.0"]),
        ]
    }

    /// The webhooks that the bridge uses. Version 2 renames the state change of an agent.
    pub fn event_types(&self) -> Vec<&'static str> {
        match self.kind {
            ResourceKind::Task => TASK_EVENTS.to_vec(),
            ResourceKind::Agent if self.version.starts_with("2.") => vec!["agent:channel_state_change"],
            ResourceKind::Agent => vec!["agent:state_change"],
            ResourceKind::Capture => vec!["capture:available"],
        }
    }
}

impl FromStr for WebhookResource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is no resource and version: such as task:1.0.0, agent:2.0.0 or capture:1.0.0")
        };
        let (kind, version) = text.split_once(':').ok_or_else(wrong)?;
        let kind = match kind {
            "task" => ResourceKind::Task,
            "agent" => ResourceKind::Agent,
            "capture" => ResourceKind::Capture,
            _ => return Err(wrong()),
        };
        let numbers: Vec<_> = version.split('.').map(str::parse::<u16>).collect();
        if numbers.len() != 3 || numbers.iter().any(Result::is_err) {
            return Err(wrong());
        }
        Ok(Self { kind, version: version.to_owned() })
    }
}

impl fmt::Display for WebhookResource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ResourceKind::Task => "task",
            ResourceKind::Agent => "agent",
            ResourceKind::Capture => "capture",
        };
        write!(f, "{kind}:{}", self.version)
    }
}

/// Checks the subscriptions of this bridge: Webex sets those inactive whose receiver failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionWatch {
    /// Where webhooks of this bridge are sent.
    pub destination: String,
    /// Whether inactive ones are set to active.
    pub reactivate: bool,
}

/// The subscriptions of this bridge by their status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SubscriptionCounts {
    /// Active.
    pub active: usize,
    /// Inactive, and left so.
    pub inactive: usize,
    /// Inactive before, and active now.
    pub reactivated: usize,
}

impl SubscriptionWatch {
    /// Checks the subscriptions that send to this bridge.
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

#[cfg(test)]
mod subscriptions_tests {
    use super::*;

    #[test]
    fn webhooks_go_to_https_on_the_usual_port_only() {
        let of = |text: &str| destination(Some(&BaseUrl::parse(text).unwrap()));
        assert_eq!(of("https://bridge.example.com/").unwrap(), "https://bridge.example.com/webhooks/wxcc");
        assert_eq!(of("https://example.com:443/bridge").unwrap(), "https://example.com/bridge/webhooks/wxcc");
        assert!(of("https://bridge.example.com:8443").unwrap_err().contains("port 443"));
        assert!(
            of("http://127.0.0.1:8080")
                .unwrap_err()
                .starts_with("server.public_url is http://127.0.0.1:8080")
        );
        assert!(destination(None).unwrap_err().starts_with("server.public_url is not set"));
    }
}

#[cfg(test)]
mod resource_tests {
    use super::*;

    #[test]
    fn a_resource_is_its_text_and_has_events_of_its_own_only() {
        for text in ["task:1.0.0", "agent:2.0.0", "capture:1.0.0"] {
            let resource: WebhookResource = text.parse().unwrap();
            assert_eq!(resource.to_string(), text);
            let kind = text.split(':').next().unwrap();
            let events = resource.event_types();
            assert!((1..=32).contains(&events.len()));
            assert!(events.iter().all(|event| event.split(':').next() == Some(kind)), "{events:?}");
        }
        for text in ["task", "task:1", "task:1.0.x", "queue:1.0.0", ""] {
            assert!(text.parse::<WebhookResource>().is_err(), "{text}");
        }
    }
}
