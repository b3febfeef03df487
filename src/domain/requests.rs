//! The requests of flows: the four of the in-org wrapper and the two of the bridge's own.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    CallCenterName, CallReference, CertificateName, Continuation, FlowTime, PickedValues, VendorCallKey,
};
use crate::phone::PhoneNumber;

/// Fields that the bridge does not know: they are passed on to Salesforce unchanged, because its API grows.
pub type Rest = Map<String, Value>;

/// The contact center of a request, and the certificate that signs for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The contact center.
    pub call_center: CallCenterName,
    /// The certificate that the request names; otherwise the contact center's own is used.
    pub certificate: Option<CertificateName>,
}

/// How a call began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Initiation {
    /// A caller dialed in.
    Inbound,
    /// It continues another call.
    Transfer {
        /// The call it continues.
        parent: CallReference,
    },
}

/// A participant of the call.
#[derive(Debug, Clone)]
pub struct Participant {
    /// Their number, translated where they are the end user.
    pub key: PhoneNumber,
    /// `END_USER`, or another type that Salesforce knows.
    pub kind: String,
    /// What else the flow sent of them.
    pub rest: Rest,
}

/// createVoiceCall: a call has arrived and gets a VoiceCall.
#[derive(Debug, Clone)]
pub struct CreateVoiceCall {
    /// Who asks.
    pub origin: Origin,
    /// The key of the call.
    pub vendor_call_key: VendorCallKey,
    /// The dialed number (DNIS), translated.
    pub to: PhoneNumber,
    /// The caller's number (ANI), translated.
    pub from: PhoneNumber,
    /// How it came to be.
    pub initiation: Initiation,
    /// The reference to an earlier call under its own key, where it names no VoiceCall.
    pub continues: Continuation,
    /// The queue it goes to; Salesforce reads it with a transfer only.
    pub queue: Option<String>,
    /// When it began.
    pub start_time: FlowTime,
    /// Who takes part; at least one.
    pub participants: Vec<Participant>,
    /// A string that holds a JSON object, field name to value.
    pub call_attributes: Option<String>,
    /// What else the flow sent.
    pub rest: Rest,
    /// The values at the paths of the configured attributes.
    pub picked: PickedValues,
}

/// Why a call ended. Salesforce wants both keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DisconnectReason {
    /// Free text.
    pub value: String,
    /// Whether the end was a fault.
    pub is_error: bool,
}

/// updateVoiceCall: times and fields of a call. Without `is_active_call = true` it ends the call in Salesforce.
#[derive(Debug, Clone)]
pub struct UpdateVoiceCall {
    /// Who asks.
    pub origin: Origin,
    /// Which call; the vendor's flow names none after a create that failed.
    pub call: Option<CallReference>,
    /// When it began.
    pub start_time: Option<FlowTime>,
    /// When it ended; Salesforce computes the duration only if both are sent.
    pub end_time: Option<FlowTime>,
    /// When it entered the queue.
    pub enqueue_time: Option<FlowTime>,
    /// When an agent accepted it.
    pub accept_time: Option<FlowTime>,
    /// The caller's number, translated.
    pub from_number: Option<PhoneNumber>,
    /// Why it ended.
    pub disconnect_reason: Option<DisconnectReason>,
    /// A string that holds a JSON object, field name to value.
    pub call_attributes: Option<String>,
    /// Everything else, counters and durations checked and as numbers.
    pub rest: Rest,
    /// The values at the paths of the configured attributes.
    pub picked: PickedValues,
}

/// executeOmniFlow: asks the Omni-Channel flow for a queue or an agent; leaves a PendingServiceRouting behind.
#[derive(Debug, Clone)]
pub struct ExecuteOmniFlow {
    /// Who asks.
    pub origin: Origin,
    /// Which call.
    pub call: CallReference,
    /// The dialed number, translated: it picks the phone channel.
    pub dialed_number: PhoneNumber,
    /// Flow, fallback queue, input parameters and what else the flow sent.
    pub rest: Rest,
    /// The values at the paths of the configured attributes.
    pub picked: PickedValues,
}

/// The result of an Omni-Channel flow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The queue, if it chose one.
    pub queue: Option<String>,
    /// The agent, if it chose one.
    pub agent: Option<String>,
}

/// clearRouting: the caller does not wait any more, and the PendingServiceRouting is removed.
#[derive(Debug, Clone)]
pub struct ClearRouting {
    /// Who asks.
    pub origin: Origin,
    /// Which call; the vendor's flow names none after a create that failed.
    pub call: Option<CallReference>,
}

/// phoneContactEnded: the caller has hung up. The bridge decides whether the call was abandoned.
#[derive(Debug, Clone)]
pub struct PhoneContactEnded {
    /// Who asks.
    pub origin: Origin,
    /// The key of the call.
    pub vendor_call_key: VendorCallKey,
    /// Its record, if the flow knows it.
    pub voice_call: Option<CallReference>,
    /// When it began.
    pub start_time: Option<FlowTime>,
    /// When it ended.
    pub end_time: FlowTime,
    /// When it entered the queue, if that is known; flows do not send it.
    pub enqueue_time: Option<FlowTime>,
    /// The last agent. If there is one, the call was answered.
    pub agent: Option<String>,
    /// The reason to send if it was abandoned; left out means the configured one.
    pub disconnect_reason: Option<DisconnectReason>,
    /// A string that holds a JSON object, field name to value.
    pub call_attributes: Option<String>,
    /// The caller's number, translated; only for a call that was never created.
    pub from: Option<PhoneNumber>,
    /// The dialed number, translated; only for a call that was never created.
    pub to: Option<PhoneNumber>,
    /// Further fields of the final update; flows send none.
    pub rest: Rest,
    /// The values at the paths of the configured attributes.
    pub picked: PickedValues,
}

/// agentAnswered: an agent has accepted the call.
#[derive(Debug, Clone)]
pub struct AgentAnswered {
    /// Who asks.
    pub origin: Origin,
    /// The key of the call.
    pub vendor_call_key: VendorCallKey,
    /// The agent's id in Webex.
    pub agent: Option<String>,
    /// The queue's id in Webex.
    pub queue: Option<String>,
    /// When the agent accepted; left out means now.
    pub accept_time: FlowTime,
    /// The values at the paths of the configured attributes.
    pub picked: PickedValues,
}
