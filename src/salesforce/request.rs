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

/// A request before it is spelled for one of the ways.
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
    /// Any of them, kept for later.
    Restored(&'a RestoredRequest),
}

impl SalesforceRequest<'_> {
    /// What kind of request it is.
    pub fn operation(&self) -> Operation {
        match self {
            Self::Create(_) => Operation::Create,
            Self::Update(..) => Operation::Update,
            Self::OmniFlow(_) => Operation::OmniFlow,
            Self::ClearRouting(..) => Operation::ClearRouting,
            Self::Restored(kept) => kept.operation,
        }
    }

    /// Who asks.
    pub fn origin(&self) -> &Origin {
        match self {
            Self::Create(request) => &request.origin,
            Self::Update(_, request) => &request.origin,
            Self::OmniFlow(request) => &request.origin,
            Self::ClearRouting(_, origin) => origin,
            Self::Restored(kept) => &kept.origin,
        }
    }

    /// Which call; `None` for a create.
    pub fn call(&self) -> Option<&CallReference> {
        match self {
            Self::Create(_) => None,
            Self::Update(call, _) | Self::ClearRouting(call, _) => Some(call),
            Self::OmniFlow(request) => Some(&request.call),
            Self::Restored(kept) => kept.call.as_ref(),
        }
    }
}

/// A request that outlives the process that took it. It holds numbers: keep it no longer than it is needed.
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
    /// What is asked.
    pub operation: Operation,
    /// Who asks.
    pub origin: Origin,
    /// Which call; `None` for a create.
    pub call: Option<CallReference>,
    /// Whether it is to be sent only if no agent has had the call.
    pub unless_answered: bool,
    /// Whether it is to be sent only if the call's final update was: it takes back what that said.
    pub if_ended: bool,
    /// The fields, without those that one of the ways adds.
    pub body: Map<String, Value>,
}

/// The body stays hidden: it holds numbers.
impl fmt::Debug for RestoredRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept")
            .field("operation", &self.operation)
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

impl StoredRequest {
    /// What is to be kept of a request.
    pub fn of(ask: SalesforceRequest<'_>) -> Self {
        let none = BodyAddress::default();
        let (call, body) = match ask {
            SalesforceRequest::Create(request) => (None, fields(&CreatePayload::new(none, request))),
            SalesforceRequest::Update(call, request) => {
                (Some(call), fields(&UpdatePayload::new(none, request)))
            }
            SalesforceRequest::OmniFlow(request) => {
                (Some(&request.call), fields(&OmniFlowPayload::new(none, request)))
            }
            SalesforceRequest::ClearRouting(call, _) => (Some(call), Map::new()),
            SalesforceRequest::Restored(kept) => (kept.call.as_ref(), kept.body.clone()),
        };
        let origin = ask.origin();
        let unless_answered = matches!(ask, SalesforceRequest::Restored(kept) if kept.unless_answered);
        let if_ended = matches!(ask, SalesforceRequest::Restored(kept) if kept.if_ended);
        Self {
            call_center: origin.call_center.to_string(),
            certificate: origin.certificate.as_ref().map(ToString::to_string),
            call: call.map(ToString::to_string),
            unless_answered,
            if_ended,
            body,
        }
    }

    /// The same, to be sent only if no agent has had the call: when its turn comes, that is asked again.
    #[must_use]
    pub fn unless_answered(self, unless_answered: bool) -> Self {
        Self { unless_answered, ..self }
    }

    /// The same, to be sent only if the call's final update was.
    #[must_use]
    pub fn if_ended(self, if_ended: bool) -> Self {
        Self { if_ended, ..self }
    }

    /// The request it was.
    ///
    /// # Errors
    /// When a name in it is none: somebody else has written here.
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
    /// What a create says, as an update under its key in the middle of the call: for a record that is there already.
    /// `None` if it has no key.
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

    /// An update, with what it does not say of a call and `create` does.
    #[must_use]
    pub fn completed_by(mut self, create: &Self) -> Self {
        for (name, says) in [
            ("fromNumber", "from"),
            ("toNumber", "to"),
            ("startTime", "startTime"),
            ("callAttributes", "callAttributes"),
        ] {
            if let Some(value) = create.body.get(says).filter(|_| !self.body.contains_key(name)) {
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
        let kept = |stored: &StoredRequest| -> RestoredRequest {
            let json = serde_json::to_string(stored).unwrap();
            serde_json::from_str::<StoredRequest>(&json).unwrap().read(Operation::ClearRouting).unwrap()
        };
        let stored = StoredRequest::of(SalesforceRequest::ClearRouting(&call, &origin));
        assert!(!kept(&stored).unless_answered);
        let guarded = kept(&stored.unless_answered(true));
        assert!(guarded.unless_answered);
        assert!(kept(&StoredRequest::of(SalesforceRequest::Restored(&guarded))).unless_answered);
        let taking_back = kept(&StoredRequest::of(SalesforceRequest::Restored(&guarded)).if_ended(true));
        assert!(taking_back.if_ended && !guarded.if_ended);
        assert!(kept(&StoredRequest::of(SalesforceRequest::Restored(&taking_back))).if_ended);
        let old: StoredRequest =
            serde_json::from_str(r#"{"callCenter":"Sales","call":"wxcc_1","body":{}}"#).unwrap();
        assert!(!old.read(Operation::ClearRouting).unwrap().unless_answered);
    }
}
