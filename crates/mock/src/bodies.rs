//! The bodies of the four operations: what is required, of which type, with which values.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::Refused;
use super::fields::Fields;

const ORIGINS: [&str; 3] = ["Preview", "Progressive", "Voicemail"];

/// A create, read.
pub(super) struct Create {
    pub(super) call_center: String,
    pub(super) vendor_call_key: String,
    pub(super) to: String,
    pub(super) from: String,
    pub(super) initiation_method: String,
    pub(super) start_time: Option<Timestamp>,
    pub(super) parent: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) call_origin: Option<String>,
    pub(super) attributes: Map<String, Value>,
}

/// An update, read.
pub(super) struct Update {
    pub(super) call_center: Option<String>,
    pub(super) initiation_method: Option<String>,
    pub(super) start_time: Option<Timestamp>,
    pub(super) end_time: Option<Timestamp>,
    pub(super) enqueue_time: Option<Timestamp>,
    pub(super) accept_time: Option<Timestamp>,
    pub(super) from_number: Option<String>,
    pub(super) to_number: Option<String>,
    pub(super) call_origin: Option<String>,
    pub(super) queue: Option<String>,
    pub(super) agent: Option<String>,
    pub(super) holds: Holds,
    pub(super) recording_location: Option<String>,
    pub(super) disconnect_reason: Option<(String, bool)>,
    pub(super) attributes: Map<String, Value>,
    pub(super) is_active_call: bool,
}

/// Hold counts and durations of a VoiceCall; durations in whole seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Holds {
    /// How often the caller was on hold.
    pub number_of_holds: Option<u64>,
    /// Agent and caller together.
    pub agent_interaction_duration: Option<u64>,
    /// The longest hold.
    pub longest_hold_duration: Option<u64>,
    /// All holds.
    pub total_hold_duration: Option<u64>,
    /// All recordings.
    pub total_recording_duration: Option<u64>,
}

impl Holds {
    /// What a later update leaves out becomes 0.
    pub(super) fn or_zero(self) -> Self {
        let filled = |value: Option<u64>| Some(value.unwrap_or(0));
        Self {
            number_of_holds: filled(self.number_of_holds),
            agent_interaction_duration: filled(self.agent_interaction_duration),
            longest_hold_duration: filled(self.longest_hold_duration),
            total_hold_duration: filled(self.total_hold_duration),
            total_recording_duration: filled(self.total_recording_duration),
        }
    }
}

/// A run of an Omni-Channel flow, read.
pub(super) struct OmniFlow {
    pub(super) dialed_number: String,
    pub(super) flow: Option<String>,
    pub(super) fallback_queue: Option<String>,
    pub(super) parameters: Map<String, Value>,
}

/// Reads a create. `center_field` is the name under which this API takes the contact center.
pub(super) fn create(body: &Map<String, Value>, center_field: &str) -> Result<Create, Refused> {
    let mut fields = Fields::new(body);
    let create = Create {
        call_center: fields.required_text(center_field),
        vendor_call_key: fields.required_text("vendorCallKey"),
        to: fields.required_text("to"),
        from: fields.required_text("from"),
        initiation_method: required_one_of(&mut fields, "initiationMethod", &["Inbound", "Transfer"]),
        start_time: required_time(&mut fields, "startTime"),
        parent: fields.text("parentVoiceCallId"),
        queue: fields.text("queue"),
        call_origin: fields.one_of("callOrigin", &ORIGINS),
        attributes: fields.attributes(),
    };
    fields.one_of("callSubtype", &["PSTN", "WebRTC"]);
    participants(&mut fields);
    match (create.initiation_method.as_str(), fields.get("parentVoiceCallId").is_some()) {
        ("Transfer", false) => fields.problem("parentVoiceCallId: required with initiationMethod Transfer"),
        ("Inbound", true) => fields.problem("parentVoiceCallId: only with initiationMethod Transfer"),
        _ => {}
    }
    fields.finish(create)
}

fn required_one_of(fields: &mut Fields<'_>, name: &str, allowed: &[&str]) -> String {
    if fields.get(name).is_none() {
        fields.problem(format!("{name}: required"));
    }
    fields.one_of(name, allowed).unwrap_or_default()
}

