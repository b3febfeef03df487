//! The final update of a conclusion takes shape.

use openssl::sha::sha256;
use serde::Serialize;

use super::heard::callback_reason;
use crate::domain::{
    CallCenterName, CallOutcome, DisconnectReason, FinalRecord, FlowTime, Given, PhoneContactEnded, Picked,
    Rest, Said, UpdateVoiceCall,
};
use crate::store::NewDetail;

/// Said where a call was first reported as abandoned, an agent turned out to have had it, and Webex gives no reason.
const ENDED: &str = "Ended";

/// An id of Webex that has no name in the configuration, and was left out of an update.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Unmapped {
    /// `queues` or `agents`.
    pub table: &'static str,
    /// The contact center.
    pub call_center: CallCenterName,
    /// The id.
    pub id: String,
}

/// What an update says beyond start and end.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Additions {
    pub(super) enqueue_time: Option<FlowTime>,
    pub(super) accept_time: Option<FlowTime>,
    pub(super) disconnect_reason: Option<DisconnectReason>,
    #[serde(skip)]
    pub(super) call_attributes: Option<String>,
    rest: Rest,
}

/// A call's final update as its contact center wants it.
pub(super) struct Finish {
    pub(super) additions: Additions,
    /// What it will have said.
    pub(super) said: Said,
    /// What became of fields, to be kept once it is told.
    pub(super) report: Vec<NewDetail>,
    pub(super) unmapped: Vec<Unmapped>,
}

/// What the fields of a call that has ended are filled with.
pub(super) struct FilledAtEnd {
    pub(super) call_attributes: Option<String>,
    /// What became of them, to be kept once they are told.
    pub(super) report: Vec<NewDetail>,
    /// Whether all is known that was told of the call.
    pub(super) is_whole: bool,
}

/// Of a contact center that fills none.
impl Default for FilledAtEnd {
    fn default() -> Self {
        Self { call_attributes: None, report: Vec::new(), is_whole: true }
    }
}

impl Finish {
    /// The one place where the final update of a conclusion takes shape. `call_attributes`: JSON of custom fields.
    pub(super) fn of(
        record: &FinalRecord,
        outcome: CallOutcome,
        call_attributes: Option<String>,
        center: &CallCenterName,
    ) -> Self {
        let time = |at: Option<jiff::Timestamp>| at.map(FlowTime::new);
        let reason = |value: &String| DisconnectReason { value: value.clone(), is_error: false };
        let additions = Additions {
            enqueue_time: time(record.enqueue_time),
            accept_time: time(record.accept_time),
            disconnect_reason: record.disconnect_reason.as_ref().map(reason),
            call_attributes,
            rest: rest(record),
        };
        let unmapped = |table, given: &Option<Given>| {
            let id = given.as_ref()?.unmapped()?.to_owned();
            Some(Unmapped { table, call_center: center.clone(), id })
        };
        Self {
            said: Said {
                start: time(record.start_time).map(FlowTime::timestamp),
                end: time(record.end_time).map(FlowTime::timestamp),
                digest: serde_json::to_vec(&additions).map(|json| digest(&json)).unwrap_or_default(),
                fields: additions.call_attributes.as_ref().map(|fields| digest(fields.as_bytes())),
                is_abandonment: outcome == CallOutcome::Abandoned,
                is_callback: outcome == CallOutcome::Callback,
                is_plain: false,
            },
            unmapped: [unmapped("queues", &record.queue), unmapped("agents", &record.agent)]
                .into_iter()
                .flatten()
                .collect(),
            report: Vec::new(),
            additions,
        }
    }

    /// What fields were filled with is not known any more: what was said of them stands.
    pub(super) fn without_fields(mut self, before: &Said) -> Self {
        self.additions.call_attributes = None;
        self.said.fields.clone_from(&before.fields);
        self.report.clear();
        self
    }

    /// A hang-up, with what the final update is to say besides.
    pub(super) fn of_request(&self, request: PhoneContactEnded) -> PhoneContactEnded {
        PhoneContactEnded {
            start_time: self.said.start.map(FlowTime::new),
            enqueue_time: self.additions.enqueue_time,
            rest: self.additions.rest.clone(),
            ..request
        }
    }

    /// Everything again, without ending the call again. Start and end only if they were wrong: Salesforce computes the duration from both.
    pub(super) fn correction(&self, request: &PhoneContactEnded, before: &Said) -> UpdateVoiceCall {
        let Additions { enqueue_time, accept_time, disconnect_reason, call_attributes, mut rest } =
            self.additions.clone();
        rest.insert("isActiveCall".into(), true.into());
        let moved = (before.start, before.end) != (self.said.start, self.said.end);
        let ended = || match (before.outcome(), self.said.outcome()) {
            (_, CallOutcome::Callback) => Some(callback_reason(None)),
            (CallOutcome::Answered, _) | (_, CallOutcome::Abandoned) => None,
            (_, CallOutcome::Answered) => Some(DisconnectReason { value: ENDED.to_owned(), is_error: false }),
        };
        UpdateVoiceCall {
            origin: request.origin.clone(),
            call: None,
            start_time: self.said.start.filter(|_| moved).map(FlowTime::new),
            end_time: self.said.end.filter(|_| moved).map(FlowTime::new),
            enqueue_time,
            accept_time,
            from_number: None,
            disconnect_reason: disconnect_reason.or_else(ended),
            call_attributes,
            rest,
            picked: Picked::default(),
        }
    }
}

/// Counts, durations in whole seconds, and names. A duration with an agent is taken only together with the location of
/// the recording.
fn rest(record: &FinalRecord) -> Rest {
    let mut rest = Rest::new();
    let holds = record.sums.holds.and_then(|holds| u64::try_from(holds).ok());
    for (name, figure) in [
        ("numberOfHolds", holds),
        ("longestHoldDuration", record.sums.longest_hold),
        ("totalHoldDuration", record.sums.total_hold),
    ] {
        rest.extend(figure.map(|figure| (name.into(), figure.into())));
    }
    for (name, given) in [("queue", &record.queue), ("agent", &record.agent)] {
        if let Some(value) = given.as_ref().and_then(Given::name) {
            rest.insert(name.into(), value.into());
        }
    }
    if let Some(recording) = &record.recording {
        rest.insert("recordingLocation".into(), recording.location.as_str().into());
        if let Some(interaction) = record.sums.agent_interaction {
            rest.insert("agentInteractionDuration".into(), interaction.into());
        }
        if let Some(total) = recording.total {
            rest.insert("totalRecordingDuration".into(), total.into());
        }
    }
    rest
}

/// A hash: what was said is compared, not kept.
fn digest(json: &[u8]) -> String {
    sha256(json).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
