//! Where shall the call go?

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::time::timeout_at;

use super::update::Guard;
use super::{Bridge, BridgeError, named, or_nothing, without_journal};
use crate::domain::{CallName, CallReference, ExecuteOmniFlow, RouteResult, Routing};
use crate::salesforce::{Budget, Failure, SalesforceRequest};
use crate::store::{Attempt, Enqueued, NewEntry, Note, StoreError, Subject};

/// Where a call goes, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routed {
    /// The queue or agent.
    pub routing: Routing,
    /// Whether it is the configured fallback queue, because Salesforce could not say.
    pub fallback: bool,
}

/// Why a call is not routed whose record is still to be made.
const NOT_YET: &str = "the VoiceCall is still to be created, and its key names an earlier one";

/// Why a routing is looked at again of which Salesforce has told what it did.
const NOT_READ: &str = "the database could not tell whether its caller is gone";

/// A request under a key, and the call that it means.
struct Aimed {
    request: ExecuteOmniFlow,
    name: CallName,
    /// Whether Salesforce would take its key for another VoiceCall.
    lacks_reference: bool,
}

/// What was put into the outbox before Salesforce answered a request to route a call.
struct Remembered {
    /// The entry that clears the routing later, if nobody knows what became of it or of the caller.
    entry: NewEntry,
    put: Put,
}

/// How far that has come.
enum Put {
    Done(CallName, Result<Enqueued, StoreError>),
    /// The deadline was over first: the database may take it all the same.
    UnderWay(CallName, oneshot::Receiver<Result<Enqueued, StoreError>>),
    /// The database could not even tell whose VoiceCall it is that the flow knows by its id.
    NameUnread,
}

impl Bridge {
    /// Asks the Omni-Channel flow. When Salesforce cannot answer and the contact center has a fallback queue, the
    /// caller goes there; a request that Salesforce refuses is the flow designer's to mend and is told.
    ///
    /// # Errors
    /// When there is neither an answer nor a fallback queue.
    pub async fn route(&self, request: &ExecuteOmniFlow, budget: &Budget) -> Result<Routed, BridgeError> {
        let name = &request.origin.call_center;
        let org = self.org(name)?;
        let meant = self.aimed(request, budget).await;
        let request = meant.as_ref().map_or(request, |meant| &meant.request);
        let asked = async {
            match meant.as_ref().filter(|meant| meant.lacks_reference) {
                None => org.omni_flow(&self.client, request, budget).await,
                Some(_) => Err(Failure::Again { after: None, words: String::from(NOT_YET) }),
            }
        };
        // Beside each other: a hang-up right after the answer must find it, and nobody waits longer for that.
        let (result, remembered) =
            tokio::join!(asked, self.remember_routing(request, meant.as_ref(), budget));
        // Where nobody knows what Salesforce did, that entry clears it; there is no time left to look at the call either.
        let is_settled = match &result {
            Err(failure) if failure.is_unknown() => false,
            Err(Failure::Refused { .. }) => true,
            _ => self.clear_if_over(request, budget).await.is_ok(),
        };
        if let Some(remembered) = remembered {
            self.settle_routing(remembered, result.as_ref().err(), is_settled, request);
        }
        let failure = match result {
            Ok(routing) => return Ok(Routed { routing, fallback: false }),
            Err(refused @ Failure::Refused { .. }) => return Err(refused.into()),
            Err(failure) => failure,
        };
        let Some(queue) = self.call_center(name.as_ref()).and_then(|center| center.fallback_queue.clone())
        else {
            return Err(failure.into());
        };
        tracing::warn!(call_center = %name, call = %request.call, %queue, reason = %failure, "answered the fallback queue");
        Ok(Routed { routing: Routing { queue: Some(queue), agent: None }, fallback: true })
    }

    /// Under a key that has several VoiceCalls, the newest one is meant; Salesforce might take another.
    async fn aimed(&self, request: &ExecuteOmniFlow, budget: &Budget) -> Option<Aimed> {
        let CallReference::Key(_) = &request.call else { return None };
        let interaction =
            or_nothing(self.interaction(&request.origin.call_center, &request.call, budget).await);
        let call = interaction.newest()?;
        let aim = if interaction.is_transferred() { call.reference() } else { request.call.clone() };
        Some(Aimed {
            request: ExecuteOmniFlow { call: aim, ..request.clone() },
            name: call.name.clone(),
            lacks_reference: interaction.lacks_reference(call),
        })
    }

