//! What is promised is written down first and tried at once.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::create::LOOK;
use super::{Bridge, BridgeError, in_time};
use crate::domain::{CallName, CallReference};
use crate::outbox::{By, Delivery, Hold};
use crate::salesforce::{Budget, Failure, SalesforceRequest};
use crate::store::{Enqueued, Entry, EntryId, NewEntry, NewEvent, Subject};

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

impl Bridge {
    /// Keeps what must reach Salesforce, in one commit with what it tells of the call, and tries it within the budget: every
    /// promise is made here. What Salesforce does not take then, the worker of the outbox sends.
    ///
    /// # Errors
    /// When it cannot be kept; or Salesforce refused it for good, and it is kept as that.
    pub(super) async fn promise(
        &self,
        promise: Promise<'_>,
        budget: &Budget,
    ) -> Result<Promised, BridgeError> {
        let Promise { subject, asks, is_final, unless_answered, mark, first } = promise;
        let last = asks.len().saturating_sub(1);
        let takes_back = matches!(first, First::OnceClosed);
        let entry = |(at, ask): (usize, &SalesforceRequest<'_>)| match takes_back {
            true => self.outbox.taking_back(*ask),
            false => self.outbox.entry(*ask, is_final && at == last, unless_answered),
        };
        let entries: Vec<NewEntry> = asks.iter().enumerate().map(entry).collect();
        let center = match &subject {
            Subject::Known(note) => note.call.call_center().clone(),
            Subject::Unknown(center, _) => center.clone(),
        };
        let name = match &subject {
            Subject::Known(note) => Some(note.call.clone()),
            Subject::Unknown(..) => None,
        };
        let hold = if let First::AfterCreate(hold) = &first { Some(hold) } else { None };
        let put = self.outbox.put_marked(subject, entries.clone(), unless_answered, hold, mark);
        let (ids, call) = match in_time(budget, put).await? {
            Enqueued::Accepted { behind: true, .. } => return Ok(Promised::Kept(Delivered::Later)),
            Enqueued::Accepted { ids, call, .. } => (ids, call),
            Enqueued::Duplicate => return Ok(Promised::Duplicate),
            Enqueued::Answered => return Ok(Promised::Answered),
        };
        let is_being_created = call.as_ref().is_some_and(|call| call.is_being_created(self.outbox.now()));
        let is_closed = call.as_ref().is_some_and(|call| call.closed_at.is_some());
        let entry = |(&id, new)| Entry::fresh(id, new, center.clone(), call.as_deref().cloned());
        let fresh: Vec<Entry> = ids.iter().zip(entries).map(entry).collect();
        let (outbox, orgs, client) = (&self.outbox, &*self.orgs, &self.client);
        let delivery = Delivery { outbox, orgs, client, by: By::Request };
        match (first, name) {
            (First::AfterCreate(hold), Some(name)) => self.let_go_after_create(hold, name),
            (First::NowUnlessCreated, Some(name)) if is_being_created => {
                self.give_back_after_create(ids, name);
            }
            // Whether there is something to take back is looked at in its turn.
            (First::OnceClosed, _) if !is_closed => self.outbox.give_back(&ids).await,
            (First::Failed(failure), _) => delivery.failed(fresh, &failure).await,
            _ => {
                return match delivery.deliver(fresh, budget).await {
                    Ok(()) => Ok(Promised::Kept(Delivered::Now)),
                    Err(failure) if failure.is_passing() => Ok(Promised::Kept(Delivered::Later)),
                    Err(failure) => Err(failure.into()),
                };
            }
        }
        Ok(Promised::Kept(Delivered::Later))
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
}
