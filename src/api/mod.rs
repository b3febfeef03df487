//! The edge towards Webex flows: who calls, what the body says, and an answer that is always whole.

mod access;
mod agent_answered;
mod body;
mod caller;
mod clear_routing;
mod context;
mod create_voice_call;
mod envelope;
mod error;
mod execute_omni_flow;
mod fields;
mod notes;
mod oauth;
mod operations;
mod phone_contact_ended;
mod probes;
mod promise;
mod reading;
mod rehearse;
mod routes;
mod throttle;
mod update_voice_call;
mod validate;
mod webhook;

pub use access::{AccessContext, InFlight, access, attended};
pub use caller::{Callers, CredentialsRefused, Peer, Replays, on_connect};
pub use context::{ApiContext, ConfiguredApi, Route};
pub use error::{ApiError, too_slow};
pub use oauth::{OAuthError, rehearse_token};
pub use operations::operations;
pub use probes::{Configuration, Readiness};
pub use rehearse::rehearse;
pub use routes::public;
pub use throttle::{ClientAddress, LoginAttempt, Throttle, Throttled, guessable};
pub use webhook::Webhooks;
