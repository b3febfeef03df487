//! What kind of org the mock is: who may call it, how strict it is, what it answers.

use std::collections::HashMap;
use std::time::Duration;

/// The org's set-up, as an administrator would have made it in Salesforce.
#[derive(Debug, Clone)]
pub struct MockOrgSettings {
    /// The org's id, 15 or 18 characters: `iss` of telephony tokens.
    pub org_id: String,
    /// API names of the contact centers: allowed `sub` of telephony tokens, allowed `callCenterDevName`.
    pub call_centers: Vec<String>,
    /// The X.509 certificate, PEM: *Telephony Integration Certificate* and the connected app's certificate.
    pub certificate_pem: Vec<u8>,
    /// What `Telephony-Provider-Name` must say.
    pub provider_name: String,
    /// The connected app's consumer key: `iss` of the OAuth assertion.
    pub consumer_key: String,
    /// The pre-authorised user: `sub` of the OAuth assertion.
    pub username: String,
    /// Accepted `aud` of the OAuth assertion. The org's own URL (its My Domain) is always accepted.
    pub login_audiences: Vec<String>,
    /// Required `aud` of telephony tokens; `None` accepts any and none.
    pub audience: Option<String>,
    /// Longest accepted life of a telephony token, `exp - iat`.
    pub max_token_life: Duration,
    /// How long an OAuth session lives; `None`: until it is revoked.
    pub session_life: Option<Duration>,
    /// Path before the four Apex operations.
    pub apex_prefix: String,
    /// Names of the certificates stored in the org: allowed `certDevName`.
    pub known_certificates: Vec<String>,
    /// Phone channels by dialed number. A channel's answer wins over the request's fallback queue.
    pub phone_channels: HashMap<String, PhoneChannel>,
    /// Where an Omni-Channel flow ends that names no fallback queue. `None`: it fails (2xx with `errors`).
    pub default_queue: Option<String>,
    /// What a second create with the same vendorCallKey does.
    pub repeated_create: RepeatedCreate,
    /// Whether an update that creates the record must bring every field a record needs (documents only hint at
    /// it). If not, what was missing is listed in the record.
    pub upsert_needs_every_field: bool,
    /// Creates a second before the org answers 429; `None`: no limit.
    pub creates_per_second: Option<usize>,
    /// Whether requests are recorded. Refusals always are.
    pub record: bool,
    /// How many recorded requests and refusals are kept, the newest.
    pub keep_recorded: usize,
    /// How many VoiceCalls are kept, the newest.
    pub keep_voice_calls: usize,
    /// The number from which ids of records and sessions are made. An org that is started again beside a bridge that knows
    /// the ids of the one before needs another: else it gives them to other calls.
    pub first_record: u64,
    /// `false` checks a telephony token once and believes the same text until it expires: for measurements.
    pub verify_every_token: bool,
    /// Threads of the HTTP server.
    pub workers: usize,
}

/// A phone channel of Omni-Channel: what its flow decides for a dialed number.
#[derive(Debug, Clone, Default)]
pub struct PhoneChannel {
    /// Queue the flow routes to.
    pub queue: Option<String>,
    /// Agent the flow routes to.
    pub agent: Option<String>,
}

/// What a second create with the same vendorCallKey does. Older documents promise the same id again, current ones are
/// silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatedCreate {
    /// A second VoiceCall: the worst case, hence the default.
    SecondRecord,
    /// The id of the first.
    SameId,
    /// 400.
    Refused,
}

impl MockOrgSettings {
    /// The org of the example configuration, with this certificate.
    #[must_use]
    pub fn example(certificate_pem: impl Into<Vec<u8>>) -> Self {
        Self {
            org_id: "00D000000000001EAA".into(),
            call_centers: vec!["WxCCContactCenterSCV".into(), "Sandbox".into()],
            certificate_pem: certificate_pem.into(),
            provider_name: "webex-contact-center".into(),
            consumer_key: "3MVG9example.consumer.key".into(),
            username: "scv.integration@example.com".into(),
            login_audiences: vec![
                "https://login.salesforce.com".into(),
                "https://test.salesforce.com".into(),
            ],
            audience: None,
            max_token_life: Duration::from_secs(24 * 60 * 60),
            session_life: None,
            apex_prefix: "/services/apexrest/cisco_wxcc_scv/voice/v1".into(),
            known_certificates: vec!["WebexCCSCV".into()],
            phone_channels: HashMap::new(),
            default_queue: Some("Service".into()),
            repeated_create: RepeatedCreate::SecondRecord,
            upsert_needs_every_field: false,
            creates_per_second: Some(50),
            record: true,
            keep_recorded: 10_000,
            keep_voice_calls: 100_000,
            first_record: 1,
            verify_every_token: true,
            workers: 1,
        }
    }
}
