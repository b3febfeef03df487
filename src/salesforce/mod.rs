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

pub use ask::Ask;
pub use breaker::{Breaker, Change, Open, Permit, State, Verdict};
pub use budget::Budget;
pub use gate::Gate;
pub(crate) use http::pause;
pub use http::{Answer, ClientError, Fault, clients};
pub use limiter::{CreateLimiter, CreatePermit, Limited};
pub use org::{Created, Org};
pub use orgs::Orgs;
pub use outcome::{Failure, Operation, Outcome, Way, judge, voice_call_id};
pub use slots::{Full, Slot, Slots};
pub use stored::{Kept, Stored};
