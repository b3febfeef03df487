//! The metrics: a closed set of names and labels, no key and no number among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use metrics::{Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// Every metric. The comment of a variant is its help text.
#[derive(Debug, Clone, Copy)]
enum Name {
    /// Requests answered, by route and status.
    Requests,
    /// Seconds from the head of a request to its answer, by route.
    RequestSeconds,
    /// The version that runs; always 1.
    BuildInfo,
    /// Whole days until a certificate ends, by its name in the configuration.
    CertificateDaysLeft,
    /// How often the configuration was read again, by result (accepted, refused).
    ConfigurationReads,
    /// 1 while the newest configuration runs, 0 while it is refused and an older one runs.
    ConfigurationCurrent,
    /// Entries of the outbox, by contact center and state (pending, buried).
    OutboxEntries,
}

impl Name {
    const fn text(self) -> &'static str {
        match self {
            Self::Requests => "scv_bridge_requests_total",
            Self::RequestSeconds => "scv_bridge_request_seconds",
            Self::BuildInfo => "scv_bridge_build_info",
            Self::CertificateDaysLeft => "scv_bridge_certificate_days_left",
            Self::ConfigurationReads => "scv_bridge_configuration_reads_total",
            Self::ConfigurationCurrent => "scv_bridge_configuration_current",
            Self::OutboxEntries => "scv_bridge_outbox_entries",
        }
    }

    const fn help(self) -> &'static str {
        match self {
            Self::Requests => "Requests answered, by route and status.",
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
            Self::OutboxEntries => "Entries of the outbox, by contact center and state (pending, buried).",
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
        counter(Name::ConfigurationReads);
        gauge(Name::ConfigurationCurrent);
        gauge(Name::BuildInfo);
        gauge(Name::CertificateDaysLeft);
        gauge(Name::OutboxEntries);
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
