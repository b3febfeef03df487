//! Nouns and pure decisions: what a call is and what may be said of it. No I/O.

mod abandonment;
mod digits;
mod facts;
mod journal;
mod keys;
mod time;
mod voice_call;
mod words;

pub use abandonment::{Guarded, Intent, Stage, Verdict, decide, guard};
pub use digits::{hide_numbers, is_id};
pub use facts::{Fact, Known};
pub use journal::{Body, Call, CallId, CallName, Fingerprint, Progress};
pub use keys::{CallCenterName, CallReference, CertificateName, InvalidName, VendorCallKey, VoiceCallId};
pub use time::{FlowTime, InvalidTime};
pub use voice_call::{
    AgentAnswered, ClearRouting, CreateVoiceCall, DisconnectReason, ExecuteOmniFlow, Initiation, Origin,
    Participant, PhoneContactEnded, Rest, Routing, UpdateVoiceCall,
};
pub use words::{cut, quote};
