//! `[webex]`: webhooks, enrichment and reconciliation.

use std::time::Duration;

use secrecy::SecretString;

use super::BaseUrl;

/// What we know of the Webex tenant.
#[derive(Debug, Clone)]
pub struct Webex {
    /// Secrets of the webhooks; several while one is being replaced.
    pub webhook_secrets: Vec<SecretString>,
    /// What a wrong signature is answered with.
    pub bad_signature_status: BadSignatureStatus,
    /// How long `task:ended` waits for late events.
    pub grace: Duration,
    /// The region's API.
    pub api_url: Option<BaseUrl>,
    /// Where access tokens come from.
    pub token_url: BaseUrl,
    /// The organisation, a UUID.
    pub org_id: Option<String>,
    /// The integration that `webex login` authorised.
    pub oauth_client: Option<WebexClient>,
    /// How often calls are compared; none means never.
    pub reconcile_every: Option<Duration>,
    /// The contact center of calls that the bridge never saw created.
    pub call_center: Option<String>,
    /// Whether such calls are logged to Salesforce.
    pub log_unknown_calls: bool,
}

/// The integration at Webex.
#[derive(Debug, Clone)]
pub struct WebexClient {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: SecretString,
}

/// What a webhook with a wrong signature is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSignatureStatus {
    /// 401: refused.
    Refuse,
    /// 200: taken, not processed.
    TakeAndIgnore,
}
