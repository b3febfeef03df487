//! The shore of Salesforce: two ways to the same VoiceCall behind one interface.

mod apex;
mod ask;
mod budget;
mod http;
mod jwt;
mod org;
mod outcome;
mod said;
mod session;
mod telephony;
mod token;
mod wire;

pub use ask::Ask;
pub use budget::Budget;
pub use http::{Answer, ClientError, Fault, clients};
pub use org::{Created, Org};
pub use outcome::{Failure, Operation, Outcome, Way, judge};
