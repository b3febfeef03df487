//! Notices as a webhook: JSON, signed as Stripe signs.

use jiff::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use url::Url;

use super::{Notice, NoticeError};
use crate::salesforce::causes;

/// The header of the signature: `t=` and the Unix time, `v1=` and the HMAC-SHA256 of that, a dot and the body.
pub const SIGNATURE: &str = "scv-bridge-signature";

/// A receiver of webhooks.
pub(super) struct WebhookReceiver {
    client: Client,
    url: Url,
    secret: Option<SecretString>,
}

#[derive(Serialize)]
struct Body<'a> {
    version: &'static str,
    sent_at: String,
    notices: &'a [Notice],
}

impl WebhookReceiver {
    pub(super) fn new(client: Client, url: Url, secret: Option<&SecretString>) -> Self {
        Self { client, url, secret: secret.cloned() }
    }

    /// Sends notices.
    ///
    /// # Errors
    /// When the receiver cannot be reached, or answers anything but a 2xx.
    pub(super) async fn send(&self, notices: &[Notice], now: Timestamp) -> Result<(), NoticeError> {
        let body = Body { version: env!("CARGO_PKG_VERSION"), sent_at: now.to_string(), notices };
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(secret) = &self.secret {
            let signature = signature(secret, now, &body).ok_or_else(|| {
                NoticeError::Unreachable("the signature cannot be made: OpenSSL has no HMAC".to_owned())
            })?;
            request = request.header(SIGNATURE, signature);
        }
        let sent = request.body(body).send().await;
        let answer = sent.map_err(|error| NoticeError::Unreachable(causes(error)))?;
        match answer.status().is_success() {
            true => Ok(()),
            false => Err(NoticeError::Refused(answer.status().as_u16())),
        }
    }
}

/// The value of [`SIGNATURE`] for a body sent at `now`; none where OpenSSL lacks HMAC.
#[must_use]
pub fn signature(secret: &SecretString, now: Timestamp, body: &str) -> Option<String> {
    let (key, second) = (PKey::hmac(secret.expose_secret().as_bytes()).ok()?, now.as_second());
    let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
    signer.update(format!("{second}.{body}").as_bytes()).ok()?;
    Some(format!("t={second},v1={}", hex::encode(signer.sign_to_vec().ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_hmac_of_time_and_body() {
        let secret = SecretString::from("whsec_of_the_receiver_with_32_chars");
        let now = Timestamp::from_second(1_795_000_000).unwrap();
        // printf '1795000000.{"a":1}' | openssl dgst -sha256 -hmac whsec_of_the_receiver_with_32_chars
        let expected = "cf31df1239acaac6a9e781be03e5b1086de9d3784d3e0a9c3ed01e92dc30f90c";
        assert_eq!(signature(&secret, now, "{\"a\":1}").unwrap(), format!("t=1795000000,v1={expected}"));
    }
}
