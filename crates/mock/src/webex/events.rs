//! Webhooks as Webex sends them: the envelope, in both versions, and its signature.

use std::collections::BTreeMap;

use jiff::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::{Map, Value, json};

/// Something that happened in the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id: the same in every copy.
    pub id: String,
    /// `task:connected`
    pub kind: String,
    /// What the event tells.
    pub data: Map<String, Value>,
}

impl Event {
    /// An event; `data` is an object.
    #[must_use]
    pub fn new(id: impl Into<String>, kind: impl Into<String>, data: Value) -> Self {
        let data = if let Value::Object(data) = data { data } else { Map::new() };
        Self { id: id.into(), kind: kind.into(), data }
    }
}

/// How an envelope is written.
#[derive(Debug, Clone)]
pub struct Envelope {
    /// The organisation.
    pub org_id: String,
    /// The subscription it is for.
    pub subscription: String,
    /// 2 adds timestamp and version.
    pub version: u8,
    /// Spells the organisation's key as some documents do.
    pub misspelled_org_key: bool,
    /// What signs it.
    pub secret: Option<String>,
}

/// A webhook ready to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Headers besides the content type.
    pub headers: BTreeMap<&'static str, String>,
    /// The raw body that was signed.
    pub body: String,
}

impl Envelope {
    /// Writes and signs an event that leaves at `now`.
    #[must_use]
    pub fn webhook(&self, event: &Event, now: Timestamp) -> Webhook {
        let org_key = if self.misspelled_org_key { "comciscocorgid" } else { "comciscoorgid" };
        let mut body = json!({
            "id": event.id,
            "specversion": "1.0",
            "type": event.kind,
            "source": format!("/com/cisco/wxcc/{}", self.subscription),
            org_key: self.org_id,
            "datacontenttype": "application/json",
            "data": event.data,
        });
        let mut headers = BTreeMap::new();
        if self.version >= 2 {
            let at = now.as_millisecond();
            if let Some(body) = body.as_object_mut() {
                body.insert("comciscotimestamp".into(), at.into());
            }
            headers.insert("X-WebexCC-Timestamp", at.to_string());
            headers.insert("X-WebexCC-Webhook-Version", "2".to_owned());
        }
        let body = body.to_string();
        if let Some(signature) = self.secret.as_ref().and_then(|secret| sign(secret, body.as_bytes())) {
            headers.insert("X-WebexCC-Signature", signature);
        }
        Webhook { headers, body }
    }
}

/// Lower-case hexadecimal HMAC-SHA256.
fn sign(secret: &str, body: &[u8]) -> Option<String> {
    let key = PKey::hmac(secret.as_bytes()).ok()?;
    let mut signer = Signer::new(MessageDigest::sha256(), &key).ok()?;
    let signature = signer.sign_oneshot_to_vec(body).ok()?;
    Some(signature.iter().map(|byte| format!("{byte:02x}")).collect())
}
