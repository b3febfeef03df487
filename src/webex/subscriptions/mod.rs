//! The Subscriptions API: where Webex sends its webhooks.

mod resource;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

pub use resource::WebhookResource;

use super::client::{ApiClient, ApiRequest, WebexError};
use crate::settings::BaseUrl;

/// The path of the bridge's webhook route.
const ROUTE: &str = "/webhooks/wxcc";
/// What an id may hold unescaped in a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// A subscription as Webex shows it; the secret is never shown.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `task:1.0.0`
    #[serde(default)]
    pub resource_version: String,
    /// What it tells of.
    #[serde(default)]
    pub event_types: Vec<String>,
    /// Where it sends.
    #[serde(default)]
    pub destination_url: String,
    /// `active` or `inactive`.
    #[serde(default)]
    pub status: String,
}

impl Subscription {
    /// Whether webhooks are sent.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status.eq_ignore_ascii_case("active")
    }

    /// Whether it sends this resource to `destination`.
    #[must_use]
    pub fn serves(&self, resource: &WebhookResource, destination: &str) -> bool {
        self.resource_version == resource.to_string() && self.destination_url == destination
    }
}

/// A subscription to be.
#[derive(Debug)]
pub struct NewSubscription {
    /// 4 to 64 characters.
    pub name: String,
    /// What it tells of.
    pub resource: WebhookResource,
    /// Where it sends.
    pub destination_url: String,
    /// What signs the webhooks.
    pub secret: SecretString,
}

/// Where the webhooks of a bridge known as `public_url` go.
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

/// Lists and single ones both lie under `data`.
#[derive(Deserialize)]
struct DataEnvelope<T> {
    data: T,
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

    /// Makes one.
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

    /// Makes an inactive one active again.
    ///
    /// # Errors
    /// When Webex does not.
    pub async fn reactivate(&self, id: &str) -> Result<(), WebexError> {
        let body = Some(json!({ "status": "active" }));
        self.ask::<Value>(&ApiRequest { method: Method::PATCH, path: &path(id), body }).await.map(drop)
    }

    /// Gives one this secret, such as the new one while secrets change.
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

#[cfg(test)]
mod tests {
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
