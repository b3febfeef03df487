//! The requests of flows: the four of the in-org wrapper and the two of the bridge's own.

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    CallCenterName, CallReference, CertificateName, Continuation, FlowTime, PickedValues, VendorCallKey,
};
use crate::phone::PhoneNumber;

/// Fields that we do not know: they travel on to Salesforce unchanged, because its API grows.
pub type Rest = Map<String, Value>;

/// Who asks, and in whose name it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The contact center.
    pub call_center: CallCenterName,
    /// The certificate that the request names; otherwise the contact center's own is used.
    pub certificate: Option<CertificateName>,
}

/// How a call came to be.
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

/// Somebody in the call.
#[derive(Debug, Clone)]
pub struct Participant {
    /// Their number, translated where they are the end user.
    pub key: PhoneNumber,
    /// `END_USER`, or what else Salesforce may know.
    pub kind: String,
    /// What else the flow sent of them.
    pub rest: Rest,
}

/// createVoiceCall: a call has arrived and gets a record.
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
    /// What it says of an earlier call under its own key, without naming a VoiceCall.
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
    /// What it tells at the paths from which fields are filled.
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

/// updateVoiceCall: what has become of a call. Without `is_active_call = true` it ends the call in Salesforce.
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
    /// What it tells at the paths from which fields are filled.
    pub picked: PickedValues,
}

/// executeOmniFlow: asks the Omni-Channel flow where the call shall go; leaves a PendingServiceRouting behind.
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
    /// What it tells at the paths from which fields are filled.
    pub picked: PickedValues,
}

/// Where the Omni-Channel flow sends a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The queue, if it chose one.
    pub queue: Option<String>,
    /// The agent, if it chose one.
    pub agent: Option<String>,
}

/// clearRouting: nobody waits any more, the PendingServiceRouting is to go.
#[derive(Debug, Clone)]
pub struct ClearRouting {
    /// Who asks.
    pub origin: Origin,
    /// Which call; the vendor's flow names none after a create that failed.
    pub call: Option<CallReference>,
}

/// phoneContactEnded: the caller is gone. Whether the call was abandoned is ours to decide.
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
    /// When it entered the queue, if that is known; flows do not tell.
    pub enqueue_time: Option<FlowTime>,
    /// The last agent; named means answered.
    pub agent: Option<String>,
    /// The reason to send if it was abandoned; left out means the configured one.
    pub disconnect_reason: Option<DisconnectReason>,
    /// A string that holds a JSON object, field name to value.
    pub call_attributes: Option<String>,
    /// The caller's number, translated; only for a call that was never created.
    pub from: Option<PhoneNumber>,
    /// The dialed number, translated; only for a call that was never created.
    pub to: Option<PhoneNumber>,
    /// What else the final update is to say; flows do not tell.
    pub rest: Rest,
    /// What it tells at the paths from which fields are filled.
    pub picked: PickedValues,
}

/// agentAnswered: an agent took the call.
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
    /// What it tells at the paths from which fields are filled.
    pub picked: PickedValues,
}
