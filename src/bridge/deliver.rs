//! What is promised is written down first and tried at once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::create::LOOK;
use super::{Bridge, Trouble, in_time};
use crate::domain::{Call, CallName, CallReference};
use crate::outbox::{Attempted, By, Hold, Tried};
use crate::salesforce::{Budget, Failure, SalesforceRequest};
use crate::store::{Attempt, Enqueued, EntryId, EntryKind, NewEntry, NewEvent, Note, Subject};

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

/// What must reach Salesforce of one call, with what it tells of the call.
pub(super) struct Promise<'a> {
    pub(super) subject: Subject,
    /// In this order: of a hang-up, clear routing and then the final update.
    pub(super) asks: &'a [SalesforceRequest<'a>],
    /// Whether the last of them is the call's final update.
    pub(super) is_final: bool,
    /// Whether it is kept only if no agent has had the call.
    pub(super) unless_answered: bool,
    /// Kept with the call's task in the same commit.
    pub(super) mark: Option<NewEvent>,
    pub(super) first: First,
}

/// When what is promised is first tried.
pub(super) enum First {
    /// At once.
    Now,
    /// At once, unless another replica has begun to create the call: then once that is through.
    NowUnlessCreated,
    /// Once the create in flight is through: an update that came before it would make a record of its own.
    AfterCreate(Hold),
    /// It takes back what the call's final update has said: at once if that is delivered, else in its turn, and not at all if
    /// it never is.
    OnceClosed,
    /// It was to be tried at once, and this has failed already.
    Failed(Failure),
}

/// What became of a promise.
pub(super) enum Promised {
    /// It is kept, and has come so far.
    Kept(Delivered),
    /// The call has its final update already, or its create waits.
    Duplicate,
    /// An agent has had the call.
    Answered,
}

/// An entry that was just put in, and is ours to try.
#[derive(Debug, Clone, Copy)]
struct Fresh {
    id: EntryId,
    kind: EntryKind,
    is_final: bool,
}

impl Fresh {
    /// Whether it is an update in the middle of a call without a record.
    fn makes_a_record_of(&self, call: &Call) -> bool {
        self.kind == EntryKind::Update && !self.is_final && !call.is_created()
    }
}

