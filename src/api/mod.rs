//! The HTTP API for Webex flows: identification of the client, the body of a request, and an answer that is always whole.

mod access;
mod body;
mod caller;
mod context;
mod envelope;
mod error;
mod notes;
mod oauth;
mod openapi;
mod probes;
mod routes;
mod throttle;
mod voice;
mod voice_body;
mod webhook;

pub use access::{AccessContext, InFlight, access, attended};
pub use caller::{Callers, CredentialsRefused, Peer, Replays, on_connect};
pub use context::{ApiContext, ConfiguredApi, Route, Webhooks};
pub use error::{ApiError, too_slow};
pub use oauth::{OAuthError, rehearse_token};
pub use openapi::{Documentation, SAMPLE_URL, document};
pub use probes::{Configuration, Readiness};
pub use routes::{CurrentMetrics, operations, public};
pub use throttle::{ClientAddress, LoginAttempt, Throttle, Throttled, guessable};
pub use voice::rehearse;
