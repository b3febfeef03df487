//! Why a verb came to nothing.

use crate::salesforce::Failure;
use crate::store::StoreError;

/// Why a verb came to nothing, in words that a flow may read.
#[derive(Debug, thiserror::Error)]
pub enum BridgeError {
    /// Salesforce did not do it.
    #[error(transparent)]
    Salesforce(#[from] Failure),
    /// The request contradicts what is known of its call: the field and what is wrong.
    #[error("{0}")]
    Contradiction(String),
    /// Nothing can be promised, because nothing can be written down.
    #[error("the bridge cannot keep this now: {0}")]
    Store(#[from] StoreError),
    /// The database did not answer in time. What was to be written may be written all the same.
    #[error("the bridge's own database did not answer before the deadline of this route passed")]
    StoreLate,
    /// Another request for the same call took all of the time.
    #[error("another request for the same call was still under way when the deadline of this route passed")]
    InFlight,
}

impl BridgeError {
    /// Whether nothing was decided, nor kept: the same may succeed another time.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store(_) | Self::StoreLate | Self::InFlight => true,
            Self::Salesforce(failure) => failure.is_passing(),
            Self::Contradiction(_) => false,
        }
    }
}
