//! What happens to a call: one verb a file. Each takes a request that is known to be sound, remembers what it must,
//! asks Salesforce within the budget and says what came of it.

mod answer;
mod attributes;
mod carried;
mod conclude;
mod count;
mod create;
mod deliver;
mod end;
mod error;
mod inquire;
mod keep_event;
mod record;
mod route;
mod signs;
mod transfer;
mod turns;
mod update;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::FutureExt as _;
use reqwest::Client;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::domain::{
    Call, CallCenterName, CallFacts, CallName, CallReference, Fact, Fingerprint, Interaction,
};
use crate::outbox::Outbox;
use crate::salesforce::{Budget, Failure, Org, Orgs};
use crate::settings::{CallCenter, Settings};
use crate::store::{Note, Store, StoreError};
use crate::telemetry::LogSubject;

pub use carried::Carried;
pub use conclude::{Concluded, Conclusion, Enriched, Unmapped};
pub use deliver::Delivered;
pub use end::Ended;
pub use error::BridgeError;
pub use route::Routed;
pub use turns::{Turn, Turns};

/// Who is busy with which call: by contact center and vendorCallKey.
pub type CallTurns = Turns<(CallCenterName, String)>;

/// A bridge that another takes the place of when the configuration changes, for work that is no flow's request.
pub type SharedBridge = Arc<ArcSwap<Bridge>>;

/// Everything the verbs need. One a worker thread, each with its own pool of connections; the rest is shared.
#[derive(Clone)]
pub struct Bridge {
    settings: Arc<Settings>,
    orgs: Arc<Orgs>,
    client: Client,
    outbox: Arc<Outbox>,
    turns: Arc<CallTurns>,
    wanted: Arc<carried::Wanted>,
    /// Places for requests that wait for a database that has failed.
    waiting_for_store: Arc<Semaphore>,
}

/// How long a request waits for a database that has failed: a backup or another program locks it for a moment, and a flow
/// repeats what is refused at once, and once only.
const STORE_PATIENCE: Duration = Duration::from_secs(2);
/// How many requests do so at the same time, for each worker: the others must not lack the places of those that wait.
const WAITING_FOR_STORE: usize = 100;

impl Bridge {
    /// With a client of its own. `turns` are those of all bridges of the process, of earlier configurations too.
    #[must_use]
    pub fn new(
        settings: &Arc<Settings>,
        client: Client,
        orgs: &Arc<Orgs>,
        outbox: &Arc<Outbox>,
        turns: &Arc<CallTurns>,
    ) -> Self {
        let wanted = Arc::new(carried::Wanted::of(settings));
        let (settings, orgs) = (Arc::clone(settings), Arc::clone(orgs));
        Self {
            settings,
            orgs,
            client,
            outbox: Arc::clone(outbox),
            turns: Arc::clone(turns),
            wanted,
            waiting_for_store: Arc::new(Semaphore::new(WAITING_FOR_STORE)),
        }
    }

    /// The configuration that it works by.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where it keeps what it learns.
    #[must_use]
    pub fn store(&self) -> &Store {
        self.outbox.store()
    }

    /// A contact center of the configuration.
    #[must_use]
    pub fn call_center(&self, name: &str) -> Option<&CallCenter> {
        self.settings.call_centers.get(name)
    }

    /// Where the database has failed, waits a moment for it, half of the time at most: what follows must be kept.
    async fn until_store_works(&self, budget: &Budget) {
        if self.store().ready().is_ok() {
            return;
        }
        let Ok(_place) = self.waiting_for_store.try_acquire() else { return };
        let until = budget.half().deadline().min(Instant::now() + STORE_PATIENCE);
        // What follows tells whether it works.
        let _ = timeout_at(until, self.store().recovered()).await;
    }

    fn org(&self, name: &CallCenterName) -> Result<&Org, Failure> {
        self.orgs.get(name.as_ref()).ok_or_else(|| Failure::Misconfigured {
            words: format!("no contact center {name} is configured"),
        })
    }

