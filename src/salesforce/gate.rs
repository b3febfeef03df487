//! The gate in front of an org: a Salesforce that is down or busy costs a caller nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use super::http::{HttpRequest, exchange};
use super::limiter::CreatePermit;
use super::measure::{CenterMetrics, Measured, RequestResult, limit_of_creates};
use super::{
    AnswerHealth, AnswerOutcome, BreakerChange, BreakerOpen, BreakerPermit, BreakerView, Budget,
    CircuitBreaker, CreateLimited, CreateLimiter, Failure, Operation, SalesforceApi, judge,
};
use crate::ids::Ids;
use crate::settings::Settings;

/// With less time left no request is sent: its answer would come too late.
const LEAST: Duration = Duration::from_millis(5);

/// Breaker, slots and create limiter of one org on one API, shared by all workers.
pub struct Gate {
    name: String,
    breaker: CircuitBreaker,
    slots: Slots,
    creates: CreateLimiter,
    returns: AtomicU64,
}

impl Gate {
    /// A gate for an org.
    pub fn new(name: String, settings: &Settings, ids: Arc<Ids>) -> Self {
        Self {
            name,
            breaker: CircuitBreaker::new(settings.breaker, ids),
            slots: Slots::new(settings.limits.concurrent_requests),
            creates: CreateLimiter::new(settings.limits.creates_per_second),
            returns: AtomicU64::new(0),
        }
    }

    /// Replaces the settings. The state stays: breaker, requests in flight, creates of this second.
    pub fn adopt(&self, settings: &Settings) {
        self.breaker.adopt(settings.breaker);
        self.slots.adopt(settings.limits.concurrent_requests);
        self.creates.adopt(settings.limits.creates_per_second);
    }

    /// Whether the breaker pauses requests.
    pub fn pauses(&self, now: Instant) -> bool {
        self.breaker.pauses(now)
    }

    /// Whether a request would now be a probe.
    pub fn wants_probe(&self, now: Instant) -> bool {
        self.breaker.wants_probe(now)
    }

    /// What an operator wants to know of the breaker.
    pub fn breaker(&self, now: Instant) -> BreakerView {
        self.breaker.view(now)
    }

    /// How often the org was found available: 1 with its first answer, more after each recovery.
    pub fn returns(&self) -> u64 {
        self.returns.load(Ordering::Acquire)
    }

    /// Sends a request, unless its failure is certain, and judges the answer.
    ///
    /// # Errors
    /// At once when the gate is closed; else when no whole answer arrived in time.
    pub(super) async fn exchange(
        &self,
        (api, operation): (SalesforceApi, Operation),
        client: &Client,
        request: HttpRequest,
        (budget, measured): (&Budget, &CenterMetrics),
    ) -> Result<AnswerOutcome, Failure> {
        let _slot = self.slots.try_enter().inspect_err(|_| measured.limited("concurrent_requests"))?;
        let permit = self.pass(budget, measured)?;
        let create = match operation {
            Operation::Create => {
                let taken = self.creates.try_take(Instant::now(), budget.is_patient());
                Some(taken.inspect_err(|limited| measured.limited(limit_of_creates(*limited)))?)
            }
            Operation::Update | Operation::OmniFlow | Operation::ClearRouting | Operation::Query => None,
        };
        let asking = measured.begin(Measured::Of(operation));
        match exchange(client, request, budget).await {
            Ok(answer) => {
                let outcome = judge(api, operation, &answer);
                asking.ended(RequestResult::of_answer(&outcome));
                if matches!(outcome, AnswerOutcome::Reauthenticate { .. }) {
                    measured.token_refused(api, answer.status);
                }
                self.settle(permit, Some(AnswerHealth::of_answer(&answer, &outcome)));
                // Only a 429 for a create pauses creates; the limit of other requests is another one.
                match create {
                    Some(create) if answer.status == 429 => {
                        Ok(self.limited(create, outcome, answer.retry_after))
                    }
                    Some(create) => {
                        create.done();
                        Ok(outcome)
                    }
                    None => Ok(outcome),
                }
            }
            Err(fault) => {
                let failure = Failure::from(fault);
                if let Some(result) = RequestResult::of_failure(&failure) {
                    asking.ended(result);
                }
                self.settle(permit, AnswerHealth::of_failure(&failure));
                Err(failure)
            }
        }
    }

    /// The outcome of a create that Salesforce limits. It need not wait longer than those after it.
    fn limited(
        &self,
        create: CreatePermit<'_>,
        outcome: AnswerOutcome,
        asked: Option<Duration>,
    ) -> AnswerOutcome {
        let pause = create.limited(Instant::now(), asked);
        if asked.is_some_and(|asked| asked > pause) {
            let (asked, seconds) = (asked.unwrap_or_default().as_secs(), pause.as_secs());
            tracing::warn!(
                org = self.name,
                asked,
                seconds,
                "Salesforce asks for a long pause of creates; after these seconds one tries whether it is over"
            );
        }
        match outcome {
            AnswerOutcome::Again { after: Some(after), words } => {
                AnswerOutcome::Again { after: Some(after.min(pause)), words }
            }
            other => other,
        }
    }