    /// Asked means routed, whatever comes of it: the vendor's flow queues the call after a failure too. With that the
    /// outbox is given an entry that clears the routing which Salesforce may make when its caller is gone and nobody waits
    /// for its answer any more: after the deadline, or after the end of this process.
    async fn remember_routing(
        &self,
        request: &ExecuteOmniFlow,
        meant: Option<&Aimed>,
        budget: &Budget,
    ) -> Option<Remembered> {
        let (call, center) = (&request.call, &request.origin.call_center);
        let entry = self.outbox.late_clear(call, &request.origin, self.settings.deadlines.execute_omni_flow);
        let known = match meant {
            Some(meant) => Ok(Some(meant.name.clone())),
            None => {
                let interaction = self.interaction(center, call, budget).await;
                interaction.map(|interaction| interaction.find(call).map(|call| call.name.clone()))
            }
        };
        let unread = || named(center, call).or_else(|| self.outbox.recent_name(center, call));
        let name = match known {
            Ok(known) => known.or_else(unread)?,
            Err(error) => {
                without_journal(&error);
                let Some(name) = unread() else { return Some(Remembered { entry, put: Put::NameUnread }) };
                name
            }
        };
        let now = self.outbox.now();
        let note = Note { routed_at: Some(now), ..Note::of(name.clone(), now) };
        let filled = self.filled(Some(&note));
        let (tell, mut told) = oneshot::channel();
        let (outbox, entries) = (Arc::clone(&self.outbox), vec![entry.clone()]);
        self.outbox.afterwards(async move {
            // Who waits no longer for it finds it in the channel.
            let _ = tell.send(outbox.put(Subject::Known(note.into()), entries, false, None).await);
        });
        let put = async {
            match timeout_at(budget.deadline(), &mut told).await {
                Ok(result) => Put::Done(name, result.unwrap_or(Err(StoreError::Closed))),
                Err(_) => Put::UnderWay(name, told),
            }
        };
        let picked = self.remember_picked(filled.as_ref(), "executeOmniFlow", &request.picked, budget);
        let (put, ()) = tokio::join!(put, picked);
        match &put {
            Put::Done(_, Err(error)) => without_journal(&error.clone().into()),
            Put::UnderWay(..) => without_journal(&BridgeError::StoreLate),
            Put::Done(_, Ok(_)) | Put::NameUnread => {}
        }
        Some(Remembered { entry, put })
    }

    /// Writes down what Salesforce did; nobody waits for that. Where that is known, and whether the caller is gone, nothing is
    /// left to clear: `is_settled`. Else the entry stays until it is due.
    fn settle_routing(
        &self,
        Remembered { entry, put }: Remembered,
        failure: Option<&Failure>,
        is_settled: bool,
        request: &ExecuteOmniFlow,
    ) {
        let result = match failure {
            None => RouteResult::Routed,
            Some(failure) if failure.is_unknown() => RouteResult::Unknown,
            Some(_) => RouteResult::NotRouted,
        };
        let attempt = if is_settled {
            Attempt::Delivered { close: false }
        } else {
            let words = failure.map_or_else(|| NOT_READ.to_owned(), ToString::to_string);
            tracing::warn!(call = %request.call, due = %entry.next_at, words, "the routing is cleared then if its caller is gone");
            Attempt::NotTried { next_at: entry.next_at, words }
        };
        let (outbox, now) = (Arc::clone(&self.outbox), self.outbox.now());
        let (center, call) = (request.origin.call_center.clone(), request.call.clone());
        self.outbox.afterwards(async move {
            let (name, put) = match put {
                Put::Done(name, put) => (name, put),
                Put::UnderWay(name, told) => (name, told.await.unwrap_or(Err(StoreError::Closed))),
                Put::NameUnread => match outbox.name_later(&center, &call).await {
                    Some(name) => (name, Err(StoreError::Closed)),
                    None => return,
                },
            };
            let route_at = (result != RouteResult::NotRouted).then_some(now);
            let note = Note { route_result: Some(result), route_at, ..Note::of(name, now) };
            let asked = Note { routed_at: Some(now), ..note.clone() };
            match put {
                Ok(Enqueued::Accepted { ids, .. }) => {
                    for id in ids {
                        outbox.settle(id, attempt.clone(), Some(note.clone())).await;
                    }
                }
                Ok(Enqueued::Duplicate | Enqueued::Answered) => outbox.note_later(asked),
                Err(_) if is_settled => outbox.note_later(asked),
                Err(_) => outbox.put_later(asked, entry),
            }
        });
    }

    /// A caller who was gone before the answer came waits for nobody: the PendingServiceRouting that the flow has just
    /// made is cleared again.
    ///
    /// # Errors
    /// When whether the caller is gone cannot be read.
    async fn clear_if_over(&self, request: &ExecuteOmniFlow, budget: &Budget) -> Result<(), BridgeError> {
        let interaction = self
            .interaction(&request.origin.call_center, &request.call, budget)
            .await
            .inspect_err(without_journal)?;
        let call = interaction.find(&request.call);
        let Some(call) = call.filter(|call| call.ended_at.is_some() && !call.is_answered()) else {
            return Ok(());
        };
        let (reference, note) = (call.reference(), Note::of(call.name.clone(), self.outbox.now()));
        let ask = SalesforceRequest::ClearRouting(&reference, &request.origin);
        if let Err(error) = self.keep_and_send(ask, Some(note), false, Guard::On, None, budget).await {
            let key = call.name.vendor_call_key();
            tracing::warn!(vendor_call_key = %key, %error, "the routing of a caller who is gone was not cleared");
        }
        Ok(())
    }
}
