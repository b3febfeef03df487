//! `[call_centers.NAME]`: a Salesforce contact center and the way to it.

mod attributes;
mod enrichment;

use secrecy::SecretString;

use crate::certificate::SigningCertificate;

pub use attributes::Attribute;
pub use enrichment::Enrichment;

use super::{BaseUrl, OrgId, Token, Translations};

/// A contact center. Its name is what flows send as `callCenterDevName`.
#[derive(Debug, Clone)]
pub struct CallCenter {
    /// The name in the configuration.
    pub name: String,
    /// Signs when a request names no certificate.
    pub certificate: SigningCertificate,
    /// The way to Salesforce.
    pub api: Api,
    /// What createVoiceCall answers when Salesforce cannot.
    pub on_create_failure: OnCreateFailure,
    /// The queue executeOmniFlow answers when Salesforce cannot.
    pub fallback_queue: Option<String>,
    /// Phone number rules.
    pub translations: Translations,
    /// What is sent for abandoned calls.
    pub abandonment: Abandonment,
    /// The final update with times, holds, agent and queue.
    pub enrichment: Enrichment,
    /// VoiceCall fields and where their values are found.
    pub attributes: Vec<Attribute>,
}

/// The way to Salesforce.
#[derive(Debug, Clone)]
pub enum Api {
    /// The Telephony Integration REST API.
    Telephony(Telephony),
    /// The Apex wrapper inside the org.
    Apex(Apex),
}

/// The Telephony Integration REST API.
#[derive(Debug, Clone)]
pub struct Telephony {
    /// The token's `iss`.
    pub org_id: OrgId,
    /// `https://<MyDomain>.my.salesforce-scrt.com/telephony/v1`.
    pub url: BaseUrl,
    /// The header `Telephony-Provider-Name`.
    pub provider_name: String,
    /// How the token is made.
    pub token: Token,
}

/// The Apex wrapper inside the org.
#[derive(Debug, Clone)]
pub struct Apex {
    /// Where the OAuth session is asked for.
    pub login_url: BaseUrl,
    /// The assertion's `iss`.
    pub consumer_key: SecretString,
    /// The assertion's `sub`.
    pub username: String,
    /// The assertion's `aud`.
    pub oauth_audience: String,
    /// The path of the wrapper's REST class, with a slash in front and none at the end.
    pub path_prefix: String,
    /// The `certDevName` sent when a request names none: a certificate stored in the org.
    pub certificate_in_org: String,
}

/// What createVoiceCall answers when Salesforce cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCreateFailure {
    /// The error.
    Error,
    /// 200 with the vendorCallKey as voiceCallId; it is created afterwards.
    Defer,
}

/// What is sent for abandoned calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandonment {
    /// The disconnect reason when the call was queued, or when nobody knows.
    pub reason: String,
    /// The disconnect reason when the call is known never to have been queued.
    pub reason_in_ivr: String,
    /// `disconnectReason.isError`.
    pub is_error: bool,
}
