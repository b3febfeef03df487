//! Salesforce: the telephony API and the Apex wrapper, two APIs for the same VoiceCalls behind one interface.

mod apex;
mod breaker;
mod budget;
mod gate;
mod http;
mod limiter;
mod measure;
mod org;
mod outcome;
mod payload;
mod probe;
mod request;
mod session;
mod telephony;
mod token;
mod voice_call_query;

pub use breaker::{
    AnswerHealth, BreakerChange, BreakerOpen, BreakerPermit, BreakerState, BreakerView, CircuitBreaker,
};
pub use budget::Budget;
pub use gate::{Gate, NoFreeSlot, Slot, Slots};
pub use http::{ClientError, HttpAnswer, HttpFault, clients, clients_trusting, tls_connector};
pub(crate) use http::{causes, retry_after};
pub use limiter::{CreateLimited, CreateLimiter, CreatePermit};
pub use measure::CenterMetrics;
pub use org::{Created, Org, Orgs};
pub use outcome::{AnswerOutcome, Failure, Operation, SalesforceApi, judge, voice_call_id};
pub use probe::{ProbeAnswer, ProbeFault, greet};
pub use request::{RestoredRequest, SalesforceRequest, StoredRequest};
