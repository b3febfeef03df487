//! The shore of Salesforce: two ways to the same VoiceCall behind one interface.

mod apex;
mod ask;
mod breaker;
mod budget;
mod gate;
mod http;
mod inquiry;
mod jwt;
mod limiter;
mod org;
mod orgs;
mod outcome;
mod said;
mod session;
mod slots;
mod stored;
mod telephony;
mod token;
mod wire;

pub use ask::SalesforceRequest;
pub use breaker::{AnswerHealth, Breaker, BreakerChange, BreakerOpen, BreakerPermit, BreakerState};
pub use budget::Budget;
pub use gate::Gate;
pub(crate) use http::pause;
pub use http::{ClientError, HttpAnswer, HttpFault, clients};
pub use limiter::{CreateLimited, CreateLimiter, CreatePermit};
pub use org::{Created, Org};
pub use orgs::Orgs;
pub use outcome::{AnswerOutcome, Failure, Operation, SalesforceApi, judge, voice_call_id};
pub use slots::{NoFreeSlot, Slot, Slots};
pub use stored::{RestoredRequest, StoredRequest};
