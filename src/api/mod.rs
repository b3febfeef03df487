//! The edge towards Webex flows: who calls, what the body says, and an answer that is always whole.

mod access;
mod agent_answered;
mod body;
mod caller;
mod clear_routing;
mod create_voice_call;
mod desk;
mod envelope;
mod error;
mod execute_omni_flow;
mod fields;
mod notes;
mod operations;
mod phone_contact_ended;
mod probes;
mod promise;
mod reading;
mod routes;
mod update_voice_call;

pub use access::{Access, InFlight, access};
pub use caller::Callers;
pub use desk::{Desk, Staff};
pub use error::ApiError;
pub use operations::operations;
pub use probes::{Configuration, Readiness};
pub use routes::public;
