//! What kind of tenant the mock is: who may log in, how long tokens live, how strict it is.

use std::time::Duration;

/// The tenant's set-up, as an administrator would have made it in Webex.
#[derive(Debug, Clone)]
pub struct MockWebexSettings {
    /// The organisation, a UUID.
    pub org_id: String,
    /// The integration's client id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Where its users may be sent back to; compared as text.
    pub redirect_uris: Vec<String>,
    /// The scopes it was registered with.
    pub scopes: Vec<String>,
    /// How long access tokens live.
    pub access_life: Duration,
    /// How long refresh tokens live, from their last use.
    pub refresh_life: Duration,
    /// Whether every refresh gives another refresh token; the old one then dies with the first use of the new one.
    pub rotate: bool,
    /// Requests a minute before the API answers 429.
    pub requests_per_minute: usize,
    /// Tasks on a page of Search.
    pub page: usize,
    /// Fields that the schema of Search lacks: one of them refuses the whole query.
    pub absent_fields: Vec<String>,
    /// Where webhooks go instead of the subscription's own https address: tests listen on loopback.
    pub deliver_to: Option<String>,
    /// After how many failed deliveries in a row a subscription turns inactive.
    pub inactive_after: u32,
    /// Whether version 1 of the envelope spells the organisation's key `comciscocorgid`, as some documents do.
    pub misspelled_org_key: bool,
    /// Resources and versions that the tenant does not offer, such as `agent:1.0.0`.
    pub withdrawn: Vec<String>,
    /// How many recorded requests and refusals are kept, the newest.
    pub keep_recorded: usize,
    /// The number after which ids and tokens are numbered. A tenant that is started again needs another: else it gives
    /// those of the one before to others.
    pub numbers_after: u64,
}

impl Default for MockWebexSettings {
    fn default() -> Self {
        Self {
            org_id: "97cdbf45-ebe2-4687-8341-44d5c7abf101".into(),
            client_id: "C0123456789abcdef".into(),
            client_secret: "the-secret-of-the-integration".into(),
            redirect_uris: vec!["http://localhost:8087/callback".into()],
            scopes: vec!["cjp:config_read".into(), "cjp:config_write".into()],
            access_life: Duration::from_secs(12 * 60 * 60),
            refresh_life: Duration::from_secs(90 * 24 * 60 * 60),
            rotate: true,
            requests_per_minute: 300,
            page: 250,
            absent_fields: Vec::new(),
            deliver_to: None,
            inactive_after: 5,
            misspelled_org_key: false,
            withdrawn: Vec::new(),
            keep_recorded: 10_000,
            numbers_after: 0,
        }
    }
}
