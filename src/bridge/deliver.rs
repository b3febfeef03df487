//! What is promised is written down first and tried at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::create::LOOK;
use super::{Bridge, Trouble};
use crate::domain::{Call, CallName, CallReference};
use crate::outbox::{Attempted, By, Hold, Tried};
use crate::salesforce::{Ask, Budget, Failure};
use crate::store::{Attempt, EntryId, EntryKind, Note};

/// How long after its deadline a create may still be writing.
const RESERVE: Duration = Duration::from_secs(1);

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

impl Fresh {
    /// Whether it is an update in the middle of a call without a record.
    pub(super) fn makes_a_record_of(&self, call: &Call) -> bool {
        self.kind == EntryKind::Update && !self.is_final && !call.is_created()
    }
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

    /// As [`Bridge::try_now`], of an update that makes the record of its call. That is written down before the answer
    /// goes out: a create that follows must know.
    ///
    /// # Errors
    /// As [`Bridge::try_now`].
    pub(super) async fn make_now(
        &self,
        fresh: Fresh,
        ask: Ask<'_>,
        call: CallName,
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let result = self.org(&ask.origin().call_center)?.ask(&self.client, ask, budget).await.map(drop);
        if result.is_err() {
            self.settle(fresh, result.as_ref().err(), ask);
            return promise(result);
        }
        let now = self.outbox.now();
        let note = Note { created_at: Some(now), ..Note::of(call, now) };
        let attempt = Attempt::Delivered { close: false };
        self.tell_attempt(fresh, ask, &attempt);
        self.outbox.settle(fresh.id, attempt, Some(note)).await;
        Ok(Delivered::Now)
    }

    /// For entries that must not come before a create in flight.
    pub(super) fn hold(&self) -> Hold {
        self.outbox.hold(self.settings.deadlines.create_voice_call + RESERVE)
    }

    /// Lets the worker have them as soon as that create is through, wherever it is.
    pub(super) fn let_go_after_create(&self, hold: Hold, call: CallName) {
        let bridge = self.clone();
        self.outbox.afterwards(async move {
            bridge.created(call).await;
            bridge.outbox.let_go(&hold).await;
        });
    }

    /// The same with entries that are not held, because the create was begun while they were put in.
    pub(super) fn give_back_after_create(&self, ids: Vec<EntryId>, call: CallName) {
        let bridge = self.clone();
        self.outbox.afterwards(async move {
            bridge.created(call).await;
            bridge.outbox.give_back(&ids).await;
        });
    }

    /// Waits until no create of this call is in flight, here or elsewhere, for as long as one may take.
    async fn created(&self, call: CallName) {
        let patience = Instant::now() + self.settings.deadlines.create_voice_call + RESERVE;
        let turn = (call.call_center().clone(), call.vendor_call_key().to_string());
        drop(self.turns.take(turn, patience).await);
        let key = CallReference::Key(call.vendor_call_key().clone());
        while Instant::now() < patience {
            let found = self.outbox.store().find(call.call_center(), &key).await;
            if !found.is_ok_and(|call| call.is_some_and(|call| call.is_being_created(self.outbox.now()))) {
                break;
            }
            sleep_until(Instant::now() + LOOK).await;
        }
    }

    /// Writes down how the first attempt on an entry ended; nobody waits for that.
    pub(super) fn settle(&self, fresh: Fresh, failure: Option<&Failure>, ask: Ask<'_>) {
        let tried = Tried { kind: fresh.kind, is_final: fresh.is_final };
        let attempt = self.outbox.judge(tried, failure, 0, self.outbox.now());
        self.tell_attempt(fresh, ask, &attempt);
        let outbox = Arc::clone(&self.outbox);
        self.outbox.afterwards(async move { outbox.settle(fresh.id, attempt, None).await });
    }

    /// Tells the log and the metrics of the first attempt on an entry.
    fn tell_attempt(&self, fresh: Fresh, ask: Ask<'_>, attempt: &Attempt) {
        let key = match ask.call() {
            Some(CallReference::Key(key)) => Some(key.as_ref()),
            Some(CallReference::Id(_)) | None => None,
        };
        let attempted = Attempted {
            id: fresh.id,
            kind: fresh.kind,
            call_center: &ask.origin().call_center,
            vendor_call_key: key,
            attempts: 1,
            by: By::Request,
        };
        self.outbox.tell(attempted, attempt, false);
    }
}

/// What the flow is told of an attempt on an entry that is kept.
///
/// # Errors
/// When Salesforce refused for good.
pub(super) fn promise(result: Result<(), Failure>) -> Result<Delivered, Trouble> {
    match result {
        Ok(()) => Ok(Delivered::Now),
        Err(failure) if failure.is_passing() => Ok(Delivered::Later),
        Err(failure) => Err(failure.into()),
    }
}