impl Bridge {
    /// Keeps what must reach Salesforce, in one commit with what it tells of the call, and tries it within the budget: every
    /// promise is made here. What Salesforce does not take then, the worker of the outbox sends.
    ///
    /// # Errors
    /// When it cannot be kept; or Salesforce refused it for good, and it is kept as that.
    pub(super) async fn promise(&self, promise: Promise<'_>, budget: &Budget) -> Result<Promised, Trouble> {
        let Promise { subject, asks, is_final, unless_answered, mark, first } = promise;
        let last = asks.len().saturating_sub(1);
        let takes_back = matches!(first, First::OnceClosed);
        let entry = |(at, ask): (usize, &SalesforceRequest<'_>)| match takes_back {
            true => self.outbox.taking_back(*ask),
            false => self.outbox.entry(*ask, is_final && at == last, unless_answered),
        };
        let entries: Vec<NewEntry> = asks.iter().enumerate().map(entry).collect();
        let kinds: Vec<(EntryKind, bool)> =
            entries.iter().map(|entry| (entry.kind, entry.is_final)).collect();
        let name = match &subject {
            Subject::Known(note) => Some(note.call.clone()),
            Subject::Unknown(..) => None,
        };
        let hold = if let First::AfterCreate(hold) = &first { Some(hold) } else { None };
        let put = self.outbox.put_marked(subject, entries, unless_answered, hold, mark);
        let (ids, call) = match in_time(budget, put).await? {
            Enqueued::Accepted { behind: true, .. } => return Ok(Promised::Kept(Delivered::Later)),
            Enqueued::Accepted { ids, call, .. } => (ids, call),
            Enqueued::Duplicate => return Ok(Promised::Duplicate),
            Enqueued::Answered => return Ok(Promised::Answered),
        };
        let fresh = ids.iter().zip(kinds).map(|(&id, (kind, is_final))| Fresh { id, kind, is_final });
        let fresh: Vec<(Fresh, SalesforceRequest<'_>)> = fresh.zip(asks.iter().copied()).collect();
        let is_being_created = call.as_ref().is_some_and(|call| call.is_being_created(self.outbox.now()));
        let is_closed = call.as_ref().is_some_and(|call| call.closed_at.is_some());
        match (first, name) {
            (First::AfterCreate(hold), Some(name)) => self.let_go_after_create(hold, name),
            (First::NowUnlessCreated, Some(name)) if is_being_created => {
                self.give_back_after_create(ids, name);
            }
            // Whether there is something to take back is looked at in its turn.
            (First::OnceClosed, _) if !is_closed => self.outbox.give_back(&ids).await,
            (First::Failed(failure), _) => {
                fresh.iter().for_each(|(fresh, ask)| self.settle(*fresh, Some(&failure), *ask));
            }
            _ => return self.try_first(&fresh, call, budget).await.map(Promised::Kept),
        }
        Ok(Promised::Kept(Delivered::Later))
    }

    /// The first attempt on what is kept.
    ///
    /// # Errors
    /// When Salesforce refused it for good.
    async fn try_first(
        &self,
        fresh: &[(Fresh, SalesforceRequest<'_>)],
        call: Option<Box<Call>>,
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        match fresh {
            [(fresh, ask)] => match call.filter(|call| fresh.makes_a_record_of(call)) {
                Some(call) => self.make_now(*fresh, *ask, call.name, budget).await,
                None => self.try_now(*fresh, *ask, budget).await,
            },
            [clear, last] => self.try_both(*clear, *last, budget).await,
            _ => Ok(Delivered::Later),
        }
    }

    /// The final update clears the routing too. So it is tried even if the clearing failed, with half of the time for
    /// itself, and once it is delivered nothing is left to clear.
    async fn try_both(
        &self,
        (clear, clearing): (Fresh, SalesforceRequest<'_>),
        (last, update): (Fresh, SalesforceRequest<'_>),
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let org = self.org(&update.origin().call_center)?;
        let half = budget.half();
        let cleared = org.send(&self.client, clearing, &half).await.map(drop);
        budget.waited(half.upstream().unwrap_or_default());
        let updated = org.send(&self.client, update, budget).await.map(drop);
        let left = if updated.is_ok() { None } else { cleared.as_ref().err() };
        self.settle(clear, left, clearing);
        self.settle(last, updated.as_ref().err(), update);
        delivered(updated)
    }

    /// Tries a fresh entry within the budget and writes down what came of it, without waiting for that.
    ///
    /// # Errors
    /// When Salesforce refused for good: the flow is told at once. Everything else is kept and tried again.
    async fn try_now(
        &self,
        fresh: Fresh,
        ask: SalesforceRequest<'_>,
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let result = self.org(&ask.origin().call_center)?.send(&self.client, ask, budget).await.map(drop);
        self.settle(fresh, result.as_ref().err(), ask);
        delivered(result)
    }

    /// As [`Bridge::try_now`], of an update that makes the record of its call. That is written down before the answer
    /// goes out: a create that follows must know.
    ///
    /// # Errors
    /// As [`Bridge::try_now`].
    async fn make_now(
        &self,
        fresh: Fresh,
        ask: SalesforceRequest<'_>,
        call: CallName,
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let result = self.org(&ask.origin().call_center)?.send(&self.client, ask, budget).await.map(drop);
        if result.is_err() {
            self.settle(fresh, result.as_ref().err(), ask);
            return delivered(result);
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
    fn let_go_after_create(&self, hold: Hold, call: CallName) {
        let bridge = self.clone();
        self.outbox.afterwards(async move {
            bridge.created(call).await;
            bridge.outbox.let_go(&hold).await;
        });
    }

    /// The same with entries that are not held, because the create was begun while they were put in.
    fn give_back_after_create(&self, ids: Vec<EntryId>, call: CallName) {
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
    fn settle(&self, fresh: Fresh, failure: Option<&Failure>, ask: SalesforceRequest<'_>) {
        let tried = Tried { kind: fresh.kind, is_final: fresh.is_final };
        let attempt = self.outbox.judge(tried, failure, 0, self.outbox.now());
        self.tell_attempt(fresh, ask, &attempt);
        let outbox = Arc::clone(&self.outbox);
        self.outbox.afterwards(async move { outbox.settle(fresh.id, attempt, None).await });
    }

    /// Tells the log and the metrics of the first attempt on an entry.
    fn tell_attempt(&self, fresh: Fresh, ask: SalesforceRequest<'_>, attempt: &Attempt) {
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
fn delivered(result: Result<(), Failure>) -> Result<Delivered, Trouble> {
    match result {
        Ok(()) => Ok(Delivered::Now),
        Err(failure) if failure.is_passing() => Ok(Delivered::Later),
        Err(failure) => Err(failure.into()),
    }
}
