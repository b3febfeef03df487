//! `[webex]`: webhooks and reconciliation.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::BaseUrl;
use super::names::ConfiguredNames;
use super::section::{Section, section};
use super::value::{DAY, MINUTE, text_if};

const ORG_ID_HINT: &str = "the UUID that Control Hub shows";

section! {
    /// What we know of the Webex tenant. `call_centers`: the names that exist.
    #[derive(Debug, Clone)]
    pub struct Webex in "webex" |section, call_centers: &ConfiguredNames| {
        /// Secrets of the webhooks; several while one is being replaced.
        webhook_secrets: Vec<SecretString> = flatten(|section| Some(webhook_secrets(section)));
        /// What a wrong signature is answered with.
        bad_signature_status: BadSignatureStatus = bad_signature_status();
        /// How long `task:ended` waits for late events.
        grace: Duration = duration(Duration::ZERO..=10 * MINUTE);
        /// The region's API.
        api_url: Option<BaseUrl> = optional(
            "the region's API, such as https://api.wxcc-us1.cisco.com",
            BaseUrl::parse_without_path
        ), at_start;
        /// Webex's interface of flows, with its path; none: below `api_url`.
        flow_store_url: Option<BaseUrl> = optional(
            "the address of flows, such as https://api.wxcc-us1.cisco.com/flow-store",
            BaseUrl::parse
        ), at_start;
        /// Where access tokens come from.
        token_url: BaseUrl = parsed("https://webexapis.com/v1/access_token", BaseUrl::parse), at_start;
        /// Where an administrator agrees to the integration.
        authorize_url: BaseUrl = parsed("https://webexapis.com/v1/authorize", BaseUrl::parse), at_start;
        /// What the tokens are encrypted with in the database; none: they lie there in clear text.
        token_key: Option<SecretString> = token_key(), secret_at_start;
        /// Whether subscriptions that Webex has turned inactive are made active again.
        reactivate_subscriptions: bool = boolean(), at_start;
        /// The organisation, a UUID.
        org_id: Option<String> = organisation(), at_start;
        /// The integration that `webex login` authorised: `client_id` and `client_secret`.
        oauth_client: Option<WebexClient> = flatten(|section| Some(oauth_client(section))), secret_at_start;
        /// How often calls are compared; none means never.
        reconcile_every: Option<Duration> = duration_or_off(DAY), at_start;
        /// The contact center of calls that the bridge never saw created.
        call_center: Option<String> = call_center(call_centers);
        /// Whether such calls are logged to Salesforce.
        log_unknown_calls: bool = boolean();
    }
    check {
        if log_unknown_calls == Some(true) && call_center == Some(None) {
            let hint = "name the contact center in which such calls are logged";
            section.problem("call_center", "is missing, and log_unknown_calls = true needs it", hint);
        }
    }
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

impl Section<'_> {
    fn bad_signature_status(&mut self, key: &str) -> Option<BadSignatureStatus> {
        match self.count(key, 0..=999)? {
            401 => Some(BadSignatureStatus::Refuse),
            200 => Some(BadSignatureStatus::TakeAndIgnore),
            _ => {
                self.problem(key, "is neither 401 nor 200", "401 or 200");
                None
            }
        }
    }

    /// A duration up to `longest`; none where it is zero.
    fn duration_or_off(&mut self, key: &str, longest: Duration) -> Option<Option<Duration>> {
        let duration = self.duration(key, Duration::ZERO..=longest)?;
        Some(Some(duration).filter(|duration| !duration.is_zero()))
    }

    /// A key that nobody guesses has 32 characters at least.
    fn token_key(&mut self, key: &str) -> Option<Option<SecretString>> {
        let token_key = self.secret(key);
        if token_key.as_ref().is_some_and(|text| text.expose_secret().chars().count() < 32) {
            let hint = "use a random text, such as `openssl rand -hex 32` prints";
            self.problem(key, "has less than 32 characters", hint);
        }
        Some(token_key)
    }

    /// The id of a real organisation: of another than ours every webhook would be left.
    fn organisation(&mut self, key: &str) -> Option<Option<String>> {
        let id = self.optional(key, ORG_ID_HINT, uuid)?;
        if id.as_ref().is_some_and(|id| id.bytes().all(|byte| b"0-".contains(&byte))) {
            self.problem(key, "is still the sample of the documentation", ORG_ID_HINT);
        }
        Some(id)
    }

    /// The name of a contact center that there is.
    fn call_center(&mut self, key: &str, call_centers: &ConfiguredNames) -> Option<Option<String>> {
        let name = self.filled(key);
        if let Some(name) = &name {
            call_centers.check(self, key, name);
        }
        Some(name)
    }
}

/// Webex takes secrets of 32 to 256 characters.
fn webhook_secrets(section: &mut Section<'_>) -> Vec<SecretString> {
    const LENGTH: std::ops::RangeInclusive<usize> = 32..=256;
    let in_place = section.list("webhook_secrets").unwrap_or_default();
    let files = section.list("webhook_secret_files").unwrap_or_default();
    let in_place = in_place.into_iter().map(|secret| ("webhook_secrets", Some(secret.into())));
    let in_files: Vec<_> = files
        .iter()
        .map(|path| ("webhook_secret_files", section.secret_in_file("webhook_secret_files", path)))
        .collect();
    let mut secrets: Vec<SecretString> = Vec::new();
    for (key, secret) in in_place.chain(in_files) {
        let Some(secret) = secret else { continue };
        if !LENGTH.contains(&secret.expose_secret().chars().count()) {
            section.problem(
                key,
                "holds a secret that has not 32 to 256 characters",
                "use the secret that the subscription was made with",
            );
        }
        secrets.push(secret);
    }
    secrets
}

fn oauth_client(section: &mut Section<'_>) -> Option<WebexClient> {
    let without_blanks = |text: &str| text_if(!text.chars().any(char::is_whitespace), text, "holds a blank");
    let hint = "the integration's client id, without blanks";
    let id = section.optional("client_id", hint, without_blanks).flatten();
    let given = section.has("client_secret") || section.has("client_secret_file");
    let secret = section.secret_without_blanks("client_secret");
    match (id, secret) {
        (Some(id), Some(secret)) => Some(WebexClient { id, secret }),
        (Some(_), None) if !given => {
            section.problem("client_secret", "is missing", "set `client_secret_file` beside `client_id`");
            None
        }
        (None, Some(_)) => {
            section.problem("client_id", "is missing", "set it beside the client's secret");
            None
        }
        _ => None,
    }
}

fn uuid(text: &str) -> Result<String, String> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit());
    text_if(hex && lengths == [8, 4, 4, 4, 12], text, "is not a UUID")
}
