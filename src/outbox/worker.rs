//! The worker: takes up what is due and tries it again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};

use super::{By, Delivery, Outbox};
use crate::domain::CallCenterName;
use crate::salesforce::{Budget, Orgs};
use crate::settings;
use crate::store::{DueCenter, Lease, LeaseOf, StoreError};
use crate::telemetry::{LogSubject, Traces};

/// The longest nap: another replica or an operator may have put something in.
const NAP: Duration = Duration::from_secs(1);
/// How often it is looked for entries of contact centers that are not configured any more.
const OTHERS: Duration = Duration::from_secs(10);

/// How often it is looked for times that lie too far ahead, as long as our own clock goes on.
const LOOK: Duration = Duration::from_secs(600);
/// By how much the clock may go back without a word: it is corrected a little all the time.
const CORRECTION: SignedDuration = SignedDuration::from_secs(1);

/// Delivers what the request handlers could not. Each contact center has places of its own, so that one whose
/// Salesforce hangs holds up its own entries only.
pub struct Worker {
    outbox: Arc<Outbox>,
    ways: ArcSwap<Ways>,
    /// The places of each contact center.
    concurrency: usize,
    /// What is under way. Who holds it takes a step; others wait.
    deliveries: Mutex<JoinSet<()>>,
    /// What the clock said at the last step.
    watch: Mutex<Option<Watched>>,
    /// What was seen of each contact center's Salesforce.
    seen: Mutex<HashMap<CallCenterName, u64>>,
    /// When this worker began.
    began: Timestamp,
    /// Begins a span for each attempt, where traces are on.
    traces: Option<Arc<Traces>>,
}

/// The clock as it was.
#[derive(Clone, Copy)]
struct Watched {
    at: Timestamp,
    /// When it was looked for times that lie too far ahead.
    looked: Instant,
}

/// What a step has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerStep {
    /// How many entries it has begun to try.
    pub taken: usize,
    /// When the next entry is due of those that could be tried now.
    pub next_at: Option<Timestamp>,
}

/// How Salesforce is reached, as the configuration of the moment says.
struct Ways {
    orgs: Arc<Orgs>,
    client: Client,
    /// The places of each contact center.
    free: HashMap<CallCenterName, Arc<Semaphore>>,
    /// When it was looked for entries of other contact centers.
    others_looked: Mutex<Option<Instant>>,
}

impl Ways {
    /// A contact center that had its places `before` keeps them: some of them may be taken.
    fn new(
        orgs: Arc<Orgs>,
        client: Client,
        before: &HashMap<CallCenterName, Arc<Semaphore>>,
        concurrency: usize,
    ) -> Self {
        let names = orgs.iter().filter_map(|(name, _)| CallCenterName::parse(name).ok());
        let places = |name: &CallCenterName| {
            before.get(name).map_or_else(|| Arc::new(Semaphore::new(concurrency)), Arc::clone)
        };
        let free = names.map(|name| (name.clone(), places(&name))).collect();
        Self { orgs, client, free, others_looked: Mutex::default() }
    }

    /// The contact centers that may be asked, each with its free places.
    fn places(&self) -> HashMap<&CallCenterName, usize> {
        let now = Instant::now();
        let pauses = |name: &CallCenterName| self.orgs.get(name.as_ref()).is_some_and(|org| org.pauses(now));
        let places = self.free.iter().map(|(name, free)| (name, free.available_permits()));
        places.filter(|(name, free)| *free > 0 && !pauses(name)).collect()
    }
}

impl Worker {
    /// A worker over an outbox, with `concurrency` places for each contact center.
    #[must_use]
    pub fn new(outbox: Arc<Outbox>, orgs: Arc<Orgs>, client: Client, concurrency: usize) -> Self {
        let ways = ArcSwap::from_pointee(Ways::new(orgs, client, &HashMap::new(), concurrency));
        let (began, deliveries) = (outbox.now(), Mutex::default());
        let (watch, seen) = (Mutex::default(), Mutex::default());
        Self { outbox, ways, concurrency, deliveries, watch, seen, began, traces: None }
    }

    /// Begins a span for each attempt, where traces are on.
    #[must_use]
    pub fn traced(self, traces: Option<Arc<Traces>>) -> Self {
        Self { traces, ..self }
    }

    /// Reaches Salesforce this way from the next attempt on. What is under way ends as it began, in its place.
    pub fn adopt(&self, orgs: Arc<Orgs>, client: Client) {
        let before = self.ways.load_full();
        self.ways.store(Arc::new(Ways::new(orgs, client, &before.free, self.concurrency)));
    }

