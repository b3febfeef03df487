//! Where reconciliation ends and the bridge begins: closing a call by what Webex says of it.

use std::sync::Arc;

use crate::domain::{CallHandling, CallProgress, EndedTask};
use crate::store::{Run, StoreError};

/// Closes a call from Webex's record, the same way as its events would have.
///
/// The same task comes again, because stretches of time overlap: what was closed before is [`CloseOutcome::Agreed`].
pub trait CloseTask: Send + Sync + 'static {
    /// Compares, and closes what is open; a dry run only compares.
    ///
    /// # Errors
    /// When it could not be written. The task comes again.
    fn close(
        &self,
        task: EndedTask,
        run: Run,
    ) -> impl Future<Output = Result<CloseOutcome, CloseError>> + Send;
}

/// Why a call could not be closed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CloseError {
    /// The database does not answer.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// The task cannot be a call: such as an id that is no key.
    #[error("task {0} is not usable as a call")]
    Unusable(String),
}

/// What was found, and done unless it was a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseOutcome {
    /// The bridge knew all of it.
    Agreed,
    /// The bridge believed it open, or did not know that an agent had it.
    Differed {
        /// How far the bridge believed it to be.
        believed: CallProgress,
        /// What Webex says became of it.
        handling: Option<CallHandling>,
    },
    /// The bridge believed it over, and it goes on.
    GoesOn,
    /// The bridge never saw it; logged to Salesforce if that is configured.
    Unknown {
        /// Whether it is.
        logged: bool,
    },
}

impl<C: CloseTask> CloseTask for Arc<C> {
    fn close(
        &self,
        task: EndedTask,
        run: Run,
    ) -> impl Future<Output = Result<CloseOutcome, CloseError>> + Send {
        self.as_ref().close(task, run)
    }
}
