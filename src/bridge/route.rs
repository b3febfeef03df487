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

/// A request under a key, and the call that it means.
struct Aimed {
    request: ExecuteOmniFlow,
    name: CallName,
    /// Whether Salesforce would take its key for another VoiceCall.
    lacks_reference: bool,
}

/// What was put into the outbox before Salesforce answered a request to route a call.
struct Remembered {
    name: CallName,
    /// The entry that clears the routing later, if nobody knows what became of it.
    entry: NewEntry,
    put: Put,
}

/// How far that has come.
enum Put {
    Done(Result<Enqueued, StoreError>),
    /// The deadline was over first: the database may take it all the same.
    UnderWay(oneshot::Receiver<Result<Enqueued, StoreError>>),
}

impl Put {
    async fn result(self) -> Result<Enqueued, StoreError> {
        match self {
            Self::Done(result) => result,
            Self::UnderWay(told) => told.await.unwrap_or(Err(StoreError::Closed)),
        }
    }
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
        if let Some(remembered) = remembered {
            self.settle_routing(remembered, result.as_ref().err(), &request.call);
        }
        // Where nobody knows what Salesforce did, that entry clears it; there is no time left to look at the call either.
        if !matches!(&result, Err(failure) if failure.is_unknown() || matches!(failure, Failure::Refused { .. }))
        {
            self.clear_if_over(request, budget).await;
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
        let known = match meant {
            Some(meant) => Some(meant.name.clone()),
            None => {
                let interaction = or_nothing(self.interaction(center, call, budget).await);
                interaction.find(call).map(|call| call.name.clone())
            }
        };
        let name = known.or_else(|| named(center, call))?;
        let now = self.outbox.now();
        let note = Note { routed_at: Some(now), ..Note::of(name.clone(), now) };
        let filled = self.filled(Some(&note));
        let entry = self.outbox.late_clear(call, &request.origin, self.settings.deadlines.execute_omni_flow);
        let (tell, mut told) = oneshot::channel();
        let (outbox, entries) = (Arc::clone(&self.outbox), vec![entry.clone()]);
        self.outbox.afterwards(async move {
            // Who waits no longer for it finds it in the channel.
            let _ = tell.send(outbox.put(Subject::Known(note.into()), entries, false, None).await);
        });
        let put = async {
            match timeout_at(budget.deadline(), &mut told).await {
                Ok(result) => Put::Done(result.unwrap_or(Err(StoreError::Closed))),
                Err(_) => Put::UnderWay(told),
            }
        };
        let picked = self.remember_picked(filled.as_ref(), "executeOmniFlow", &request.picked, budget);
        let (put, ()) = tokio::join!(put, picked);
        match &put {
            Put::Done(Ok(_)) => {}
            Put::Done(Err(error)) => without_journal(&error.clone().into()),
            Put::UnderWay(_) => without_journal(&BridgeError::StoreLate),
        }
        Some(Remembered { name, entry, put })
    }

    /// Writes down what Salesforce did; nobody waits for that. Once it is known, nothing is left to clear. Else the entry stays
    /// until it is due.
    fn settle_routing(&self, remembered: Remembered, failure: Option<&Failure>, call: &CallReference) {
        let (outbox, now) = (Arc::clone(&self.outbox), self.outbox.now());
        let Remembered { name, entry, put } = remembered;
        let (result, attempt) = match failure {
            None => (RouteResult::Routed, Attempt::Delivered { close: false }),
            Some(failure) if failure.is_unknown() => {
                let (due, words) = (entry.next_at, failure.to_string());
                tracing::warn!(%call, %due, words, "Salesforce may still route it; cleared then if its caller is gone");
                (RouteResult::Unknown, Attempt::NotTried { next_at: due, words })
            }
            Some(_) => (RouteResult::NotRouted, Attempt::Delivered { close: false }),
        };
        let route_at = (result != RouteResult::NotRouted).then_some(now);
        let note = Note { route_result: Some(result), route_at, ..Note::of(name, now) };
        let asked = Note { routed_at: Some(now), ..note.clone() };
        self.outbox.afterwards(async move {
            match put.result().await {
                Ok(Enqueued::Accepted { ids, .. }) => {
                    for id in ids {
                        outbox.settle(id, attempt.clone(), Some(note.clone())).await;
                    }
                }
                Ok(Enqueued::Duplicate | Enqueued::Answered) => outbox.note_later(asked),
                Err(_) if result == RouteResult::Unknown => outbox.put_later(asked, entry),
                Err(_) => outbox.note_later(asked),
            }
        });
    }

    /// A caller who was gone before the answer came waits for nobody: the PendingServiceRouting that the flow has just
    /// made is cleared again.
    async fn clear_if_over(&self, request: &ExecuteOmniFlow, budget: &Budget) {
        let interaction =
            or_nothing(self.interaction(&request.origin.call_center, &request.call, budget).await);
        let call = interaction.find(&request.call);
        let Some(call) = call.filter(|call| call.ended_at.is_some() && !call.is_answered()) else { return };
        let (reference, note) = (call.reference(), Note::of(call.name.clone(), self.outbox.now()));
        let ask = SalesforceRequest::ClearRouting(&reference, &request.origin);
        if let Err(error) = self.keep_and_send(ask, Some(note), false, Guard::On, None, budget).await {
            let key = call.name.vendor_call_key();
            tracing::warn!(vendor_call_key = %key, %error, "the routing of a caller who is gone was not cleared");
        }
    }
}