fn required_time(fields: &mut Fields<'_>, name: &str) -> Option<Timestamp> {
    if fields.get(name).is_none() {
        fields.problem(format!("{name}: required"));
    }
    fields.time(name)
}

/// `[{"participantKey","type":"END_USER"}]`
fn participants(fields: &mut Fields<'_>) {
    const NAME: &str = "participants";
    let Some(value) = fields.get(NAME) else {
        return fields.problem(format!("{NAME}: required"));
    };
    let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
        return fields.problem(format!("{NAME}: must be an array with at least one participant"));
    };
    for (place, participant) in list.iter().enumerate() {
        let Some(participant) = participant.as_object() else {
            fields.problem(format!("{NAME}[{place}]: must be an object"));
            continue;
        };
        let key = participant.get("participantKey").and_then(Value::as_str);
        if key.is_none_or(|key| key.trim().is_empty()) {
            fields.problem(format!("{NAME}[{place}].participantKey: must be a string that is not empty"));
        }
        if participant.get("type").and_then(Value::as_str) != Some("END_USER") {
            fields.problem(format!("{NAME}[{place}].type: must be END_USER"));
        }
    }
}

/// Reads an update. `center_field` is the name under which this API takes the contact center.
pub(super) fn update(body: &Map<String, Value>, center_field: &str) -> Result<Update, Refused> {
    let mut fields = Fields::new(body);
    let update = Update {
        call_center: fields.text(center_field),
        initiation_method: fields.text("initiationMethod"),
        start_time: fields.time("startTime"),
        end_time: fields.time("endTime"),
        enqueue_time: fields.time("enqueueTime"),
        accept_time: fields.time("acceptTime"),
        from_number: fields.text("fromNumber"),
        to_number: fields.text("toNumber"),
        call_origin: fields.one_of("callOrigin", &ORIGINS),
        queue: fields.text("queue"),
        agent: fields.text("agent"),
        holds: holds(&mut fields),
        recording_location: fields.text("recordingLocation"),
        disconnect_reason: disconnect_reason(&mut fields),
        attributes: fields.attributes(),
        is_active_call: fields.flag("isActiveCall").unwrap_or(false),
    };
    let needs_location = ["totalRecordingDuration", "agentInteractionDuration"];
    if update.recording_location.is_none() && needs_location.iter().any(|name| fields.get(name).is_some()) {
        fields.problem("recordingLocation: required with a recording or interaction duration");
    }
    if matches!((update.start_time, update.end_time), (Some(start), Some(end)) if end < start) {
        fields.problem("endTime: before startTime");
    }
    fields.finish(update)
}

fn holds(fields: &mut Fields<'_>) -> Holds {
    Holds {
        number_of_holds: fields.whole("numberOfHolds"),
        agent_interaction_duration: fields.whole("agentInteractionDuration"),
        longest_hold_duration: fields.whole("longestHoldDuration"),
        total_hold_duration: fields.whole("totalHoldDuration"),
        total_recording_duration: fields.whole("totalRecordingDuration"),
    }
}

/// `{"value":string,"isError":bool}`, both keys.
fn disconnect_reason(fields: &mut Fields<'_>) -> Option<(String, bool)> {
    const NAME: &str = "disconnectReason";
    let Some(reason) = fields.get(NAME)?.as_object() else {
        fields.problem(format!("{NAME}: must be an object with value and isError"));
        return None;
    };
    let value = reason.get("value").and_then(Value::as_str).filter(|value| !value.trim().is_empty());
    let is_error = reason.get("isError").and_then(Value::as_bool);
    if value.is_none() {
        fields.problem(format!("{NAME}.value: must be a string that is not empty"));
    }
    if is_error.is_none() {
        fields.problem(format!("{NAME}.isError: must be true or false"));
    }
    Some((value?.to_owned(), is_error?))
}

/// Reads a run of an Omni-Channel flow.
pub(super) fn omni_flow(body: &Map<String, Value>) -> Result<OmniFlow, Refused> {
    let mut fields = Fields::new(body);
    let omni_flow = OmniFlow {
        dialed_number: fields.required_text("dialedNumber"),
        flow: fields.text("flowDevName"),
        fallback_queue: fields.text("fallbackQueue"),
        parameters: fields.object("flowInputParameters"),
    };
    fields.finish(omni_flow)
}
