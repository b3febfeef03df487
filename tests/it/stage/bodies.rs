//! The least that each route takes.

use serde_json::{Value, json};

/// The contact center of the vendor's flow.
pub const CENTER: &str = "WxCCContactCenterSCV";

/// createVoiceCall.
pub fn create(key: &str) -> Value {
    json!({
        "callCenterDevName": CENTER,
        "vendorCallKey": key,
        "to": "+18005550100",
        "from": "+14693150217",
        "initiationMethod": "Inbound",
        "startTime": "2026-11-21T10:00:00.123Z",
        "participants": [{ "participantKey": "+14693150217", "type": "END_USER" }],
    })
}

/// updateVoiceCall and clearRouting: which call.
pub fn reference(call: &str) -> Value {
    json!({ "callCenterDevName": CENTER, "voiceCallId": call })
}

/// executeOmniFlow.
pub fn omni_flow(call: &str) -> Value {
    with(reference(call), json!({ "dialedNumber": "+18005550100" }))
}

/// phoneContactEnded.
pub fn ended(key: &str) -> Value {
    json!({ "callCenterDevName": CENTER, "vendorCallKey": key, "startTime": "2026-11-21T09:59:00Z" })
}

/// The body with these fields set; those that are null here are taken out.
pub fn with(mut body: Value, fields: Value) -> Value {
    let object = body.as_object_mut().unwrap();
    let Value::Object(fields) = fields else { unreachable!("fields are an object") };
    for (name, value) in fields {
        if value.is_null() {
            object.remove(&name);
        } else {
            object.insert(name, value);
        }
    }
    body
}

/// A body as it goes out: JSON, or whatever a flow makes of it.
pub struct Text(pub String);

impl From<Value> for Text {
    fn from(body: Value) -> Self {
        Self(body.to_string())
    }
}

impl From<String> for Text {
    fn from(body: String) -> Self {
        Self(body)
    }
}

impl From<&str> for Text {
    fn from(body: &str) -> Self {
        Self(body.to_owned())
    }
}
