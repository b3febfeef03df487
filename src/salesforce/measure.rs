//! What the metrics are told of the requests of one contact center to Salesforce.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus::Histogram;
use tokio::time::Instant;

use super::{AnswerOutcome, CreateLimited, Failure, Operation, SalesforceApi};
use crate::telemetry::{Metrics, TraceSpan, salesforce_span};

/// What a request to Salesforce was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measured {
    /// An operation.
    Of(Operation),
    /// A session.
    Login,
}

/// How a request that was sent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestResult {
    /// It is done.
    Done,
    /// Not now.
    Again,
    /// Nobody knows.
    Unknown,
    /// No answer came in time.
    Late,
    /// The token or session was refused.
    TokenRefused,
    /// The data was refused.
    Refused,
    /// The configuration was refused.
    Misconfigured,
}

/// The kinds of requests, and the results.
const KINDS: usize = 6;
const RESULTS: usize = 7;

/// The metrics of one contact center. Each series is looked up once.
pub struct CenterMetrics {
    metrics: Arc<Metrics>,
    call_center: String,
    seconds: [[OnceLock<Histogram>; RESULTS]; KINDS],
}

impl Measured {
    /// The label of the metrics.
    fn label(self) -> &'static str {
        match self {
            Self::Of(Operation::Create) => "create",
            Self::Of(Operation::Update) => "update",
            Self::Of(Operation::OmniFlow) => "omni_flow",
            Self::Of(Operation::ClearRouting) => "clear_routing",
            Self::Of(Operation::Query) => "query",
            Self::Login => "login",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Of(Operation::Create) => 0,
            Self::Of(Operation::Update) => 1,
            Self::Of(Operation::OmniFlow) => 2,
            Self::Of(Operation::ClearRouting) => 3,
            Self::Of(Operation::Query) => 4,
            Self::Login => 5,
        }
    }
}

impl RequestResult {
    /// Of an answer.
    pub(super) fn of_answer(outcome: &AnswerOutcome) -> Self {
        match outcome {
            AnswerOutcome::Done(_) => Self::Done,
            AnswerOutcome::Again { .. } => Self::Again,
            AnswerOutcome::Unknown { .. } => Self::Unknown,
            AnswerOutcome::Reauthenticate { .. } => Self::TokenRefused,
            AnswerOutcome::Refused { .. } => Self::Refused,
            AnswerOutcome::Misconfigured { .. } => Self::Misconfigured,
        }
    }

    /// Of a failure; none where nothing was sent.
    pub(super) fn of_failure(failure: &Failure) -> Option<Self> {
        match failure {
            Failure::Again { .. } => Some(Self::Again),
            Failure::Unanswered { .. } => Some(Self::Unknown),
            Failure::Late => Some(Self::Late),
            Failure::Refused { .. } => Some(Self::Refused),
            Failure::Misconfigured { .. } => Some(Self::Misconfigured),
            Failure::NotAsked { .. } | Failure::NoTime => None,
        }
    }

    /// The label of the metrics.
    fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again => "again",
            Self::Unknown => "unknown",
            Self::Late => "late",
            Self::TokenRefused => "token_refused",
            Self::Refused => "refused",
            Self::Misconfigured => "misconfigured",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Done => 0,
            Self::Again => 1,
            Self::Unknown => 2,
            Self::Late => 3,
            Self::TokenRefused => 4,
            Self::Refused => 5,
            Self::Misconfigured => 6,
        }
    }
}

impl CenterMetrics {
    /// Of this contact center.
    pub fn new(metrics: &Arc<Metrics>, call_center: &str) -> Self {
        let seconds = std::array::from_fn(|_| std::array::from_fn(|_| OnceLock::new()));
        Self { metrics: Arc::clone(metrics), call_center: call_center.to_owned(), seconds }
    }

    /// Salesforce is asked this now.
    pub(super) fn begin(&self, what: Measured) -> RequestInFlight<'_> {
        RequestInFlight { metrics: self, what, sent: Instant::now(), span: salesforce_span(what.label()) }
    }

    /// Notes how long Salesforce took.
    fn took(&self, what: Measured, result: RequestResult, time: Duration) {
        let series = self.seconds.get(what.place()).and_then(|results| results.get(result.place()));
        let Some(series) = series else { return };
        let look_up = || self.metrics.salesforce_seconds(&self.call_center, what.label(), result.label());
        series.get_or_init(look_up).observe(time.as_secs_f64());
    }

    /// Counts a token that was refused.
    pub(super) fn token_refused(&self, api: SalesforceApi, status: u16) {
        let way = match api {
            SalesforceApi::Telephony => "telephony",
            SalesforceApi::Apex => "apex",
            SalesforceApi::Rest => "rest",
        };
        self.metrics.token_refused(way, if status == 403 { "forbidden" } else { "unauthorized" });
    }

    /// Counts a login that was refused.
    pub(super) fn login_refused(&self, error: &'static str) {
        self.metrics.token_refused("login", error);
    }

    /// Counts a request that a limit of ours kept from being sent.
    pub(super) fn limited(&self, limit: &'static str) {
        self.metrics.limited(&self.call_center, limit);
    }
}

/// A request to Salesforce that is under way.
pub(super) struct RequestInFlight<'m> {
    metrics: &'m CenterMetrics,
    what: Measured,
    sent: Instant,
    span: Option<TraceSpan>,
}

impl RequestInFlight<'_> {
    /// Notes how it ended.
    pub(super) fn ended(self, result: RequestResult) {
        self.metrics.took(self.what, result, self.sent.elapsed());
        if let Some(span) = self.span {
            span.set("scv.result", result.label());
            if result != RequestResult::Done {
                span.fail(result.label());
            }
        }
    }
}

/// The limit of creates, as the metrics call it.
pub(super) fn limit_of_creates(limited: CreateLimited) -> &'static str {
    match limited {
        CreateLimited::Second { .. } => "creates_per_second",
        CreateLimited::Paused { .. } | CreateLimited::Trying { .. } => "creates_paused",
    }
}
