//! The VoiceCall record and its PendingServiceRouting, as Salesforce shows them.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::bodies::{Create, Holds, Update};

/// A VoiceCall. It is printed with Salesforce's field names.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VoiceCall {
    /// 18 characters, prefix `0LQ`.
    pub id: String,
    /// The telephony vendor's key.
    pub vendor_call_key: String,
    /// API name of the contact center.
    pub call_center: String,
    /// ANI.
    pub from_phone_number: Option<String>,
    /// DNIS.
    pub to_phone_number: Option<String>,
    /// The initiation method: `Inbound`, `Transfer`, or what an update that created the record said.
    pub call_type: Option<String>,
    /// UTC, milliseconds.
    pub call_start_date_time: Option<String>,
    /// UTC, milliseconds.
    pub call_end_date_time: Option<String>,
    /// Computed only if one update brought start and end.
    pub call_duration_in_seconds: Option<i64>,
    /// When the call was queued.
    pub call_queued_date_time: Option<String>,
    /// When an agent accepted.
    pub call_accept_date_time: Option<String>,
    /// Where it is in its life.
    pub call_disposition: Disposition,
    /// Free text from the vendor.
    pub disconnect_reason: Option<String>,
    /// Whether the vendor calls that end an error.
    pub disconnect_is_error: Option<bool>,
    /// Id of the call it was transferred from.
    pub previous_call_id: Option<String>,
    /// Queue name.
    pub queue_name: Option<String>,
    /// Agent: Salesforce user name.
    pub agent: Option<String>,
    /// Preview, Progressive or Voicemail.
    pub call_origin: Option<String>,
    /// Hold counts and durations of the last update.
    #[serde(flatten)]
    pub holds: Holds,
    /// Where the recording is.
    pub recording_location: Option<String>,
    /// Custom fields.
    pub attributes: Map<String, Value>,
    /// The routing that waits for an agent.
    #[serde(rename = "PendingServiceRouting")]
    pub pending_routing: Option<PendingServiceRouting>,
    /// How many updates it took.
    pub updates: u32,
    /// True if an update made the record.
    pub created_by_update: bool,
    /// Fields a record needs and that update did not bring.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_when_created: Vec<&'static str>,
}

/// The three stages a VoiceCall knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disposition {
    /// Nobody has answered.
    New,
    /// An agent has it.
    InProgress,
    /// Over.
    Completed,
}

/// Work that waits for an agent in Omni-Channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PendingServiceRouting {
    /// 18 characters, prefix `0JR`.
    pub id: String,
    /// Queue it waits in.
    pub queue: Option<String>,
    /// Agent it waits for.
    pub agent: Option<String>,
    /// Flow that made it.
    pub flow: Option<String>,
    /// Parameters of the flow.
    pub flow_input_parameters: Map<String, Value>,
    /// UTC, milliseconds.
    pub created_date: String,
}

/// Keeps phone numbers and attributes out of logs and failed assertions.
impl fmt::Debug for VoiceCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VoiceCall")
            .field("id", &self.id)
            .field("vendor_call_key", &self.vendor_call_key)
            .field("call_disposition", &self.call_disposition)
            .field("disconnect_reason", &self.disconnect_reason)
            .field("pending_routing", &self.pending_routing.is_some())
            .field("updates", &self.updates)
            .finish_non_exhaustive()
    }
}

/// `2026-11-21T10:00:00.123Z`.
pub(super) fn text(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

impl VoiceCall {
    pub(super) fn empty(id: String, vendor_call_key: &str, call_center: &str) -> Self {
        Self {
            id,
            vendor_call_key: vendor_call_key.to_owned(),
            call_center: call_center.to_owned(),
            from_phone_number: None,
            to_phone_number: None,
            call_type: None,
            call_start_date_time: None,
            call_end_date_time: None,
            call_duration_in_seconds: None,
            call_queued_date_time: None,
            call_accept_date_time: None,
            call_disposition: Disposition::New,
            disconnect_reason: None,
            disconnect_is_error: None,
            previous_call_id: None,
            queue_name: None,
            agent: None,
            call_origin: None,
            holds: Holds::default(),
            recording_location: None,
            attributes: Map::new(),
            pending_routing: None,
            updates: 0,
            created_by_update: false,
            missing_when_created: Vec::new(),
        }
    }

    pub(super) fn created(id: String, create: Create, parent: Option<String>) -> Self {
        let empty = Self::empty(id, &create.vendor_call_key, &create.call_center);
        let transfer = create.initiation_method == "Transfer";
        Self {
            from_phone_number: Some(create.from),
            to_phone_number: Some(create.to),
            call_type: Some(create.initiation_method),
            call_start_date_time: create.start_time.map(text),
            previous_call_id: parent,
            queue_name: create.queue.filter(|_| transfer),
            call_origin: create.call_origin,
            attributes: create.attributes,
            ..empty
        }
    }

    /// Applies an update with the traps of the real one: without `isActiveCall: true` it ends the call, and from the second
    /// update on, hold counts and durations that are left out become 0.
    pub(super) fn update(&mut self, update: Update) {
        if let (Some(start), Some(end)) = (update.start_time, update.end_time) {
            self.call_duration_in_seconds = Some(end.as_second() - start.as_second());
        }
        replace(&mut self.call_start_date_time, update.start_time.map(text));
        replace(&mut self.call_end_date_time, update.end_time.map(text));
        replace(&mut self.call_queued_date_time, update.enqueue_time.map(text));
        replace(&mut self.call_accept_date_time, update.accept_time.map(text));
        replace(&mut self.from_phone_number, update.from_number);
        replace(&mut self.to_phone_number, update.to_number);
        replace(&mut self.call_type, update.initiation_method);
        replace(&mut self.call_origin, update.call_origin);
        replace(&mut self.queue_name, update.queue);
        replace(&mut self.agent, update.agent);
        replace(&mut self.recording_location, update.recording_location);
        if let Some((value, is_error)) = update.disconnect_reason {
            self.disconnect_reason = Some(value);
            self.disconnect_is_error = Some(is_error);
        }
        self.attributes.extend(update.attributes);
        self.holds = if self.updates == 0 { update.holds } else { update.holds.or_zero() };
        self.updates += 1;
        if !update.is_active_call {
            self.call_disposition = Disposition::Completed;
            self.pending_routing = None;
        }
    }

    /// An agent takes the work in Omni-Channel. A completed call cannot be accepted.
    pub(super) fn accept(&mut self, agent: &str, at: Timestamp) -> bool {
        if self.call_disposition == Disposition::Completed {
            return false;
        }
        self.call_disposition = Disposition::InProgress;
        self.call_accept_date_time = Some(text(at));
        self.agent = Some(agent.to_owned());
        self.pending_routing = None;
        true
    }
}

fn replace<T>(field: &mut Option<T>, with: Option<T>) {
    if with.is_some() {
        *field = with;
    }
}
