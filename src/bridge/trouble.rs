//! Why a verb came to nothing.

use crate::salesforce::Failure;
use crate::store::StoreError;

/// Why a verb came to nothing, in words that a flow may read.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// Salesforce did not do it.
    #[error(transparent)]
    Salesforce(#[from] Failure),
    /// The request contradicts what is known of its call: the field and what is wrong.
    #[error("{0}")]
    Contradiction(String),
    /// Nothing can be promised, because nothing can be written down.
    #[error("the bridge cannot keep this now: {0}")]
    Store(#[from] StoreError),
}

impl Trouble {
    /// Whether nothing was decided, nor kept: the same may succeed another time. What Salesforce does not take in time is
    /// kept, and no trouble; so what came too late is the database's answer.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Salesforce(Failure::Late | Failure::Again { .. }))
    }
}
