//! `[webex]`: webhooks and reconciliation.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::BaseUrl;
use super::names::Names;
use super::section::Section;

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
    /// Where an administrator agrees to the integration.
    pub authorize_url: BaseUrl,
    /// What the tokens are encrypted with in the database; none: they lie there in clear text.
    pub token_key: Option<SecretString>,
    /// Whether subscriptions that Webex has turned inactive are made active again.
    pub reactivate_subscriptions: bool,
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

impl Webex {
    /// `call_centers`: the names that exist.
    pub(super) fn read(mut section: Section<'_>, call_centers: &Names) -> Option<Self> {
        let webhook_secrets = webhook_secrets(&mut section);
        let bad_signature_status = match section.count("bad_signature_status", Some(401), 0..=999) {
            Some(401) => Some(BadSignatureStatus::Refuse),
            Some(200) => Some(BadSignatureStatus::TakeAndIgnore),
            Some(_) => {
                section.problem("bad_signature_status", "is neither 401 nor 200", "401 or 200");
                None
            }
            None => None,
        };
        let grace = section.duration("grace", Some("10s"), Duration::ZERO..=Duration::from_secs(600));
        let api_url = section.parsed_if_given(
            "api_url",
            "the region's API, such as https://api.wxcc-us1.cisco.com",
            BaseUrl::parse_without_path,
        );
        let token_url = section.parsed_or(
            "token_url",
            Some("https://webexapis.com/v1/access_token"),
            "https://webexapis.com/v1/access_token",
            BaseUrl::parse,
        );
        let authorize_url = section.parsed_or(
            "authorize_url",
            Some("https://webexapis.com/v1/authorize"),
            "https://webexapis.com/v1/authorize",
            BaseUrl::parse,
        );
        let token_key = token_key(&mut section);
        let reactivate_subscriptions = section.boolean("reactivate_subscriptions", Some(false));
        let org_id = section.parsed_if_given("org_id", "the UUID that Control Hub shows", uuid);
        let org_id = org_id.filter(|id| is_real(&section, id));
        let oauth_client = oauth_client(&mut section);
        let bounds = Duration::ZERO..=Duration::from_secs(86_400);
        let reconcile_every = section.duration("reconcile_every", Some("5m"), bounds);
        let call_center = section.text("call_center").filter(|name| !name.is_empty());
        if let Some(name) = &call_center {
            call_centers.check(&section, "call_center", name);
        }
        let log_unknown_calls = section.boolean("log_unknown_calls", Some(false));
        if log_unknown_calls == Some(true) && call_center.is_none() {
            let hint = "name the contact center in which such calls are logged";
            section.problem("call_center", "is missing, and log_unknown_calls = true needs it", hint);
        }
        section.finish();
        Some(Self {
            webhook_secrets,
            bad_signature_status: bad_signature_status?,
            grace: grace?,
            api_url,
            token_url: token_url?,
            authorize_url: authorize_url?,
            token_key,
            reactivate_subscriptions: reactivate_subscriptions?,
            org_id,
            oauth_client,
            reconcile_every: reconcile_every.filter(|every| !every.is_zero()),
            call_center,
            log_unknown_calls: log_unknown_calls?,
        })
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

/// A key that nobody guesses has 32 characters at least.
fn token_key(section: &mut Section<'_>) -> Option<SecretString> {
    let key = section.secret("token_key")?;
    if key.expose_secret().chars().count() < 32 {
        section.problem(
            "token_key",
            "has less than 32 characters",
            "use a random text, such as `openssl rand -hex 32` prints",
        );
    }
    Some(key)
}

fn oauth_client(section: &mut Section<'_>) -> Option<WebexClient> {
    let id =
        section.parsed_if_given(
            "client_id",
            "the integration's client id, without blanks",
            |text| match text.chars().any(char::is_whitespace) {
                true => Err(String::from("holds a blank")),
                false => Ok(text.to_owned()),
            },
        );
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

/// Of another organisation than ours every webhook would be left.
fn is_real(section: &Section<'_>, id: &str) -> bool {
    let real = id.bytes().any(|byte| !b"0-".contains(&byte));
    if !real {
        section.problem(
            "org_id",
            "is still the sample of the documentation",
            "the UUID that Control Hub shows",
        );
    }
    real
}

fn uuid(text: &str) -> Result<String, String> {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let hex = groups.concat().bytes().all(|byte| byte.is_ascii_hexdigit());
    match hex && lengths == [8, 4, 4, 4, 12] {
        true => Ok(text.to_owned()),
        false => Err("is not a UUID".to_owned()),
    }
}
