//! The four requests to Salesforce, whichever API takes them; and as they are stored for later.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Operation;
use super::payload::{BodyAddress, CreatePayload, OmniFlowPayload, UpdatePayload};
use crate::domain::{
    CallCenterName, CallReference, CertificateName, CreateVoiceCall, ExecuteOmniFlow, InvalidName, Origin,
    UpdateVoiceCall, VendorCallKey,
};

/// A request before it is encoded for one of the APIs.
#[derive(Debug, Clone, Copy)]
pub enum SalesforceRequest<'a> {
    /// createVoiceCall.
    Create(&'a CreateVoiceCall),
    /// updateVoiceCall.
    Update(&'a CallReference, &'a UpdateVoiceCall),
    /// executeOmniFlow.
    OmniFlow(&'a ExecuteOmniFlow),
    /// clearRouting.
    ClearRouting(&'a CallReference, &'a Origin),
    /// Any of them, read from the outbox.
    Restored(&'a RestoredRequest),
}

impl SalesforceRequest<'_> {
    /// The operation.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::Update(..) => Operation::Update,
            Self::OmniFlow(_) => Operation::OmniFlow,
            Self::ClearRouting(..) => Operation::ClearRouting,
            Self::Restored(restored) => restored.operation,
        }
    }

    /// The contact center and the certificate.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Create(request) => &request.origin,
            Self::Update(_, request) => &request.origin,
            Self::OmniFlow(request) => &request.origin,
            Self::ClearRouting(_, origin) => origin,
            Self::Restored(restored) => &restored.origin,
        }
    }

    /// The call; `None` for a create.
    pub fn call(&self) -> Option<&CallReference> {
        match self {
            Self::Create(_) => None,
            Self::Update(call, _) | Self::ClearRouting(call, _) => Some(call),
            Self::OmniFlow(request) => Some(&request.call),
            Self::Restored(restored) => restored.call.as_ref(),
        }
    }
}

/// A request as it is stored for later: JSON, but encoded for neither API. It contains phone numbers: it is deleted as
/// soon as it is not needed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredRequest {
    call_center: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    unless_answered: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    if_ended: bool,
    body: Map<String, Value>,
}

/// A stored request, read again.
#[derive(Clone)]
pub struct RestoredRequest {
    /// The operation.
    pub operation: Operation,
    /// The contact center and the certificate.
    pub origin: Origin,
    /// The call; `None` for a create.
    pub call: Option<CallReference>,
    /// Whether it is sent only if no agent has had the call.
    pub unless_answered: bool,
    /// Whether it is sent only if the call's final update was: it corrects that one.
    pub if_ended: bool,
    /// The fields, without those that one of the APIs adds.
    pub body: Map<String, Value>,
}

/// The body stays hidden: it contains phone numbers.
impl fmt::Debug for RestoredRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RestoredRequest")
            .field("operation", &self.operation)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

impl StoredRequest {
    /// The stored form of a request.
    pub fn of(request: SalesforceRequest<'_>) -> Self {
        let none = BodyAddress::default();
        let (call, body) = match request {
            SalesforceRequest::Create(request) => (None, fields(&CreatePayload::new(none, request))),
            SalesforceRequest::Update(call, request) => {
                (Some(call), fields(&UpdatePayload::new(none, request)))
            }
            SalesforceRequest::OmniFlow(request) => {
                (Some(&request.call), fields(&OmniFlowPayload::new(none, request)))
            }
            SalesforceRequest::ClearRouting(call, _) => (Some(call), Map::new()),
            SalesforceRequest::Restored(restored) => (restored.call.as_ref(), restored.body.clone()),
        };
        let origin = request.origin();
        let unless_answered =
            matches!(request, SalesforceRequest::Restored(restored) if restored.unless_answered);
        let if_ended = matches!(request, SalesforceRequest::Restored(restored) if restored.if_ended);
        Self {
            call_center: origin.call_center.to_string(),
            certificate: origin.certificate.as_ref().map(ToString::to_string),
            call: call.map(ToString::to_string),
            unless_answered,
            if_ended,
            body,
        }
    }

