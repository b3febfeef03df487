//! The gate in front of an org: a dead or busy Salesforce costs a caller nothing.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Client;
use tokio::time::Instant;

use super::http::{Request, exchange};
use super::{
    Breaker, Budget, Change, CreateLimiter, Failure, Full, Limited, Open, Operation, Outcome, Permit, Slots,
    Verdict, Way, judge,
};
use crate::ids::Ids;
use crate::settings::Settings;

/// With less time than this left no request is begun: its answer would not come in time.
const LEAST: Duration = Duration::from_millis(5);

/// Breaker, places and create limiter of one org on one way, shared by all workers.
pub struct Gate {
    name: String,
    breaker: Breaker,
    slots: Slots,
    creates: CreateLimiter,
}

impl Gate {
    /// A gate of its own, as the settings want it.
    #[must_use]
    pub fn new(name: String, settings: &Settings, ids: Arc<Ids>) -> Self {
        Self {
            name,
            breaker: Breaker::new(settings.breaker, ids),
            slots: Slots::new(settings.limits.concurrent_requests),
            creates: CreateLimiter::new(settings.limits.creates_per_second),
        }
    }

    /// Goes by other settings from now on. What it remembers stays: how Salesforce answered, who is in flight, what was
    /// created in this second.
    pub fn adopt(&self, settings: &Settings) {
        self.breaker.adopt(settings.breaker);
        self.slots.adopt(settings.limits.concurrent_requests);
        self.creates.adopt(settings.limits.creates_per_second);
    }

    /// Whether the org is left alone for the moment.
    #[must_use]
    pub fn pauses(&self, now: Instant) -> bool {
        self.breaker.pauses(now)
    }

    /// Sends a request, unless it is known that nothing would come of it, and judges the answer.
    ///
    /// # Errors
    /// At once when the gate is closed; else when no whole answer arrived in time.
    pub(super) async fn exchange(
        &self,
        (way, operation): (Way, Operation),
        client: &Client,
        request: Request,
        budget: &Budget,
    ) -> Result<Outcome, Failure> {
        let _slot = self.slots.try_enter()?;
        let permit = self.pass(budget)?;
        if operation == Operation::Create {
            self.creates.try_take(Instant::now())?;
        }
        match exchange(client, request, budget).await {
            Ok(answer) => {
                let outcome = judge(way, operation, &answer);
                self.settle(permit, Verdict::of_answer(&answer, &outcome));
                // A limit of other kinds of requests says nothing about creates.
                if answer.status == 429 && operation == Operation::Create {
                    self.creates.pause(Instant::now(), answer.retry_after);
                }
                Ok(outcome)
            }
            Err(fault) => {
                let failure = Failure::from(fault);
                self.settle(permit, Verdict::of_failure(&failure));
                Err(failure)
            }
        }
    }

    /// Does something else that asks Salesforce, such as a login.
    ///
    /// # Errors
    /// At once when the gate is closed; else as the work itself.
    pub(super) async fn guard<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
        budget: &Budget,
    ) -> Result<T, Failure> {
        let permit = self.pass(budget)?;
        let result = work.await;
        let verdict = result.as_ref().map_or_else(Verdict::of_failure, |_| Verdict::Good);
        self.settle(permit, verdict);
        result
    }

    fn pass(&self, budget: &Budget) -> Result<Permit<'_>, Failure> {
        let now = Instant::now();
        if budget.deadline().saturating_duration_since(now) < LEAST {
            return Err(Failure::Late);
        }
        Ok(self.breaker.try_pass(now)?)
    }

    fn settle(&self, permit: Permit<'_>, verdict: Verdict) {
        match permit.done(Instant::now(), verdict) {
            Some(Change::Opened { pause }) => {
                let milliseconds = pause.as_millis();
                tracing::warn!(
                    org = self.name,
                    milliseconds,
                    "Salesforce fails or is slow; asking it no more for a while"
                );
            }
            Some(Change::Closed) => tracing::info!(org = self.name, "Salesforce is back"),
            None => {}
        }
    }
}

/// What a closed gate says to a flow: come again.
fn again(words: &dyn std::fmt::Display, after: Duration) -> Failure {
    Failure::Again { after: Some(after), words: words.to_string() }
}

impl From<Open> for Failure {
    fn from(open: Open) -> Self {
        again(&open, open.retry_after)
    }
}

impl From<Full> for Failure {
    fn from(full: Full) -> Self {
        again(&full, full.retry_after)
    }
}

impl From<Limited> for Failure {
    fn from(limited: Limited) -> Self {
        again(&limited, limited.retry_after)
    }
}
