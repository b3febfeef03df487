//! What a call is, and the pure decisions about it. No I/O.

mod abandonment;
mod attributes;
mod call;
mod ended_task;
mod exchange;
mod facts;
mod final_record;
mod interaction;
mod names;
mod redaction;
mod requests;
mod time;
mod timeline;

pub use abandonment::{AbandonmentStage, GuardDecision, GuardedRequest, HangUpDecision, decide, guard};
pub use attributes::{
    ArrivedField, Attribute, AttributeLine, AttributeOutcome, AttributeReport, FieldMapping, FillStage,
    FilledAttributes, FoundValue, InvalidPath, KnownValues, PathRoot, PickedValues, SegmentValue,
    SentAttributes, ValuePath, ValueShape, fill,
};
pub use call::{Call, CallId, CallName, CallProgress, Fingerprint, RouteResult, StoredJson};
pub use ended_task::{CallHandling, EndedTask, TaskActivity, TaskFigures};
pub use exchange::{Exchange, ExchangeOrigin, ExchangeRecord, SalesforceExchange};
pub use facts::{CallFacts, Fact};
pub use final_record::{FinalRecord, FinalRecording, LocationTemplate, MappedName, MappedNames};
pub use interaction::{Continuation, CreatePlacement, Interaction};
pub use names::{
    CallCenterName, CallReference, CertificateName, InvalidName, TaskId, VendorCallKey, VoiceCallId,
};
pub use redaction::{cut, hide_numbers, is_id, names_a_number, printable, quote};
pub use requests::{
    AgentAnswered, ClearRouting, CreateVoiceCall, DisconnectReason, ExecuteOmniFlow, Initiation, Origin,
    Participant, PhoneContactEnded, Rest, Routing, UpdateVoiceCall,
};
pub use time::{EPOCH_SECONDS, FlowTime, InvalidTime};
#[cfg(test)]
pub(crate) use timeline::tests::history;
pub use timeline::{
    AgentInvolvement, AgentState, AnnouncedRecordings, CallHistory, CallOutcome, CallState, CallTimeline,
    CallTotals, CapturedRecordings, Direction, EventKind, FileName, FinalUpdateState, InvalidFileName,
    Recording, SearchSummary, Segment, SegmentEnd, SegmentKind, SentUpdate, Stretch, StretchKind, TaskEnding,
    TaskEvent, TaskNumbers, UpdateContent,
};
