//! From the configuration to a client.

use std::sync::Arc;

use super::{ApiClient, TokenCipher, WebexTokens};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::Webex;
use crate::store::Store;

/// What is missing in `[webex]` to ask Webex anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key} is not set: {hint}")]
pub struct MissingSetting {
    /// The key.
    pub key: &'static str,
    /// What to set it to.
    pub hint: &'static str,
}

/// The tokens of the configured integration, in the name of `owner`.
///
/// # Errors
/// When the configuration names no integration.
pub fn tokens(
    webex: &Webex,
    http: reqwest::Client,
    store: Store,
    clock: Arc<dyn Clock>,
    owner: String,
) -> Result<WebexTokens, MissingSetting> {
    let client = webex.oauth_client.as_ref().ok_or(MissingSetting {
        key: "webex.client_id",
        hint: "make an integration at developer.webex.com, and set its client id and client_secret_file",
    })?;
    let cipher = TokenCipher::new(webex.token_key.clone());
    Ok(WebexTokens::new(http, (&webex.token_url, client, cipher), store, clock, owner))
}

/// A client that asks with these tokens.
///
/// # Errors
/// When the configuration does not say where.
pub fn client(
    webex: &Webex,
    http: reqwest::Client,
    tokens: WebexTokens,
    clock: Arc<dyn Clock>,
    ids: Arc<Ids>,
) -> Result<ApiClient, MissingSetting> {
    let hint = "set it to the API of your region, such as https://api.wxcc-us1.cisco.com";
    let api = webex.api_url.clone().ok_or(MissingSetting { key: "webex.api_url", hint })?;
    Ok(ApiClient::new(http, api, Arc::new(tokens), clock, ids))
}
