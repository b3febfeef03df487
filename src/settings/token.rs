//! `[token]` and `[session]`: our credentials towards Salesforce.

use std::time::Duration;

/// The JWT that we sign for the telephony API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// From `iat` to `exp`.
    pub life: Duration,
    /// Send a `jti`. Salesforce checks it for replay, so every request then needs its own signature.
    pub jti: bool,
    /// The claim `aud`; none leaves it out.
    pub audience: Option<String>,
}

/// The OAuth session of the Apex way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// How long an access token is used; Salesforce does not say when it ends.
    pub keep: Duration,
}
