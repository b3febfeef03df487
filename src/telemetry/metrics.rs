//! The metrics: a closed set of names and labels, no key and no number among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use metrics::{Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// Every metric. The comment of a variant is its help text.
#[derive(Debug, Clone, Copy)]
enum Name {
    /// Requests answered, by route and status.
    Requests,
    /// Requests whose client was gone before the answer, by route.
    ClientsGone,
    /// Requests by route and what came of them, in the word of the log's `outcome`.
    Outcomes,
    /// Seconds from the head of a request to its answer, by route.
    RequestSeconds,
    /// The version that runs; always 1.
    BuildInfo,
    /// Whole days until a certificate ends, by its name in the configuration.
    CertificateDaysLeft,
    /// Webhooks taken, by type and outcome.
    Webhooks,
    /// How often the configuration was read again, by result (accepted, refused).
    ConfigurationReads,
    /// 1 while the newest configuration runs, 0 while it is refused and an older one runs.
    ConfigurationCurrent,
    /// Entries of the outbox, by contact center and state (pending, buried).
    OutboxEntries,
    /// Attempts on entries of the outbox, by kind and outcome (delivered, withheld, later, not_asked, buried).
    OutboxAttempts,
    /// Calls compared with Webex's records, by what was found (agreed, differed, unknown, logged).
    ReconciledCalls,
    /// Unix time up to which calls were compared with Webex's records.
    WaterMark,
    /// Subscriptions at Webex that send to this bridge, by status (active, inactive).
    Subscriptions,
    /// Whole days until the login at Webex ends.
    WebexLoginDaysLeft,
    /// Calls whose final update was enriched, by outcome (final, abandoned, corrected, withheld).
    Enrichments,
    /// Ids of Webex left out of an update because the configuration gives them no name, by table (queues, agents).
    UnmappedIds,
    /// Tasks that Webex was asked for recordings of, by outcome (found, nothing, failed, given_up).
    RecordingQueries,
}

impl Name {
    const fn text(self) -> &'static str {
        match self {
            Self::Requests => "scv_bridge_requests_total",
            Self::ClientsGone => "scv_bridge_clients_gone_total",
            Self::Outcomes => "scv_bridge_outcomes_total",
            Self::RequestSeconds => "scv_bridge_request_seconds",
            Self::BuildInfo => "scv_bridge_build_info",
            Self::CertificateDaysLeft => "scv_bridge_certificate_days_left",
            Self::Webhooks => "scv_bridge_webhooks_total",
            Self::ConfigurationReads => "scv_bridge_configuration_reads_total",
            Self::ConfigurationCurrent => "scv_bridge_configuration_current",
            Self::OutboxEntries => "scv_bridge_outbox_entries",
            Self::OutboxAttempts => "scv_bridge_outbox_attempts_total",
            Self::ReconciledCalls => "scv_bridge_reconciled_calls_total",
            Self::WaterMark => "scv_bridge_reconcile_water_mark_seconds",
            Self::Subscriptions => "scv_bridge_webex_subscriptions",
            Self::WebexLoginDaysLeft => "scv_bridge_webex_login_days_left",
            Self::Enrichments => "scv_bridge_enrichments_total",
            Self::UnmappedIds => "scv_bridge_unmapped_ids_total",
            Self::RecordingQueries => "scv_bridge_recording_queries_total",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Requests => "Requests answered, by route and status.",
            Self::Outcomes => "Requests by route and what came of them, in the word of the log's outcome.",
            Self::ClientsGone => "Requests whose client was gone before the answer, by route.",
            Self::RequestSeconds => "Seconds from the head of a request to its answer, by route.",
            Self::BuildInfo => "The version that runs; always 1.",
            Self::CertificateDaysLeft => {
                "Whole days until a certificate ends, by its name in the configuration."
            }
            Self::ConfigurationReads => {
                "How often the configuration was read again, by result (accepted, refused)."
            }
            Self::ConfigurationCurrent => {
                "1 while the newest configuration runs, 0 while it is refused and an older one runs."
            }
            Self::Webhooks => "Webhooks taken, by type and outcome.",
            Self::OutboxEntries => "Entries of the outbox, by contact center and state (pending, buried).",
            Self::OutboxAttempts => {
                "Attempts on entries of the outbox, by kind and outcome (delivered, withheld, later, not_asked, buried)."
            }
            Self::ReconciledCalls => {
                "Calls compared with Webex's records, by what was found (agreed, differed, unknown, logged)."
            }
            Self::WaterMark => "Unix time up to which calls were compared with Webex's records.",
            Self::Subscriptions => {
                "Subscriptions at Webex that send to this bridge, by status (active, inactive)."
            }
            Self::WebexLoginDaysLeft => "Whole days until the login at Webex ends.",
            Self::Enrichments => {
                "Calls whose final update was enriched, by outcome (final, abandoned, corrected, withheld)."
            }
            Self::UnmappedIds => {
                "Ids of Webex left out of an update because the configuration gives them no name, by table (queues, agents)."
            }
            Self::RecordingQueries => {
                "Tasks that Webex was asked for recordings of, by outcome (found, nothing, failed, given_up)."
            }
        }
    }
}

