//! The metrics: a closed set of names and labels, no key and no number among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use metrics::{Key, Label, Level, Metadata, Recorder, SharedString, Unit};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

/// Around the deadlines of the routes, in seconds: most answers are far below, the last ones are late.
const BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 1.8, 2.5, 4.5];
const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, None);

/// Makes of each entry a metric and the method of [`Metrics`] that records it. The comment is the help text; a label is
/// called as its parameter, or by the text after it. A counter counts one more, a gauge takes its new value, and a
/// histogram, with its buckets in brackets, what was measured.
macro_rules! metrics {
    (@describe counter $recorder:ident, $name:expr, $help:expr) => {
        $recorder.describe_counter($name, None, $help)
    };
    (@describe gauge $recorder:ident, $name:expr, $help:expr) => {
        $recorder.describe_gauge($name, None, $help)
    };
    (@describe histogram $recorder:ident, $name:expr, $help:expr) => {
        $recorder.describe_histogram($name, Some(Unit::Seconds), $help)
    };
    (@label $label:ident) => { stringify!($label) };
    (@label $label:ident $text:literal) => { $text };
    (@record counter $name:literal, $($doc:literal)+, $visible:vis $method:ident($($label:ident: $text:expr),*)) => {
        $(#[doc = $doc])+
        $visible fn $method(&self, $($label: impl Into<SharedString>),*) {
            let key = Key::from_parts($name, vec![$(Label::new($text, $label)),*]);
            self.recorder.register_counter(&key, &METADATA).increment(1);
        }
    };
    (@record gauge $name:literal, $($doc:literal)+, $visible:vis $method:ident($($label:ident: $text:expr),*)) => {
        $(#[doc = $doc])+
        $visible fn $method(&self, $($label: impl Into<SharedString>,)* value: f64) {
            let key = Key::from_parts($name, vec![$(Label::new($text, $label)),*]);
            self.recorder.register_gauge(&key, &METADATA).set(value);
        }
    };
    (@record histogram $name:literal, $($doc:literal)+, $visible:vis $method:ident($($label:ident: $text:expr),*)) => {
        $(#[doc = $doc])+
        $visible fn $method(&self, $($label: impl Into<SharedString>,)* value: f64) {
            let key = Key::from_parts($name, vec![$(Label::new($text, $label)),*]);
            self.recorder.register_histogram(&key, &METADATA).record(value);
        }
    };
    ($(
        $(#[doc = $help:literal])+
        $visible:vis $kind:ident $([$buckets:expr])? $method:ident($($label:ident $(= $text:literal)?),*) $name:literal;
    )+) => {
        /// A recorder that knows every metric.
        fn recorder() -> Result<PrometheusRecorder, BuildError> {
            let builder = PrometheusBuilder::new();
            $($(let builder = builder.set_buckets_for_metric(Matcher::Full($name.into()), &$buckets)?;)?)+
            let recorder = builder.build_recorder();
            $(metrics!(@describe $kind recorder, $name.into(), concat!($($help),+).trim().into());)+
            Ok(recorder)
        }

        impl Metrics {
            $(metrics! {
                @record $kind $name, $($help)+,
                $visible $method($($label: metrics!(@label $label $($text)?)),*)
            })+
        }
    };
}

metrics! {
    /// Requests answered, by route and status.
    counter requests(route, status) "scv_bridge_requests_total";
    /// Requests whose client was gone before the answer, by route.
    pub counter client_gone(route) "scv_bridge_clients_gone_total";
    /// Requests by route and what came of them, in the word of the log's outcome.
    pub counter outcome(route, outcome) "scv_bridge_outcomes_total";
    /// Seconds from the head of a request to its answer, by route.
    histogram [BUCKETS] request_seconds(route) "scv_bridge_request_seconds";
    /// The version that runs; always 1.
    gauge build_info(version) "scv_bridge_build_info";
    /// Whole days until a certificate ends, by its name in the configuration.
    gauge certificate_days_left(certificate) "scv_bridge_certificate_days_left";
    /// Webhooks taken, by type and outcome.
    pub counter webhook(kind = "type", outcome) "scv_bridge_webhooks_total";
    /// How often the configuration was read again, by result (accepted, refused).
    counter configuration_reads(result) "scv_bridge_configuration_reads_total";
    /// 1 while the newest configuration runs, 0 while it is refused and an older one runs.
    gauge configuration_current() "scv_bridge_configuration_current";
    /// Entries of the outbox, by contact center and state (pending, buried).
    gauge outbox_entries(call_center, state) "scv_bridge_outbox_entries";
    /// Attempts on entries of the outbox, by kind and outcome (delivered, withheld, later, not_asked, buried).
    pub counter outbox_attempt(kind, outcome) "scv_bridge_outbox_attempts_total";
    /// Calls compared with Webex's records, by what was found (agreed, differed, unknown, logged).
    pub counter reconciled(found) "scv_bridge_reconciled_calls_total";
    /// Unix time up to which calls were compared with Webex's records.
    gauge water_mark_seconds() "scv_bridge_reconcile_water_mark_seconds";
    /// Subscriptions at Webex that send to this bridge, by status (active, inactive).
    gauge webex_subscriptions(status) "scv_bridge_webex_subscriptions";
    /// Whole days until the login at Webex ends.
    gauge webex_login_days_left() "scv_bridge_webex_login_days_left";
    /// Calls whose final update was enriched, by outcome (final, abandoned, corrected, withheld).
    pub counter enriched(outcome) "scv_bridge_enrichments_total";
    /// Ids of Webex left out of an update because the configuration gives them no name, by table (queues, agents).
    pub counter unmapped(table) "scv_bridge_unmapped_ids_total";
    /// Tasks that Webex was asked for recordings of, by outcome (found, nothing, failed, given_up).
    pub counter recording_query(outcome) "scv_bridge_recording_queries_total";
}

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
        let recorder = recorder()?;
        let handle = recorder.handle();
        let metrics = Self { recorder, handle, outbox: Mutex::default(), certificates: Mutex::default() };
        metrics.build_info(env!("CARGO_PKG_VERSION"), 1.0);
        metrics.configuration_current(1.0);
        Ok(metrics)
    }

    /// Counts an answer and the time that it took.
    pub fn request(&self, route: &'static str, status: u16, took: Duration) {
        self.requests(route, status.to_string());
        self.request_seconds(route, took.as_secs_f64());
    }

    /// Notes how many whole days certificates are still valid. One that is not configured any more has no number.
    #[expect(clippy::cast_precision_loss, reason = "a number of days")]
    pub fn certificates(&self, days_left: &[(String, i64)]) {
        let mut seen = self.certificates.lock().unwrap_or_else(PoisonError::into_inner);
        let given: BTreeSet<String> = days_left.iter().map(|(name, _)| name.clone()).collect();
        for name in seen.difference(&given) {
            self.certificate_days_left(name.clone(), f64::NAN);
        }
        for (name, days) in days_left {
            self.certificate_days_left(name.clone(), *days as f64);
        }
        *seen = given;
    }

    /// Counts a reading of the configuration, and notes whether the newest version runs.
    pub fn configuration_read(&self, accepted: bool) {
        self.configuration_reads(if accepted { "accepted" } else { "refused" });
        self.configuration_current(f64::from(u8::from(accepted)));
    }

    /// Notes what waits in the outbox. What is not counted any more is at zero.
    #[expect(clippy::cast_precision_loss, reason = "a number of entries")]
    pub fn outbox(&self, counts: &[(String, &'static str, u64)]) {
        let mut seen = self.outbox.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = counts.iter().map(|(center, state, entries)| ((center.clone(), *state), *entries));
        let entries: BTreeMap<_, _> = entries.collect();
        for ((center, state), entries) in seen.keys().map(|name| (name, &0)).chain(&entries) {
            self.outbox_entries(center.clone(), *state, *entries as f64);
        }
        *seen = entries;
    }

    /// Notes up to when calls were compared.
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    pub fn water_mark(&self, at: Timestamp) {
        self.water_mark_seconds(at.as_second() as f64);
    }

    /// Notes how many subscriptions send to us, and how many do not any more.
    #[expect(clippy::cast_precision_loss, reason = "a number of subscriptions")]
    pub fn subscriptions(&self, active: usize, inactive: usize) {
        for (status, count) in [("active", active), ("inactive", inactive)] {
            self.webex_subscriptions(status, count as f64);
        }
    }

    /// Notes how many whole days the login at Webex lasts.
    #[expect(clippy::cast_precision_loss, reason = "a number of days")]
    pub fn webex_login(&self, days_left: i64) {
        self.webex_login_days_left(days_left as f64);
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
