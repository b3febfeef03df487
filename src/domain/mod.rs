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

pub use abandonment::{Guarded, Intent, Stage, Verdict, decide, guard};
pub use attributes::{
    Arrived, Attribute, Filled, Form, Found, InvalidPath, Knowledge, Line, Moment, Outcome, Picked, Report,
    Root, SegmentValue, Sent, Shape, ValuePath, fill,
};
pub use digits::{hide_numbers, is_id, names_a_number};
pub use ended_task::{EndedTask, Figures, Handling, Happening};
pub use facts::{Fact, Known};
pub use final_record::{FinalRecord, Given, LocationTemplate, Names, RecordingNote};
pub use interaction::{Continues, Interaction, Place};
pub use journal::{Body, Call, CallId, CallName, Fingerprint, Progress};
pub use keys::{
    CallCenterName, CallReference, CertificateName, InvalidName, TaskId, VendorCallKey, VoiceCallId,
};
pub use time::{FlowTime, InvalidTime};
#[cfg(test)]
pub(crate) use timeline::tests::history;
pub use timeline::{
    Agency, AgentState, Announced, CallOutcome, CallTimeline, Captured, Direction, Ending, Event, FileName,
    Mark, NoFileName, Numbers, Recording, Said, Segment, SegmentKind, Standing, State, Story, Stretch,
    StretchKind, Summary, Sums, Told, What,
};
pub use voice_call::{
    AgentAnswered, ClearRouting, CreateVoiceCall, DisconnectReason, ExecuteOmniFlow, Initiation, Origin,
    Participant, PhoneContactEnded, Rest, Routing, UpdateVoiceCall,
};
pub use words::{cut, quote};
