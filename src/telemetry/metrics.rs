//! The metrics: a closed set of names and labels, no key and no number among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use prometheus::core::Collector as _;
use prometheus::{GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounterVec, Registry, TextEncoder};

use super::family::{MetricFamily, MetricKind, MetricLabel};

/// Around the deadlines of the routes, in seconds: most answers are far below, the last ones are late.
const ANSWERS: [f64; 14] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.8, 2.5, 3.5, 4.5];
/// An fsync, in seconds: of a good disk below a millisecond, of a bad one much longer.
const COMMITS: [f64; 10] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0];
/// From a hang-up to what must follow from it, in seconds: at once, or after an outage.
const DELAYS: [f64; 12] = [0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];

/// Makes of each entry a metric and the method of [`Metrics`] that records it. The comment is the help text. A label is
/// called as its parameter, or by the text after it, and has the values in brackets; one without them has those of the
/// configuration, or of HTTP. A counter counts one more, a gauge takes its new value, gauges are those whose series
/// come and go, and a histogram has its buckets in brackets and takes what was measured.
macro_rules! metrics {
    (@vec counter) => { IntCounterVec };
    (@vec gauge) => { GaugeVec };
    (@vec gauges) => { GaugeVec };
    (@vec histogram) => { HistogramVec };
    (@kind counter) => { MetricKind::Counter };
    (@kind gauge) => { MetricKind::Gauge };
    (@kind gauges) => { MetricKind::Gauge };
    (@kind histogram) => { MetricKind::Histogram };
    (@new counter $family:ident) => { IntCounterVec::new($family.options(), &$family.label_names()) };
    (@new gauge $family:ident) => { GaugeVec::new($family.options(), &$family.label_names()) };
    (@new gauges $family:ident) => { GaugeVec::new($family.options(), &$family.label_names()) };
    (@new histogram $family:ident $buckets:expr) => {
        HistogramVec::new(
            HistogramOpts::from($family.options()).buckets($buckets.to_vec()),
            &$family.label_names(),
        )
    };
    (@label $label:ident) => { stringify!($label) };
    (@label $label:ident $text:literal) => { $text };
    (@closed $label:ident) => {};
    (@closed $label:ident $($value:literal)+) => {
        debug_assert!(
            [$($value),+].contains(&$label),
            "{} is no value of the label {}: name it in metrics!", $label, stringify!($label)
        );
    };
    (@any counter $metric:expr) => { AnyFamily::Counter($metric) };
    (@any gauge $metric:expr) => { AnyFamily::Gauge($metric) };
    (@any gauges $metric:expr) => { AnyFamily::Gauge($metric) };
    (@any histogram $metric:expr) => { AnyFamily::Histogram($metric) };
    (@record counter $method:ident, ($($doc:literal)+) $visible:vis ($($label:ident [$($value:literal)*])*)) => {
        $(#[doc = $doc])+
        $visible fn $method(&self, $($label: &str),*) {
            $(metrics!(@closed $label $($value)*);)*
            let values: [&str; _] = [$($label),*];
            self.families.$method.with_label_values(&values).inc();
        }
    };
    (@record gauge $method:ident, ($($doc:literal)+) $visible:vis ($($label:ident [$($value:literal)*])*)) => {
        $(#[doc = $doc])+
        $visible fn $method(&self, $($label: &str,)* value: f64) {
            $(metrics!(@closed $label $($value)*);)*
            let values: [&str; _] = [$($label),*];
            self.families.$method.with_label_values(&values).set(value);
        }
    };
    (@record gauges $method:ident, ($($doc:literal)+) $visible:vis ($($label:ident [$($value:literal)*])*)) => {
        $(#[doc = $doc])+
        $visible fn $method(&self) -> &GaugeVec {
            &self.families.$method
        }
    };
    (@record histogram $method:ident, ($($doc:literal)+) $visible:vis ($($label:ident [$($value:literal)*])*)) => {
        $(#[doc = $doc])+
        $visible fn $method(&self, $($label: &str),*) -> Histogram {
            $(metrics!(@closed $label $($value)*);)*
            let values: [&str; _] = [$($label),*];
            self.families.$method.with_label_values(&values)
        }
    };
    ($(
        $(#[doc = $help:literal])+
        $visible:vis $kind:ident $([$buckets:expr])? $method:ident
        ($($label:ident $(= $text:literal)? $([$($value:literal),+ $(,)?])?),* $(,)?) $name:literal;
    )+) => {
        /// All metrics, by their order in the code.
        pub const METRICS: &[MetricFamily] = &[$(MetricFamily {
            name: $name,
            kind: metrics!(@kind $kind),
            help: concat!($($help),+).trim_ascii(),
            labels: &[$(MetricLabel {
                name: metrics!(@label $label $($text)?),
                values: &[$($($value),+)?],
            }),*],
        }),+];

        /// The names of all metrics, called as the methods that record them.
        #[expect(non_upper_case_globals, reason = "called as the methods")]
        pub mod metric_names {
            $($(#[doc = $help])+ pub const $method: &str = $name;)+
        }

        /// The values of all metrics.
        struct Families {
            $($method: metrics!(@vec $kind)),+
        }

        impl Families {
            fn new(registry: &Registry) -> prometheus::Result<Self> {
                let mut all = METRICS.iter();
                let mut next = || all.next().ok_or_else(|| prometheus::Error::Msg(String::from("too few")));
                let families = Self { $($method: {
                    let family = next()?;
                    metrics!(@new $kind family $($buckets)?)?
                }),+ };
                $(registry.register(Box::new(families.$method.clone()))?;)+
                Ok(families)
            }

            /// As [`METRICS`].
            fn all(&self) -> impl Iterator<Item = (&'static MetricFamily, AnyFamily<'_>)> {
                METRICS.iter().zip([$(metrics!(@any $kind &self.$method)),+])
            }
        }

        impl Metrics {
            $(metrics! {
                @record $kind $method, ($($help)+) $visible ($($label [$($($value)+)?])*)
            })+
        }
    };
}
metrics! {
    /// Calls that have ended, by contact center and outcome; no_record: without a VoiceCall.
    pub counter call_ended(
        call_center,
        outcome ["answered", "abandoned_queue", "abandoned_ivr", "transferred", "callback", "no_record"],
    ) "scv_bridge_calls_total";
    /// Requests answered, by route, status and contact center, which is empty where none was named.
    counter requests(route, status, call_center) "scv_bridge_requests_total";
    /// Requests by route and what came of them, in the word of the log's outcome.
    counter outcome(route, outcome) "scv_bridge_outcomes_total";
    /// Requests whose client was gone before the answer, by route.
    pub counter client_gone(route) "scv_bridge_clients_gone_total";
    /// Requests that Salesforce or the bridge let wait beyond the deadline of their route.
    pub counter deadline_missed(route) "scv_bridge_deadlines_missed_total";
    /// Answers instead of Salesforce's: the fallback queue, or the key of a call whose VoiceCall is created later.
    counter fallback(call_center, kind ["queue", "deferred"]) "scv_bridge_fallbacks_total";
    /// Seconds from the head of a request to its answer, by route.
    histogram [ANSWERS] request_seconds(route) "scv_bridge_request_seconds";
    /// Seconds that Salesforce took, by contact center, operation and result.
    pub histogram [ANSWERS] salesforce_seconds(
        call_center,
        operation ["create", "update", "omni_flow", "clear_routing", "query", "login"],
        result ["done", "again", "unknown", "late", "token_refused", "refused", "misconfigured"],
    ) "scv_bridge_salesforce_request_seconds";
    /// Tokens and logins that Salesforce refused, by way and error.
    pub counter token_refused(
        way ["telephony", "apex", "rest", "login"],
        error [
            "unauthorized", "forbidden", "approval", "audience", "client_id", "expired", "assertion", "other",
        ],
    ) "scv_bridge_token_refusals_total";
    /// Requests that were not sent to Salesforce because of a limit of the bridge, by contact center and limit.
    pub counter limited(
        call_center,
        limit ["creates_per_second", "creates_paused", "concurrent_requests", "breaker"],
    ) "scv_bridge_limited_total";
    /// Creates that an org may get in a second.
    pub gauge creates_limit() "scv_bridge_creates_limit";
    /// 1 for the state that the circuit breaker of a contact center is in, 0 for the others.
    gauges breaker_state(call_center, state ["closed", "open", "half_open"]) "scv_bridge_breaker_state";
    /// Unix time since when the circuit breaker of a contact center is closed again, or is not; none before it changed.
    gauges breaker_since(call_center) "scv_bridge_breaker_since_timestamp_seconds";
    /// Unix time until when an open circuit breaker of a contact center lets nobody through; none while it is not open.
    gauges breaker_until(call_center) "scv_bridge_breaker_until_timestamp_seconds";
    /// Entries of the outbox, by contact center, kind and state.
    gauges outbox_entries(
        call_center,
        kind ["create", "clear", "update", "late-clear"],
        state ["pending", "buried"],
    ) "scv_bridge_outbox_entries";
    /// Unix time when the oldest entry that waits was put in, by contact center and kind; none where none waits.
    gauges outbox_oldest(call_center, kind ["create", "clear", "update", "late-clear"])
        "scv_bridge_outbox_oldest_timestamp_seconds";
    /// Callers who are gone and whose routing is not cleared, by contact center and whether that is still tried.
    gauges callers_not_cleared(call_center, state ["pending", "buried"]) "scv_bridge_callers_not_cleared";
    /// Unix time since when the first of those waits for whom it is still tried, by contact center; none where none waits.
    gauges callers_not_cleared_oldest(call_center) "scv_bridge_callers_not_cleared_oldest_timestamp_seconds";
    /// Attempts on entries of the outbox, by kind and outcome.
    pub counter outbox_attempt(
        kind ["create", "clear", "update", "late-clear"],
        outcome ["delivered", "withheld", "later", "not_asked", "buried"],
    ) "scv_bridge_outbox_attempts_total";
    /// Entries of the outbox that were buried, by contact center and kind.
    pub counter buried(call_center, kind ["create", "clear", "update", "late-clear"])
        "scv_bridge_buried_total";
    /// Seconds from a hang-up until Salesforce had taken what follows from it, by kind.
    pub histogram [DELAYS] completion_delay(kind ["cleared", "final_update"])
        "scv_bridge_completion_delay_seconds";
    /// Abandonments that were not sent, by why: an agent was known, the VoiceCall showed one, one came while it waited,
    /// or the final update was sent before.
    pub counter withheld(reason ["answered", "answered_in_record", "answered_meanwhile", "closed"])
        "scv_bridge_withheld_total";
    /// Webhooks answered, by type and outcome.
    pub counter webhook(kind = "type", outcome) "scv_bridge_webhooks_total";
    /// 1 where the service has started with a `[webex]` section, else 0.
    pub gauge webex_configured() "scv_bridge_webex_configured";
    /// Unix time of the last webhook with a right signature.
    gauge last_webhook() "scv_bridge_last_webhook_timestamp_seconds";
    /// Calls compared with Webex's records, by what was found.
    pub counter reconciled(found ["agreed", "differed", "unknown", "logged", "failed"])
        "scv_bridge_reconciled_calls_total";
    /// Unix time up to which calls were compared with Webex's records.
    gauge reconciled_until() "scv_bridge_reconciled_until_timestamp_seconds";
    /// Unix time when what is told of this was last looked at.
    gauge looked_at(what ["outbox", "subscriptions"])
        "scv_bridge_looked_at_timestamp_seconds";
    /// Subscriptions at Webex that send to this bridge, by status.
    gauge webex_subscriptions(status ["active", "inactive"]) "scv_bridge_webex_subscriptions";
    /// Unix time when the login at Webex ends.
    gauge webex_login_end() "scv_bridge_webex_login_expiration_timestamp_seconds";
    /// Calls whose final update was enriched, by outcome.
    pub counter enriched(outcome ["final", "abandoned", "corrected", "withheld"])
        "scv_bridge_enrichments_total";
    /// Ids of Webex left out of an update because the configuration gives them no name, by table.
    pub counter unmapped(table ["queues", "agents"]) "scv_bridge_unmapped_ids_total";
    /// Tasks that Webex was asked for recordings of, by outcome.
    pub counter recording_query(outcome ["found", "nothing", "failed", "given_up"])
        "scv_bridge_recording_queries_total";
    /// Unix time when a certificate ends, by its name in the configuration.
    gauges certificate_end(certificate) "scv_bridge_certificate_expiration_timestamp_seconds";
    /// Seconds that a commit of the database took.
    pub histogram [COMMITS] store_commit() "scv_bridge_store_commit_seconds";
    /// What waits for the database.
    gauge store_queue() "scv_bridge_store_queue_length";
    /// 1 while the database can be written, else 0.
    gauge store_writable() "scv_bridge_store_writable";
    /// Requests with wrong credentials or without any, by the way in which they came.
    pub counter failed_login(way ["none", "basic", "bearer", "token_endpoint"])
        "scv_bridge_failed_logins_total";
    /// TLS handshakes that failed, by listener and reason.
    pub counter handshake_failed(
        listener ["public", "operations"],
        reason ["closed", "timeout", "crowded", "not_tls", "version", "certificate", "other"],
    ) "scv_bridge_tls_handshake_failures_total";
    /// How often the configuration was read again, by result.
    counter configuration_reads(result ["accepted", "refused"]) "scv_bridge_configuration_reads_total";
    /// 1 while the newest configuration runs, 0 while it is refused and an older one runs.
    gauge configuration_current() "scv_bridge_configuration_current";
    /// Unix time when the service started.
    gauge started() "scv_bridge_start_timestamp_seconds";
    /// The version that runs; always 1.
    gauge build_info(version) "scv_bridge_build_info";
}

/// The values of a metric.
enum AnyFamily<'a> {
    Counter(&'a IntCounterVec),
    #[cfg_attr(not(test), expect(dead_code, reason = "only counters begin at zero"))]
    Gauge(&'a GaugeVec),
    #[cfg_attr(not(test), expect(dead_code, reason = "only counters begin at zero"))]
    Histogram(&'a HistogramVec),
}

/// An answered request.
#[derive(Debug, Clone, Copy)]
pub struct AnsweredRequest<'a> {
    /// The route.
    pub route: &'static str,
    /// The status of the answer.
    pub status: &'a str,
    /// The contact center, if the request named one.
    pub call_center: &'a str,
    /// What came of it, in the word of the log; empty where there is none.
    pub outcome: &'static str,
    /// From the head of the request to the answer.
    pub took: Duration,
}

/// The circuit breaker of a contact center, as it is now.
#[derive(Debug, Clone)]
pub struct BreakerReading {
    /// The contact center.
    pub call_center: String,
    /// The name of its state.
    pub state: &'static str,
    /// Since when it is closed again, or not closed.
    pub since: Option<Timestamp>,
    /// Until when nobody is let through.
    pub until: Option<Timestamp>,
}

/// How many entries of a contact center, of a kind, are in a state.
#[derive(Debug, Clone)]
pub struct OutboxCount {
    /// The contact center.
    pub call_center: String,
    /// The kind.
    pub kind: &'static str,
    /// The state.
    pub state: &'static str,
    /// How many.
    pub entries: u64,
    /// When the oldest was put in.
    pub oldest: Timestamp,
}

/// How many callers of a contact center are gone and not cleared.
#[derive(Debug, Clone)]
pub struct NotClearedCount {
    /// The contact center.
    pub call_center: String,
    /// The name of the state of what would clear them.
    pub state: &'static str,
    /// How many.
    pub callers: u64,
    /// Since when the first of them waits.
    pub oldest: Timestamp,
}

/// The metrics of one service. Not process-wide, so that two services in one process keep their own.
pub struct Metrics {
    registry: Registry,
    families: Families,
    /// The series of gauges that may go again, by the name of the gauge.
    seen: Mutex<BTreeMap<String, BTreeSet<Vec<String>>>>,
}

impl Metrics {
    /// All at zero.
    ///
    /// # Errors
    /// Never in practice: names and labels are sound.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let families = Families::new(&registry)?;
        let metrics = Self { registry, families, seen: Mutex::default() };
        metrics.build_info(env!("CARGO_PKG_VERSION"), 1.0);
        metrics.configuration_current(1.0);
        Ok(metrics)
    }

    /// Notes when the service started.
    pub fn started_at(&self, at: Timestamp) {
        self.started(seconds(at));
    }

    /// Shows at zero what may be counted with these contact centers: what happens for the first time is then an
    /// increase too.
    pub fn begin_at_zero(&self, call_centers: &[String]) {
        for (family, values) in self.families.all() {
            let AnyFamily::Counter(counter) = values else { continue };
            for series in family.series(call_centers).unwrap_or_default() {
                counter.with_label_values(&series);
            }
        }
    }

    /// Counts an answer and the time that it took.
    pub fn request(&self, answered: &AnsweredRequest<'_>) {
        let AnsweredRequest { route, status, call_center, outcome, took } = *answered;
        self.requests(route, status, call_center);
        self.request_seconds(route).observe(took.as_secs_f64());
        if !outcome.is_empty() {
            self.outcome(route, outcome);
        }
        match outcome {
            "fallback" => self.fallback(call_center, "queue"),
            "deferred" => self.fallback(call_center, "deferred"),
            _ => {}
        }
    }

    /// Notes when certificates end. One that is not configured any more has no series.
    pub fn certificates(&self, ends: &[(String, Timestamp)]) {
        let ends = ends.iter().map(|(name, at)| (vec![name.clone()], seconds(*at)));
        self.replace(self.certificate_end(), ends);
    }

    /// Counts a reading of the configuration, and notes whether the newest version runs.
    pub fn configuration_read(&self, accepted: bool) {
        self.configuration_reads(if accepted { "accepted" } else { "refused" });
        self.configuration_current(f64::from(u8::from(accepted)));
    }

    /// Notes what waits in the outbox of these contact centers, and what is buried there.
    #[expect(clippy::cast_precision_loss, reason = "a number of entries")]
    pub fn outbox(&self, call_centers: &[String], counts: &[OutboxCount]) {
        let none = zeros(self.outbox_entries(), call_centers);
        let named = |count: &OutboxCount| vec![count.call_center.clone(), count.kind.to_owned()];
        let counted = counts.iter().map(|count| {
            let state = count.state.to_owned();
            (named(count).into_iter().chain([state]).collect(), count.entries as f64)
        });
        self.replace(self.outbox_entries(), none.chain(counted));
        let waiting = counts.iter().filter(|count| count.state == "pending");
        let oldest = waiting.map(|count| (named(count), seconds(count.oldest)));
        self.replace(self.outbox_oldest(), oldest);
    }

    /// Notes how many callers of these contact centers are gone and not cleared.
    #[expect(clippy::cast_precision_loss, reason = "a number of callers")]
    pub fn not_cleared(&self, call_centers: &[String], counts: &[NotClearedCount]) {
        let none = zeros(self.callers_not_cleared(), call_centers);
        let counted = counts
            .iter()
            .map(|count| (vec![count.call_center.clone(), count.state.to_owned()], count.callers as f64));
        self.replace(self.callers_not_cleared(), none.chain(counted));
        let waiting = counts.iter().filter(|count| count.state == "pending");
        let oldest = waiting.map(|count| (vec![count.call_center.clone()], seconds(count.oldest)));
        self.replace(self.callers_not_cleared_oldest(), oldest);
    }

    /// Notes how the circuit breaker of each contact center is.
    pub fn breakers(&self, breakers: &[BreakerReading]) {
        let named = |breaker: &BreakerReading| vec![breaker.call_center.clone()];
        let states = breakers.iter().flat_map(|breaker| {
            let is = |one: &'static str| f64::from(u8::from(one == breaker.state));
            ["closed", "open", "half_open"]
                .map(|one| (vec![breaker.call_center.clone(), one.to_owned()], is(one)))
        });
        self.replace(self.breaker_state(), states);
        let since = breakers.iter().filter_map(|breaker| Some((named(breaker), seconds(breaker.since?))));
        self.replace(self.breaker_since(), since);
        let until = breakers.iter().filter_map(|breaker| Some((named(breaker), seconds(breaker.until?))));
        self.replace(self.breaker_until(), until);
    }

    /// Notes when what the gauges tell of this was looked at.
    pub fn looked(&self, what: &'static str, at: Timestamp) {
        self.looked_at(what, seconds(at));
    }

    /// Notes how much waits for the database, and whether it can be written.
    #[expect(clippy::cast_precision_loss, reason = "a number of commands")]
    pub fn store(&self, waiting: usize, is_writable: bool) {
        self.store_queue(waiting as f64);
        self.store_writable(f64::from(u8::from(is_writable)));
    }

    /// Notes that a webhook with a right signature has come.
    pub fn webhook_at(&self, at: Timestamp) {
        self.last_webhook(seconds(at));
    }

    /// Notes up to when calls were compared.
    pub fn water_mark(&self, at: Timestamp) {
        self.reconciled_until(seconds(at));
    }

    /// Notes how many subscriptions send to us, and how many do not any more.
    #[expect(clippy::cast_precision_loss, reason = "a number of subscriptions")]
    pub fn subscriptions(&self, active: usize, inactive: usize) {
        for (status, count) in [("active", active), ("inactive", inactive)] {
            self.webex_subscriptions(status, count as f64);
        }
    }

    /// Notes when the login at Webex ends.
    pub fn webex_login(&self, ends: Timestamp) {
        self.webex_login_end(seconds(ends));
    }

    /// The text that Prometheus reads, in an order that does not change.
    ///
    /// # Errors
    /// Never in practice: there is no name or text in it that could not be written.
    pub fn render(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Sets the series of a gauge, the last value of each counts; what was set before and is not among them goes.
    fn replace(&self, gauge: &GaugeVec, series: impl Iterator<Item = (Vec<String>, f64)>) {
        let series: BTreeMap<Vec<String>, f64> = series.collect();
        for (values, value) in &series {
            gauge.with_label_values(values).set(*value);
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let before = seen.insert(of(gauge).0, series.keys().cloned().collect()).unwrap_or_default();
        for gone in before.iter().filter(|values| !series.contains_key(*values)) {
            // It was set before, so it is there.
            let _ = gauge.remove_label_values(gone);
        }
    }
}

/// The series of a gauge at these contact centers, each at zero.
fn zeros(gauge: &GaugeVec, call_centers: &[String]) -> impl Iterator<Item = (Vec<String>, f64)> {
    let series = of(gauge).1.and_then(|family| family.series(call_centers)).unwrap_or_default();
    let owned = |series: Vec<&str>| series.into_iter().map(str::to_owned).collect();
    series.into_iter().map(owned).map(|labels: Vec<String>| (labels, 0.0)).collect::<Vec<_>>().into_iter()
}

/// The name of a gauge, and what is known of it.
fn of(gauge: &GaugeVec) -> (String, Option<&'static MetricFamily>) {
    let name = gauge.desc().first().map(|described| described.fq_name.clone()).unwrap_or_default();
    let family = METRICS.iter().find(|family| family.name == name);
    (name, family)
}

/// Unix time, to the millisecond.
#[expect(clippy::cast_precision_loss, reason = "a time of this century")]
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value of a label.
    fn value(label: &MetricLabel) -> &'static str {
        label.values.first().copied().unwrap_or_else(|| match label.name {
            "route" => "createVoiceCall",
            "status" => "200",
            "outcome" => "ok",
            "call_center" => "WxCCContactCenterSCV",
            "certificate" => "WebexCCSCV",
            "type" => "agent:connected",
            "version" => "1.0.0",
            other => panic!("give an example of {other}"),
        })
    }

    /// `make check-deploy` has promtool look at this text.
    #[test]
    fn the_text_for_prometheus_has_one_series_of_each_metric_here() {
        let metrics = Metrics::new().unwrap();
        metrics.families.build_info.reset();
        for (family, values) in metrics.families.all() {
            let labels: Vec<&str> = family.labels.iter().map(value).collect();
            match values {
                AnyFamily::Counter(counter) => counter.with_label_values(&labels).inc(),
                AnyFamily::Gauge(gauge) => gauge.with_label_values(&labels).set(1.0),
                AnyFamily::Histogram(histogram) => histogram.with_label_values(&labels).observe(0.3),
            }
        }
        insta::assert_snapshot!(metrics.render().unwrap());
    }

    #[test]
    fn what_can_be_counted_is_shown_at_zero_before_it_happens() {
        let metrics = Metrics::new().unwrap();
        metrics.begin_at_zero(&["Main".to_owned()]);
        let text = metrics.render().unwrap();
        let buried = "scv_bridge_buried_total{call_center=\"Main\",kind=\"clear\"} 0";
        assert!(text.lines().any(|line| line == buried), "{text}");
        assert!(!text.contains("scv_bridge_requests_total{"), "routes and statuses have no list");
    }

    #[test]
    fn a_series_that_is_not_told_again_goes_and_entries_stay_at_zero() {
        let metrics = Metrics::new().unwrap();
        let centers = ["Main".to_owned()];
        let count = OutboxCount {
            call_center: "Main".to_owned(),
            kind: "clear",
            state: "pending",
            entries: 3,
            oldest: Timestamp::from_second(1_800_000_000).unwrap(),
        };
        metrics.outbox(&centers, &[count]);
        let text = metrics.render().unwrap();
        let entries = "scv_bridge_outbox_entries{call_center=\"Main\",kind=\"clear\",state=\"pending\"}";
        let oldest = "scv_bridge_outbox_oldest_timestamp_seconds{call_center=\"Main\",kind=\"clear\"}";
        assert!(text.contains(&format!("{entries} 3\n")) && text.contains(&format!("{oldest} 1800000000\n")));
        metrics.outbox(&centers, &[]);
        let text = metrics.render().unwrap();
        assert!(text.contains(&format!("{entries} 0\n")) && !text.contains(oldest), "{text}");
    }
}