    /// Runs a login.
    ///
    /// # Errors
    /// At once when the gate is closed; else as the work itself.
    pub(super) async fn guard<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
        (budget, measured): (&Budget, &CenterMetrics),
    ) -> Result<T, Failure> {
        let permit = self.pass(budget, measured)?;
        let asking = measured.begin(Measured::Login);
        let result = work.await;
        let came = result.as_ref().map_or_else(RequestResult::of_failure, |_| Some(RequestResult::Done));
        if let Some(came) = came {
            asking.ended(came);
        }
        let verdict = result.as_ref().map_or_else(AnswerHealth::of_failure, |_| Some(AnswerHealth::Good));
        self.settle(permit, verdict);
        result
    }

    fn pass(&self, budget: &Budget, measured: &CenterMetrics) -> Result<BreakerPermit<'_>, Failure> {
        let now = Instant::now();
        let given = budget.deadline().saturating_duration_since(now);
        if given < LEAST {
            return Err(Failure::NoTime);
        }
        Ok(self.breaker.try_pass(now, given).inspect_err(|_| measured.limited("breaker"))?)
    }

    /// Reports to the breaker; without a health, the request has no effect.
    fn settle(&self, permit: BreakerPermit<'_>, verdict: Option<AnswerHealth>) {
        let Some(verdict) = verdict else { return };
        match permit.done(Instant::now(), verdict) {
            Some(BreakerChange::Opened { pause }) => {
                let milliseconds = pause.as_millis();
                tracing::warn!(
                    org = self.name,
                    milliseconds,
                    "Salesforce fails or is slow; asking it no more for a while"
                );
            }
            Some(BreakerChange::Closed) => {
                self.returns.fetch_max(1, Ordering::AcqRel);
                self.returns.fetch_add(1, Ordering::AcqRel);
                tracing::info!(org = self.name, "Salesforce is back");
            }
            None if verdict == AnswerHealth::Good => {
                // Only the first good answer is noted.
                let _ = self.returns.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire);
            }
            None => {}
        }
    }
}

/// The failure of a closed gate.
fn not_asked(words: &dyn std::fmt::Display, after: Duration) -> Failure {
    Failure::NotAsked { after, words: words.to_string() }
}

impl From<BreakerOpen> for Failure {
    fn from(open: BreakerOpen) -> Self {
        not_asked(&open, open.retry_after)
    }
}

impl From<NoFreeSlot> for Failure {
    fn from(full: NoFreeSlot) -> Self {
        not_asked(&full, full.retry_after)
    }
}

impl From<CreateLimited> for Failure {
    fn from(limited: CreateLimited) -> Self {
        not_asked(&limited, limited.retry_after())
    }
}

/// When a slot is probably free again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The slots of one org and API for requests in flight, shared by all workers.
#[derive(Debug)]
pub struct Slots {
    places: AtomicUsize,
    taken: AtomicUsize,
}

/// One slot, free again when it is dropped.
#[derive(Debug)]
#[must_use = "a place dropped at once bounds nothing"]
pub struct Slot<'a> {
    taken: &'a AtomicUsize,
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

/// The refusal where all slots are taken. Nothing queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("as many requests as may be are waiting for it")]
pub struct NoFreeSlot {
    /// When to try again.
    pub retry_after: Duration,
}

impl Slots {
    /// So many slots.
    pub fn new(places: usize) -> Self {
        Self { places: AtomicUsize::new(places), taken: AtomicUsize::new(0) }
    }

    /// Replaces the number of slots. Requests in flight go on.
    pub fn adopt(&self, places: usize) {
        self.places.store(places, Ordering::Release);
    }

    /// Takes a slot.
    ///
    /// # Errors
    /// When none is free.
    pub fn try_enter(&self) -> Result<Slot<'_>, NoFreeSlot> {
        let places = self.places.load(Ordering::Acquire);
        let enter = |taken: usize| (taken < places).then(|| taken + 1);
        match self.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, enter) {
            Ok(_) => Ok(Slot { taken: &self.taken }),
            Err(_) => Err(NoFreeSlot { retry_after: RETRY_AFTER }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_house_refuses_until_somebody_leaves() {
        let slots = Slots::new(2);
        let first = slots.try_enter().unwrap();
        let _second = slots.try_enter().unwrap();
        assert_eq!(slots.try_enter().unwrap_err(), NoFreeSlot { retry_after: RETRY_AFTER });
        drop(first);
        assert!(slots.try_enter().is_ok());
    }

    #[test]
    fn other_slots_count_those_in_use() {
        let slots = Slots::new(2);
        let [first, _second] = [slots.try_enter().unwrap(), slots.try_enter().unwrap()];
        slots.adopt(3);
        let third = slots.try_enter().unwrap();
        slots.adopt(1);
        drop((first, third));
        assert!(slots.try_enter().is_err());
    }
}