    /// The same, sent only if no agent has had the call: that is checked again when it is due.
    #[must_use]
    pub fn unless_answered(self, unless_answered: bool) -> Self {
        Self { unless_answered, ..self }
    }

    /// The same, sent only if the call's final update was.
    #[must_use]
    pub fn if_ended(self, if_ended: bool) -> Self {
        Self { if_ended, ..self }
    }

    /// The request.
    ///
    /// # Errors
    /// When a name in it is invalid: it was not written by the bridge.
    pub fn read(self, operation: Operation) -> Result<RestoredRequest, InvalidName> {
        Ok(RestoredRequest {
            operation,
            origin: Origin {
                call_center: CallCenterName::parse(self.call_center)?,
                certificate: self.certificate.map(CertificateName::parse).transpose()?,
            },
            call: self.call.map(CallReference::parse).transpose()?,
            unless_answered: self.unless_answered,
            if_ended: self.if_ended,
            body: self.body,
        })
    }
}

impl RestoredRequest {
    /// A create as an update under its key in the middle of the call: for a VoiceCall that exists already. `None` if it
    /// has no key.
    pub fn to_update(&self) -> Option<Self> {
        let text = |name: &str| self.body.get(name).and_then(Value::as_str);
        let key = VendorCallKey::parse(text("vendorCallKey")?).ok()?;
        let method = text("initiationMethod").unwrap_or("Inbound").to_uppercase();
        let mut body = Map::new();
        body.insert("callCenterApiName".into(), self.origin.call_center.as_ref().into());
        body.insert("initiationMethod".into(), method.into());
        body.insert("isActiveCall".into(), true.into());
        let update = Self {
            operation: Operation::Update,
            origin: self.origin.clone(),
            call: Some(CallReference::Key(key)),
            unless_answered: false,
            if_ended: false,
            body,
        };
        Some(update.completed_by(self))
    }

    /// An update, with the fields that it lacks and `create` has.
    #[must_use]
    pub fn completed_by(mut self, create: &Self) -> Self {
        for (name, create_name) in [
            ("fromNumber", "from"),
            ("toNumber", "to"),
            ("startTime", "startTime"),
            ("callAttributes", "callAttributes"),
        ] {
            if let Some(value) = create.body.get(create_name).filter(|_| !self.body.contains_key(name)) {
                self.body.insert(name.into(), value.clone());
            }
        }
        self
    }
}

fn fields(body: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(body) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_something_is_sent_only_without_an_agent_is_kept_with_it_and_old_entries_go_on() {
        let origin = Origin { call_center: CallCenterName::parse("Sales").unwrap(), certificate: None };
        let call = CallReference::parse("wxcc_1").unwrap();
        let restored = |stored: &StoredRequest| -> RestoredRequest {
            let json = serde_json::to_string(stored).unwrap();
            serde_json::from_str::<StoredRequest>(&json).unwrap().read(Operation::ClearRouting).unwrap()
        };
        let stored = StoredRequest::of(SalesforceRequest::ClearRouting(&call, &origin));
        assert!(!restored(&stored).unless_answered);
        let guarded = restored(&stored.unless_answered(true));
        assert!(guarded.unless_answered);
        assert!(restored(&StoredRequest::of(SalesforceRequest::Restored(&guarded))).unless_answered);
        let taking_back = restored(&StoredRequest::of(SalesforceRequest::Restored(&guarded)).if_ended(true));
        assert!(taking_back.if_ended && !guarded.if_ended);
        assert!(restored(&StoredRequest::of(SalesforceRequest::Restored(&taking_back))).if_ended);
        let old: StoredRequest =
            serde_json::from_str(r#"{"callCenter":"Sales","call":"wxcc_1","body":{}}"#).unwrap();
        assert!(!old.read(Operation::ClearRouting).unwrap().unless_answered);
    }
}
