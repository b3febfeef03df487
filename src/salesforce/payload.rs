//! Request bodies as Salesforce spells them.

use bytes::Bytes;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use crate::domain::{
    CreateVoiceCall, DisconnectReason, ExecuteOmniFlow, FlowTime, Initiation, Participant, Rest,
    UpdateVoiceCall,
};
use crate::phone::PhoneNumber;

/// How the body names the contact center and, for the Apex wrapper, the call and the certificate.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BodyAddress<'a> {
    /// For the telephony API, create only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_center_api_name: Option<&'a str>,
    /// For the Apex wrapper.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call_center_dev_name: Option<&'a str>,
    /// For the Apex wrapper: a certificate stored in the org.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_dev_name: Option<&'a str>,
    /// For the Apex wrapper: the call, by id or key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voice_call_id: Option<&'a str>,
}

/// The body of a create.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatePayload<'a> {
    #[serde(flatten)]
    address: BodyAddress<'a>,
    vendor_call_key: &'a str,
    #[serde(serialize_with = "number")]
    to: &'a PhoneNumber,
    #[serde(serialize_with = "number")]
    from: &'a PhoneNumber,
    initiation_method: &'static str,
    start_time: FlowTime,
    #[serde(serialize_with = "people")]
    participants: &'a [Participant],
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_voice_call_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_attributes: Option<&'a str>,
    #[serde(flatten)]
    rest: &'a Rest,
}

impl<'a> CreatePayload<'a> {
    /// Of a request, under an address.
    pub fn new(address: BodyAddress<'a>, request: &'a CreateVoiceCall) -> Self {
        let (initiation_method, parent, queue) = match &request.initiation {
            Initiation::Inbound => ("Inbound", None, None),
            Initiation::Transfer { parent } => ("Transfer", Some(parent.as_ref()), request.queue.as_deref()),
        };
        Self {
            address,
            vendor_call_key: request.vendor_call_key.as_ref(),
            to: &request.to,
            from: &request.from,
            initiation_method,
            start_time: request.start_time,
            participants: &request.participants,
            parent_voice_call_id: parent,
            queue,
            call_attributes: request.call_attributes.as_deref(),
            rest: &request.rest,
        }
    }
}

/// The body of an update.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UpdatePayload<'a> {
    #[serde(flatten)]
    address: BodyAddress<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_time: Option<FlowTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<FlowTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enqueue_time: Option<FlowTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accept_time: Option<FlowTime>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional_number")]
    from_number: Option<&'a PhoneNumber>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disconnect_reason: Option<&'a DisconnectReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    call_attributes: Option<&'a str>,
    #[serde(flatten)]
    rest: &'a Rest,
}

impl<'a> UpdatePayload<'a> {
    /// Of a request, under an address.
    pub fn new(address: BodyAddress<'a>, request: &'a UpdateVoiceCall) -> Self {
        Self {
            address,
            start_time: request.start_time,
            end_time: request.end_time,
            enqueue_time: request.enqueue_time,
            accept_time: request.accept_time,
            from_number: request.from_number.as_ref(),
            disconnect_reason: request.disconnect_reason.as_ref(),
            call_attributes: request.call_attributes.as_deref(),
            rest: &request.rest,
        }
    }
}

/// The body of an omni flow.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OmniFlowPayload<'a> {
    #[serde(flatten)]
    address: BodyAddress<'a>,
    #[serde(serialize_with = "number")]
    dialed_number: &'a PhoneNumber,
    #[serde(flatten)]
    rest: &'a Rest,
}

impl<'a> OmniFlowPayload<'a> {
    /// Of a request, under an address.
    pub fn new(address: BodyAddress<'a>, request: &'a ExecuteOmniFlow) -> Self {
        Self { address, dialed_number: &request.dialed_number, rest: &request.rest }
    }
}

/// The body of a stored request.
#[derive(Serialize)]
pub struct RestoredPayload<'a> {
    /// Contact center, certificate and call.
    #[serde(flatten)]
    pub address: BodyAddress<'a>,
    /// The fields.
    #[serde(flatten)]
    pub body: &'a Rest,
}

/// A body as bytes. No body can fail to serialize; Salesforce would refuse an empty one.
pub fn bytes(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body).unwrap_or_default().into()
}

fn number<S: Serializer>(number: &PhoneNumber, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(number.expose())
}

fn optional_number<S: Serializer>(number: &Option<&PhoneNumber>, serializer: S) -> Result<S::Ok, S::Error> {
    number.map(PhoneNumber::expose).serialize(serializer)
}

fn people<S: Serializer>(people: &[Participant], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Person<'a> {
        participant_key: &'a str,
        r#type: &'a str,
        #[serde(flatten)]
        rest: &'a Rest,
    }
    let mut list = serializer.serialize_seq(Some(people.len()))?;
    for person in people {
        let (participant_key, r#type, rest) = (person.key.expose(), person.kind.as_str(), &person.rest);
        list.serialize_element(&Person { participant_key, r#type, rest })?;
    }
    list.end()
}
