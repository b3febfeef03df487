//! The org over real sockets, called by a client that signs its own tokens.

mod apex;
mod bad_days;
mod bodies;
mod calls;
pub(crate) mod clock;
mod pages;
mod query;
mod routing;
mod tokens;

use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::asn1::Asn1Time;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::x509::{X509, X509NameBuilder};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use self::clock::ManualClock;
use super::{MockOrg, MockOrgSettings};

const CENTER: &str = "WxCCContactCenterSCV";

/// A key and its certificate: making one takes longer than a test.
fn credentials() -> &'static (PKey<Private>, Vec<u8>) {
    static CREDENTIALS: OnceLock<(PKey<Private>, Vec<u8>)> = OnceLock::new();
    CREDENTIALS.get_or_init(|| {
        let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        name.append_entry_by_text("CN", "WebexCCSCV").unwrap();
        let name = name.build();
        let mut certificate = X509::builder().unwrap();
        certificate.set_subject_name(&name).unwrap();
        certificate.set_issuer_name(&name).unwrap();
        certificate.set_pubkey(&key).unwrap();
        certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        certificate.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        certificate.sign(&key, MessageDigest::sha256()).unwrap();
        (key, certificate.build().to_pem().unwrap())
    })
}

fn sign_with(key: &PKey<Private>, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let mut signer = Signer::new(MessageDigest::sha256(), key).unwrap();
    let signature = signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn sign(claims: &Value) -> String {
    sign_with(&credentials().0, &json!({ "alg": "RS256", "typ": "JWT" }), claims)
}

/// An org and someone who calls it.
struct Caller {
    org: MockOrg,
    clock: Arc<ManualClock>,
    http: reqwest::Client,
}

/// A status and a body: JSON, or null where there was none.
type Answered = (u16, Value);

impl Caller {
    async fn new() -> Self {
        Self::of(|_| {}).await
    }

    async fn of(adjust: impl FnOnce(&mut MockOrgSettings)) -> Self {
        let mut settings = MockOrgSettings::example(credentials().1.clone());
        adjust(&mut settings);
        let clock = Arc::new(ManualClock::new("2026-11-21T10:00:00.250Z".parse().unwrap()));
        let shared = clock.clone();
        let org =
            MockOrg::start(settings, "127.0.0.1:0".parse().unwrap(), move || shared.now()).await.unwrap();
        Self { org, clock, http: reqwest::Client::new() }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_second()
    }

    /// Claims the org accepts.
    fn claims(&self) -> Value {
        let now = self.now();
        json!({ "iss": "00D000000000001EAA", "sub": CENTER, "iat": now, "exp": now + 180 })
    }

    /// A request of the telephony API as it should be.
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.org.telephony_url()))
            .header("authorization", format!("Bearer {}", sign(&self.claims())))
            .header("content-type", "application/json")
            .header("telephony-provider-name", "webex-contact-center")
    }

    async fn post(&self, path: &str, body: &Value) -> Answered {
        answered(self.request(Method::POST, path).body(body.to_string())).await
    }

    async fn patch(&self, path: &str, body: &Value) -> Answered {
        answered(self.request(Method::PATCH, path).body(body.to_string())).await
    }

    /// Creates a VoiceCall and tells its id.
    async fn create(&self, key: &str) -> String {
        let (status, body) = self.post("/voiceCalls", &create_body(key)).await;
        assert_eq!(status, 201, "{body}");
        body["voiceCallId"].as_str().unwrap().to_owned()
    }
}

async fn answered(request: RequestBuilder) -> Answered {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_default())
}

fn create_body(key: &str) -> Value {
    json!({
        "callCenterApiName": CENTER,
        "vendorCallKey": key,
        "to": "+14693150000",
        "from": "+14693150217",
        "initiationMethod": "Inbound",
        "startTime": "2026-11-21T10:00:00.000Z",
        "participants": [{ "participantKey": "+14693150217", "type": "END_USER" }],
        "callAttributes": "{\"Service__c\":\"New Lead\"}",
    })
}

/// `body` with `field` set, or taken out where the value is null.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    let fields = body.as_object_mut().unwrap();
    fields.remove(field);
    if !value.is_null() {
        fields.insert(field.into(), value);
    }
    body
}

#[test]
fn an_org_starts_from_a_plain_thread_with_a_runtime_of_its_own() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let caller = Caller::new().await;
        caller.create("wxcc_1").await;
        caller.org.stop().await;
    });
}

#[actix_web::test]
async fn an_org_without_a_certificate_does_not_start() {
    let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
    let settings = MockOrgSettings::example("no certificate");
    let refused =
        MockOrg::start(settings, "127.0.0.1:0".parse().unwrap(), move || clock.now()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::InvalidInput);
}