/// Around the deadlines of the routes: most answers are far below, the last ones are late.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 1.8, 2.5, 4.5];
const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// The metrics of one service. Not process-wide, so that two services in one process keep their own.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    /// What was last told of the outbox.
    outbox: Mutex<BTreeMap<(String, &'static str), u64>>,
    /// The certificates that were last told of.
    certificates: Mutex<BTreeSet<String>>,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Never in practice: the buckets are not empty.
    pub fn new() -> Result<Self, BuildError> {
        let seconds = Matcher::Full(Name::RequestSeconds.text().into());
        let recorder = PrometheusBuilder::new().set_buckets_for_metric(seconds, &BUCKETS)?.build_recorder();
        let counter = |name: Name| recorder.describe_counter(name.text().into(), None, name.help().into());
        let gauge = |name: Name| recorder.describe_gauge(name.text().into(), None, name.help().into());
        counter(Name::Requests);
        counter(Name::ClientsGone);
        counter(Name::Outcomes);
        counter(Name::Webhooks);
        counter(Name::ConfigurationReads);
        gauge(Name::ConfigurationCurrent);
        gauge(Name::BuildInfo);
        gauge(Name::CertificateDaysLeft);
        gauge(Name::OutboxEntries);
        counter(Name::OutboxAttempts);
        counter(Name::ReconciledCalls);
        gauge(Name::WaterMark);
        gauge(Name::Subscriptions);
        gauge(Name::WebexLoginDaysLeft);
        counter(Name::Enrichments);
        counter(Name::UnmappedIds);
        counter(Name::RecordingQueries);
        let (name, unit) = (Name::RequestSeconds, Some(Unit::Seconds));
        recorder.describe_histogram(name.text().into(), unit, name.help().into());
        let version = Label::from_static_parts("version", env!("CARGO_PKG_VERSION"));
        recorder.register_gauge(&key(Name::BuildInfo, vec![version]), &METADATA).set(1.0);
        let handle = recorder.handle();
        let metrics = Self { recorder, handle, outbox: Mutex::default(), certificates: Mutex::default() };
        metrics.configuration_current(true);
        Ok(metrics)
    }

    /// Counts an answer.
    pub fn request(&self, route: &'static str, status: u16, took: Duration) {
        let by_route = Label::from_static_parts("route", route);
        let by_status = Label::new("status", status.to_string());
        let requests = key(Name::Requests, vec![by_route.clone(), by_status]);
        self.recorder.register_counter(&requests, &METADATA).increment(1);
        let seconds = key(Name::RequestSeconds, vec![by_route]);
        self.recorder.register_histogram(&seconds, &METADATA).record(took.as_secs_f64());
    }

    /// Counts what came of a request: a success can be one that needs a second look.
    pub fn outcome(&self, route: &'static str, outcome: &'static str) {
        let labels =
            vec![Label::from_static_parts("route", route), Label::from_static_parts("outcome", outcome)];
        self.recorder.register_counter(&key(Name::Outcomes, labels), &METADATA).increment(1);
    }

    /// Counts a request whose client was gone before the answer.
    pub fn client_gone(&self, route: &'static str) {
        let labels = vec![Label::from_static_parts("route", route)];
        self.recorder.register_counter(&key(Name::ClientsGone, labels), &METADATA).increment(1);
    }

    /// Counts a webhook.
    pub fn webhook(&self, kind: &'static str, outcome: &'static str) {
        let labels =
            vec![Label::from_static_parts("type", kind), Label::from_static_parts("outcome", outcome)];
        self.recorder.register_counter(&key(Name::Webhooks, labels), &METADATA).increment(1);
    }

    /// Notes how long certificates are still valid. One that is not configured any more has no number.
    pub fn certificates(&self, days_left: &[(String, i64)]) {
        let mut seen = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        let given: BTreeSet<String> = days_left.iter().map(|(name, _)| name.clone()).collect();
        let gauge = |name: &str| {
            let key = key(Name::CertificateDaysLeft, vec![Label::new("certificate", name.to_owned())]);
            self.recorder.register_gauge(&key, &METADATA)
        };
        for name in seen.difference(&given) {
            gauge(name).set(f64::NAN);
        }
        for (name, days) in days_left {
            #[expect(clippy::cast_precision_loss, reason = "a number of days")]
            gauge(name).set(*days as f64);
        }
        *seen = given;
    }

    /// Counts a reading of the configuration, and notes whether the newest version runs.
    pub fn configuration_read(&self, accepted: bool) {
        let result = Label::from_static_parts("result", if accepted { "accepted" } else { "refused" });
        self.recorder.register_counter(&key(Name::ConfigurationReads, vec![result]), &METADATA).increment(1);
        self.configuration_current(accepted);
    }

    fn configuration_current(&self, current: bool) {
        let value = if current { 1.0 } else { 0.0 };
        self.recorder.register_gauge(&key(Name::ConfigurationCurrent, Vec::new()), &METADATA).set(value);
    }

    /// Notes what waits in the outbox. What is not counted any more is at zero.
    pub fn outbox(&self, counts: &[(String, &'static str, u64)]) {
        let mut seen = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = counts.iter().map(|(center, state, entries)| ((center.clone(), *state), *entries));
        let entries: BTreeMap<_, _> = entries.collect();
        for (name, entries) in seen.keys().map(|name| (name, &0)).chain(&entries) {
            let labels =
                vec![Label::new("call_center", name.0.clone()), Label::from_static_parts("state", name.1)];
            #[expect(clippy::cast_precision_loss, reason = "a number of entries")]
            self.recorder.register_gauge(&key(Name::OutboxEntries, labels), &METADATA).set(*entries as f64);
        }
        *seen = entries;
    }

    /// Counts an attempt on an entry of the outbox.
    pub fn outbox_attempt(&self, kind: &'static str, outcome: &'static str) {
        let labels =
            vec![Label::from_static_parts("kind", kind), Label::from_static_parts("outcome", outcome)];
        self.recorder.register_counter(&key(Name::OutboxAttempts, labels), &METADATA).increment(1);
    }

    /// Counts a call that was compared with Webex's record.
    pub fn reconciled(&self, found: &'static str) {
        let key = key(Name::ReconciledCalls, vec![Label::from_static_parts("found", found)]);
        self.recorder.register_counter(&key, &METADATA).increment(1);
    }

    /// Notes up to when calls were compared.
    pub fn water_mark(&self, at: Timestamp) {
        #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
        self.recorder.register_gauge(&key(Name::WaterMark, vec![]), &METADATA).set(at.as_second() as f64);
    }

    /// Notes how many subscriptions send to us, and how many do not any more.
    pub fn subscriptions(&self, active: usize, inactive: usize) {
        for (status, count) in [("active", active), ("inactive", inactive)] {
            let key = key(Name::Subscriptions, vec![Label::from_static_parts("status", status)]);
            #[expect(clippy::cast_precision_loss, reason = "a number of subscriptions")]
            self.recorder.register_gauge(&key, &METADATA).set(count as f64);
        }
    }

    /// Notes how long the login at Webex lasts.
    pub fn webex_login(&self, days_left: i64) {
        #[expect(clippy::cast_precision_loss, reason = "a number of days")]
        let days_left = days_left as f64;
        self.recorder.register_gauge(&key(Name::WebexLoginDaysLeft, vec![]), &METADATA).set(days_left);
    }

    /// Counts a call whose final update was enriched.
    pub fn enriched(&self, outcome: &'static str) {
        self.count(Name::Enrichments, Label::from_static_parts("outcome", outcome));
    }

    /// Counts an id that was left out of an update.
    pub fn unmapped(&self, table: &'static str) {
        self.count(Name::UnmappedIds, Label::from_static_parts("table", table));
    }

    /// Counts a task that Webex was asked for recordings of.
    pub fn recording_query(&self, outcome: &'static str) {
        self.count(Name::RecordingQueries, Label::from_static_parts("outcome", outcome));
    }

    fn count(&self, name: Name, label: Label) {
        self.recorder.register_counter(&key(name, vec![label]), &METADATA).increment(1);
    }

    /// The text that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Moves recorded times into their buckets; to be called every few seconds, or they pile up.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }
}

fn key(name: Name, labels: Vec<Label>) -> Key {
    Key::from_parts(name.text(), labels)
}
