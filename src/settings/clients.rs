//! `[[clients]]`: who may call the bridge.

use std::collections::BTreeSet;
use std::fmt;

/// A caller of the bridge.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The user name of HTTP Basic, and the `client_id` of OAuth.
    pub id: String,
    /// SHA-256 of the secret; the secret itself is nowhere.
    pub secret_sha256: [u8; 32],
    /// The contact centers this client may use.
    pub call_centers: Access,
}

/// Which contact centers a client may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// `["*"]`: every one.
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl Client {
    /// Whether this client may use the contact center.
    #[must_use]
    pub fn may_use(&self, call_center: &str) -> bool {
        match &self.call_centers {
            Access::All => true,
            Access::Only(names) => names.contains(call_center),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("call_centers", &self.call_centers)
            .finish_non_exhaustive()
    }
}
