//! What is answered beside the access token: OAuth's fields, and those of Salesforce's own token endpoint, for clients
//! that were written for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::OAuthError;
use super::grant::GrantedClient;
use crate::api::caller::{Callers, IssuedToken};

/// The only scope there is, whatever was asked for: what a client may do stands in the configuration.
const SCOPE: &str = "api";

/// A successful answer. No `Debug`: it holds the token.
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
    scope: &'static str,
    /// Where the wrapper's routes are.
    instance_url: String,
    /// Who the token is for, as a URL, as Salesforce has it.
    id: String,
    /// Milliseconds since 1970, as text.
    issued_at: String,
    /// HMAC-SHA256 of `id` and `issued_at`, as Salesforce has it.
    signature: String,
}

impl TokenResponse {
    pub(super) fn new(
        callers: &Callers,
        granted: &GrantedClient<'_>,
        issued: &IssuedToken,
        now: Timestamp,
    ) -> Result<Self, OAuthError> {
        let base = callers.base_url();
        let client = utf8_percent_encode(&granted.known.client.id, NON_ALPHANUMERIC);
        let id = format!("{base}/id/scv-bridge/{client}");
        let issued_at = now.as_millisecond().to_string();
        let signature = callers.sign(&format!("{id}{issued_at}"), granted.secret.as_deref());
        Ok(Self {
            access_token: issued.token.expose_secret().to_owned(),
            token_type: "Bearer",
            expires_in: issued.life.as_secs(),
            scope: SCOPE,
            instance_url: base.to_owned(),
            id,
            issued_at,
            signature: STANDARD.encode(signature.map_err(|_| OAuthError::unable())?),
        })
    }
}