    /// All that is known of the interaction of a call.
    ///
    /// # Errors
    /// When it cannot be read: nothing is decided on a guess.
    async fn interaction(
        &self,
        center: &CallCenterName,
        call: &CallReference,
        budget: &Budget,
    ) -> Result<Interaction, BridgeError> {
        let interaction = in_time(budget, self.store().interaction(center, call)).await?;
        // A flow may know a call by its id only.
        if let Some(call) = interaction.newest() {
            LogSubject::learn_call(call.name.vendor_call_key().as_ref());
        }
        Ok(interaction)
    }

    /// An agent as the journal keeps them; none where a template left the name empty.
    fn fingerprint_of(&self, agent: Option<&str>) -> Option<Fingerprint> {
        let agent = agent.map(str::trim).filter(|agent| !agent.is_empty())?;
        Some(self.store().fingerprint(&[agent]))
    }

    /// Writes down what is learned of a call, as [`Bridge::write_down`] does.
    async fn note_down(&self, note: Note, budget: &Budget) {
        let store = self.store().clone();
        self.write_down(async move { store.note(note).await }, budget).await;
    }

    /// Has something written that changes nothing about the answer. The answer waits for it until the deadline, which may
    /// have passed with Salesforce already; after that nobody waits, and only a database that refuses is worth a word.
    fn write_down(
        &self,
        work: impl Future<Output = Result<(), StoreError>> + Send + 'static,
        budget: &Budget,
    ) -> impl Future<Output = ()> {
        let told = |written: Result<(), StoreError>| {
            written.unwrap_or_else(|error| without_journal(&error.into()));
        };
        // Boxed before the future is made: else every request has room for it.
        let mut work = Box::pin(work);
        async move {
            match timeout_at(budget.deadline(), &mut work).await {
                Ok(written) => told(written),
                Err(_) => self.outbox.afterwards(async move { told(work.await) }),
            }
        }
    }
}

/// Work of the store within the deadline of the route: a database that does not answer must not hold a caller.
///
/// # Errors
/// When the store refuses, or the deadline passes. What was to be written may then be written all the same.
fn in_time<T>(
    budget: &Budget,
    work: impl Future<Output = Result<T, StoreError>>,
) -> impl Future<Output = Result<T, BridgeError>> {
    // An async function has room for its arguments twice.
    timeout_at(budget.deadline(), work).map(|done| match done {
        Ok(result) => Ok(result?),
        Err(_) => Err(BridgeError::StoreLate),
    })
}

/// What was read of the journal; nothing where it could not be read. Only for creates and routings, which go on without
/// what came before: a caller is waiting, and nothing of theirs takes anything back.
fn or_nothing<T: Default>(read: Result<T, BridgeError>) -> T {
    read.unwrap_or_else(|error| {
        without_journal(&error);
        T::default()
    })
}

/// Tells the log that a request goes on without the journal.
fn without_journal(error: &BridgeError) {
    tracing::warn!(%error, "the journal cannot be used; going on without it");
}

/// What is known of a call, as facts to decide by.
fn facts(call: &Call) -> CallFacts {
    let fact = |holds: bool, fact: Fact| holds.then_some(fact);
    CallFacts::default()
        .and(fact(call.is_created() && call.fingerprint.is_some(), Fact::Created))
        .and(fact(!call.name.parent().is_empty(), Fact::Transferred))
        .and(fact(call.routed_at.is_some(), Fact::Routed))
        .and(fact(call.answered_at.is_some(), Fact::AgentAnswered))
        .and(fact(call.ended_at.is_some(), Fact::HangUpHandled))
        .and(fact(call.closed_at.is_some(), Fact::FinalUpdateSent))
}

/// The name of a call that is known by its key alone.
fn named(center: &CallCenterName, call: &CallReference) -> Option<CallName> {
    match call {
        CallReference::Key(key) => Some(CallName::new(center.clone(), key.clone(), None)),
        CallReference::Id(_) => None,
    }
}
