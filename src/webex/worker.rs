//! Looks after tasks that have ended, once their late events have had their time.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::bridge::{Bridge, Concluded, Conclusion, Trouble, Unmapped};
use crate::outbox::Outbox;
use crate::salesforce::Budget;
use crate::store::{ClaimTasks, SettleTask, StoreError, Task};
use crate::telemetry::Metrics;

/// How long one task may take; what Salesforce has not taken by then waits in the outbox.
const LOOK: Duration = Duration::from_secs(4);
/// Tasks looked at together.
const TOGETHER: u32 = 16;
/// The longest nap: another replica may have kept the end of a task.
const NAP: Duration = Duration::from_secs(1);
/// Ids without a name that are told of once; beyond, they are only counted.
const MOST_TOLD: usize = 10_000;

/// Concludes tasks, one replica at a time for each.
pub struct TaskWorker {
    bridge: ArcSwap<Bridge>,
    outbox: Arc<Outbox>,
    ledger: Arc<Ledger>,
}

/// What is counted, and told once.
struct Ledger {
    metrics: Arc<Metrics>,
    told: Mutex<HashSet<Unmapped>>,
}

impl TaskWorker {
    /// A worker with a bridge of its own.
    #[must_use]
    pub fn new(bridge: Bridge, outbox: Arc<Outbox>, metrics: Arc<Metrics>) -> Self {
        let ledger = Arc::new(Ledger { metrics, told: Mutex::default() });
        Self { bridge: ArcSwap::from_pointee(bridge), outbox, ledger }
    }

    /// Works with another bridge from now on.
    pub fn adopt(&self, bridge: Bridge) {
        self.bridge.store(Arc::new(bridge));
    }

    /// Works until it is dropped.
    pub async fn run(self: Arc<Self>) {
        loop {
            match self.step().await {
                Ok(0) => self.nap().await,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "Webex's tasks cannot be read");
                    tokio::time::sleep(NAP).await;
                }
            }
        }
    }

    /// Claims what is due now and concludes each once; gives how many those were.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step(&self) -> Result<usize, StoreError> {
        let claim = ClaimTasks {
            now: self.outbox.now(),
            owner: self.outbox.owner().to_owned(),
            until: self.outbox.lease_until(),
            limit: TOGETHER,
        };
        let tasks = self.outbox.store().claim_tasks(&claim).await?;
        let count = tasks.len();
        let mut looks = JoinSet::new();
        for task in tasks {
            let (bridge, outbox) = (self.bridge.load_full(), Arc::clone(&self.outbox));
            let ledger = Arc::clone(&self.ledger);
            looks.spawn(async move { look(&bridge, &outbox, &ledger, task).await });
        }
        while looks.join_next().await.is_some() {}
        Ok(count)
    }

    async fn nap(&self) {
        let due = self.outbox.store().next_task().await.ok().flatten();
        let left = due.map(|due| due.duration_since(self.outbox.now()));
        let left = left.and_then(|left| Duration::try_from(left).ok()).unwrap_or(NAP);
        tokio::time::sleep(left.clamp(Duration::from_millis(10), NAP)).await;
    }
}

impl Ledger {
    fn enter(&self, concluded: &Concluded) {
        for enriched in &concluded.enriched {
            self.metrics.enriched(enriched.label());
        }
        for unmapped in &concluded.unmapped {
            self.metrics.unmapped(unmapped.table);
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() < MOST_TOLD && told.insert(unmapped.clone()) {
                let Unmapped { table, call_center, id } = unmapped;
                let key = format!("call_centers.{call_center}.enrichment.{table}");
                tracing::warn!(key, id, "this id of Webex has no name here: it is left out of final updates");
            }
        }
    }
}

/// A look at one task. If nothing can be written down, the claim ends by itself, and somebody looks again.
async fn look(bridge: &Bridge, outbox: &Outbox, ledger: &Ledger, mut task: Task) {
    let id = task.id.to_string();
    match bridge.conclude(&mut task, &Budget::new(Instant::now(), LOOK)).await {
        Ok(concluded) => {
            ledger.enter(&concluded);
            if concluded.conclusion != Conclusion::Open {
                tracing::info!(task = id, conclusion = ?concluded.conclusion, enriched = ?concluded.enriched, "Webex says that a call has ended");
            }
        }
        Err(Trouble::Store(error)) => {
            tracing::warn!(task = id, %error, "the end of a task cannot be written down; trying again later");
            return;
        }
        Err(error) => tracing::error!(task = id, %error, "Salesforce refused the end of a call"),
    }
    let (owner, now) = (outbox.owner().to_owned(), outbox.now());
    let settle = SettleTask { task, owner, due_at: None, folds: true, now };
    if let Err(error) = outbox.store().settle_task(settle).await {
        tracing::warn!(task = id, %error, "a task was not folded; it will be looked at again");
    }
}
