//! What is promised is written down first and tried at once.

use std::sync::Arc;

use super::{Bridge, Trouble};
use crate::outbox::Tried;
use crate::salesforce::{Ask, Budget, Failure};
use crate::store::{Attempt, EntryId, EntryKind};

/// How far a promise has come when the flow is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// Salesforce has it.
    Now,
    /// It is kept and will be tried again.
    Later,
    /// It would make a record worse, or has been sent already: it is not sent.
    Withheld,
    /// Nobody knows which call is meant: nothing is sent.
    NoSuchCall,
}

/// An entry that was just put in, and is ours to try.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fresh {
    pub(super) id: EntryId,
    pub(super) kind: EntryKind,
    pub(super) is_final: bool,
}

impl Bridge {
    /// Tries a fresh entry within the budget and writes down what came of it, without waiting for that.
    ///
    /// # Errors
    /// When Salesforce refused for good: the flow is told at once. Everything else is kept and tried again.
    pub(super) async fn try_now(
        &self,
        fresh: Fresh,
        ask: Ask<'_>,
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let result = self.org(&ask.origin().call_center)?.ask(&self.client, ask, budget).await.map(drop);
        self.settle(fresh, result.as_ref().err(), ask);
        promise(result)
    }

    /// Writes down how the first attempt on an entry ended; nobody waits for that.
    pub(super) fn settle(&self, fresh: Fresh, failure: Option<&Failure>, ask: Ask<'_>) {
        let tried = Tried { kind: fresh.kind, is_final: fresh.is_final };
        let attempt = self.outbox.judge(tried, failure, 0, self.outbox.now());
        if let Attempt::Later { words, .. } = &attempt {
            let (call_center, entry) = (&ask.origin().call_center, fresh.id.0);
            tracing::warn!(%call_center, entry, words, "Salesforce did not take it; kept for later");
        }
        let outbox = Arc::clone(&self.outbox);
        self.outbox.afterwards(async move { outbox.settle(fresh.id, attempt, None).await });
    }
}

/// What the flow is told of an attempt on an entry that is kept.
///
/// # Errors
/// When Salesforce refused for good.
pub(super) fn promise(result: Result<(), Failure>) -> Result<Delivered, Trouble> {
    match result {
        Ok(()) => Ok(Delivered::Now),
        Err(Failure::Again { .. } | Failure::Late) => Ok(Delivered::Later),
        Err(failure) => Err(failure.into()),
    }
}