    /// Works until it is dropped.
    pub async fn run(self: Arc<Self>) {
        loop {
            match self.step().await {
                Ok(WorkerStep { taken: 0, next_at }) => self.nap(next_at).await,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "the outbox cannot be read");
                    tokio::time::sleep(NAP).await;
                }
            }
        }
    }

    /// Takes up what is due now, as far as there are places, and begins to try each once. Waits for none of them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn step(&self) -> Result<WorkerStep, StoreError> {
        self.watch_clock().await?;
        let mut deliveries = self.deliveries.lock().await;
        while deliveries.try_join_next().is_some() {}
        let ways = self.ways.load_full();
        self.watch_orgs(&ways).await?;
        let (places, now) = (ways.places(), self.outbox.now());
        let names: Vec<CallCenterName> = places.keys().copied().cloned().collect();
        let due = self.outbox.store().next_due(&names, now).await?;
        let (due, later): (Vec<_>, Vec<_>) = due.into_iter().partition(|due| due.next_at <= now);
        let mut step = WorkerStep { taken: 0, next_at: later.iter().map(|later| later.next_at).min() };
        for DueCenter { call_center, .. } in due {
            let limit = places.get(&call_center).copied().unwrap_or_default();
            step.taken += self.take_up(LeaseOf::Center(call_center), limit, &ways, &mut deliveries).await?;
        }
        let mut looked = ways.others_looked.lock().await;
        if looked.is_none_or(|looked| looked.elapsed() >= OTHERS) {
            let others = LeaseOf::AllBut(ways.free.keys().cloned().collect());
            step.taken += self.take_up(others, self.concurrency, &ways, &mut deliveries).await?;
            *looked = Some(Instant::now());
        }
        Ok(step)
    }

    /// Leases at most so many entries that are due, and begins to try them; gives how many those are.
    async fn take_up(
        &self,
        of: LeaseOf,
        limit: usize,
        ways: &Arc<Ways>,
        deliveries: &mut JoinSet<()>,
    ) -> Result<usize, StoreError> {
        let lease = Lease {
            now: self.outbox.now(),
            owner: self.outbox.owner().to_owned(),
            until: self.outbox.lease_until(),
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            of,
        };
        let entries = self.outbox.store().lease_due(&lease).await?;
        let taken = entries.len();
        for entry in entries {
            let (outbox, ways) = (Arc::clone(&self.outbox), Arc::clone(ways));
            let free = ways.free.get(&entry.call_center);
            let place = free.and_then(|free| Arc::clone(free).try_acquire_owned().ok());
            let key = entry.call.as_ref().map(|call| call.name.vendor_call_key().as_ref());
            let mut subject = LogSubject::of_call(Some(entry.call_center.as_ref()), key);
            if let Some(traces) = &self.traces {
                let span = traces.work("outbox attempt");
                span.set("scv.entry.kind", entry.kind.name());
                span.set("scv.entry.attempts", i64::from(entry.attempts));
                subject = subject.within(span);
            }
            deliveries.spawn(subject.about(async move {
                let budget = Budget::new(Instant::now(), settings::Outbox::ATTEMPT).patient();
                let (orgs, client) = (&*ways.orgs, &ways.client);
                let delivery = Delivery { outbox: &outbox, orgs, client, by: By::Worker };
                // What keeps Salesforce from taking it is written down with it.
                let _ = delivery.deliver(vec![entry], &budget).await;
                drop(place);
                // The next entry of the call, or of the contact center, can be taken up.
                outbox.wake_worker();
            }));
        }
        Ok(taken)
    }

    /// At the start, whenever the clock was set back, and now and then: another replica's clock may have been.
    async fn watch_clock(&self) -> Result<(), StoreError> {
        let mut watch = self.watch.lock().await;
        let (at, now) = (self.outbox.now(), Instant::now());
        let is_set_back = watch.is_some_and(|before| before.at.duration_since(at) > CORRECTION);
        let looked = watch.filter(|before| !is_set_back && now.duration_since(before.looked) < LOOK);
        if looked.is_none() {
            self.outbox.bring_back(is_set_back).await?;
        }
        *watch = Some(Watched { at, looked: looked.map_or(now, |before| before.looked) });
        Ok(())
    }

    /// Makes due what waits for a Salesforce that is back, whatever its schedule says. Of one that answers for the first
    /// time, that is what an earlier process has left behind. While it is away, one entry tries now and then: without
    /// that nobody would see its return before the next attempt of the schedule.
    async fn watch_orgs(&self, ways: &Ways) -> Result<(), StoreError> {
        let (now, mut seen) = (self.outbox.now(), self.seen.lock().await);
        let (mut first, mut back) = (Vec::new(), Vec::new());
        for (name, free) in &ways.free {
            let Some(org) = ways.orgs.get(name.as_ref()) else { continue };
            let is_idle = free.available_permits() == self.concurrency;
            if is_idle && org.wants_probe(Instant::now()) {
                self.outbox.store().make_one_due(name, now).await?;
            }
            match (seen.get(name).copied().unwrap_or_default(), org.returns()) {
                (before, returns) if before == returns => {}
                (0, 1) => first.push((name.clone(), 1)),
                (_, returns) => back.push((name.clone(), returns)),
            }
        }
        for (orgs, before) in [(first, self.began), (back, Timestamp::MAX)] {
            if orgs.is_empty() {
                continue;
            }
            let names: Vec<CallCenterName> = orgs.iter().map(|(name, _)| name.clone()).collect();
            let late = now.checked_sub(Outbox::LATEST_ROUTING).unwrap_or(Timestamp::MIN);
            let entries = self.outbox.store().make_due(&names, [before, late], now).await?;
            if entries > 0 {
                tracing::info!(entries, "Salesforce is back, and what waited for it is due");
            }
            seen.extend(orgs);
        }
        Ok(())
    }

    /// Lets what is under way end until then: an attempt that is broken off is made again, and Salesforce may have done
    /// what it asked. The leases of what is broken off then are still ours.
    pub async fn stop(&self, deadline: Instant) {
        let mut deliveries = self.deliveries.lock().await;
        let ended = async { while deliveries.join_next().await.is_some() {} };
        if timeout_at(deadline, ended).await.is_err() {
            tracing::warn!(attempts = deliveries.len(), "attempts of the outbox are broken off");
            deliveries.shutdown().await;
        }
    }

    async fn nap(&self, next_at: Option<Timestamp>) {
        let left = next_at.map(|at| at.duration_since(self.outbox.now()));
        let left = left.map_or(NAP, |left| Duration::try_from(left).unwrap_or_default());
        let left = left.clamp(Duration::from_millis(10), NAP);
        // Whoever comes first: the wake or the time.
        let _ = timeout(left, self.outbox.woken()).await;
    }
}
