//! `[[clients]]`: who may call the bridge, and by what it lets them in.

mod all;
mod read;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use openssl::pkey::{PKey, Public};

use super::names::Names;
use super::section::Section;

pub(super) use all::{check_surroundings, read_all};
pub(crate) use read::{client_id, user_name};

/// A caller of the bridge. `Debug` shows no hash.
#[derive(Clone)]
pub struct Client {
    /// The user name of HTTP Basic, the `client_id` of OAuth, and the `iss` of an assertion.
    pub id: String,
    /// SHA-256 of each secret that is taken: one, or two while it is being changed. The secrets themselves are nowhere.
    pub secrets: Vec<[u8; 32]>,
    /// The user that the client may ask for, besides itself.
    pub user: Option<User>,
    /// The keys that may sign assertions in this client's name.
    pub assertion_keys: Vec<AssertionKey>,
    /// The names of client certificates that stand for this client.
    pub certificate_names: BTreeSet<String>,
    /// The contact centers this client may use.
    pub call_centers: Access,
}

/// A user in whose name the client may ask.
#[derive(Clone)]
pub struct User {
    /// The `username` of the password grant, and what the `sub` of an assertion may say.
    pub name: String,
    /// SHA-256 of the password; none: no password grant.
    pub password_sha256: Option<[u8; 32]>,
}

/// A certificate that was registered for a client.
#[derive(Clone)]
pub struct AssertionKey {
    /// What it verifies with: RSA.
    pub public: PKey<Public>,
    /// SHA-256 over the certificate's DER form.
    pub fingerprint: [u8; 32],
    /// Begin and end of the certificate.
    pub valid: (Timestamp, Timestamp),
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

    /// Whether something of this client leads to an access token and to nothing else.
    #[must_use]
    pub fn needs_tokens(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.password_sha256.is_some())
            || !self.assertion_keys.is_empty()
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
