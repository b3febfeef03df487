//! Nouns and pure decisions: what a call is and what may be said of it. No I/O.

mod abandonment;
mod attributes;
mod digits;
mod ended_task;
mod facts;
mod final_record;
mod interaction;
mod journal;
mod keys;
mod time;
mod timeline;
mod voice_call;
mod words;

pub use abandonment::{AbandonmentStage, GuardDecision, GuardedRequest, HangUpDecision, decide, guard};
pub use attributes::{
    ArrivedField, Attribute, AttributeLine, AttributeOutcome, AttributeReport, FieldMapping, FillStage,
    FilledAttributes, FoundValue, InvalidPath, KnownValues, PathRoot, PickedValues, SegmentValue,
    SentAttributes, ValuePath, ValueShape, fill,
};
pub use digits::{hide_numbers, is_id, names_a_number};
pub use ended_task::{CallHandling, EndedTask, TaskActivity, TaskFigures};
pub use facts::{CallFacts, Fact};
pub use final_record::{FinalRecord, FinalRecording, LocationTemplate, MappedName, MappedNames};
pub use interaction::{Continuation, CreatePlacement, Interaction};
pub use journal::{Call, CallId, CallName, CallProgress, Fingerprint, StoredJson};
pub use keys::{
    CallCenterName, CallReference, CertificateName, InvalidName, TaskId, VendorCallKey, VoiceCallId,
};
pub use time::{FlowTime, InvalidTime};
#[cfg(test)]
pub(crate) use timeline::tests::history;
pub use timeline::{
    AgentInvolvement, AgentState, AnnouncedRecordings, CallHistory, CallOutcome, CallState, CallTimeline,
    CallTotals, CapturedRecordings, Direction, EventKind, FileName, FinalUpdateState, InvalidFileName,
    Recording, SearchSummary, Segment, SegmentEnd, SegmentKind, SentUpdate, Stretch, StretchKind, TaskEnding,
    TaskEvent, TaskNumbers, UpdateContent,
};
pub use voice_call::{
    AgentAnswered, ClearRouting, CreateVoiceCall, DisconnectReason, ExecuteOmniFlow, Initiation, Origin,
    Participant, PhoneContactEnded, Rest, Routing, UpdateVoiceCall,
};
pub use words::{cut, quote};
