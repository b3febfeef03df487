//! `[store]`: the database.

use secrecy::SecretString;

/// Where calls and outbox are kept.
#[derive(Debug, Clone)]
pub struct Store {
    /// `sqlite:PATH` or `postgres://...`; a secret, because it can carry a password.
    pub url: SecretString,
}
