//! What the metrics of a service tell an operator: a pure reading.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::super::running::{Exposition, OneLine, Readiness, RunningMetrics, Sample, ToldProblem, total};
use super::histogram::{Histogram, Quantile};
use crate::telemetry::metric_names;

/// The page. The fields are those of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct ServiceStatus {
    /// The address that was asked.
    pub(super) service: String,
    pub(super) version: String,
    #[serde(serialize_with = "time")]
    pub(super) at: Timestamp,
    /// When the service started.
    #[serde(serialize_with = "optional_time")]
    pub(super) started_at: Option<Timestamp>,
    /// When the service has looked at what it does not see all the time.
    pub(super) looked_at: LookedAt,
    /// Why requests may not come, at this moment; empty: they may. None where the service does not tell, such as one of
    /// another version.
    pub(super) not_ready: Option<Vec<OneLine>>,
    pub(super) database_writable: Option<bool>,
    /// Whether the newest configuration runs.
    pub(super) configuration_current: Option<bool>,
    /// Why the newest is refused; empty: it runs.
    pub(super) refused: Option<Vec<ToldProblem>>,
    /// Keys whose new value takes effect after a restart.
    pub(super) after_restart: Option<Vec<OneLine>>,
    /// Since the service has started.
    pub(super) salesforce: Vec<OperationStatus>,
    pub(super) breakers: Vec<BreakerStatus>,
    pub(super) callers_not_cleared: CallersStatus,
    /// What is owed or buried; nothing where there is none.
    pub(super) outbox: Option<Vec<OutboxStatus>>,
    pub(super) webex: WebexStatus,
    /// What ends, the first first.
    pub(super) ends: Vec<EndStatus>,
}

/// When the service has looked last; none before its first look, or where it does not tell.
#[derive(Debug, Serialize)]
pub(super) struct LookedAt {
    /// The outbox, and with it the callers who are gone.
    #[serde(serialize_with = "optional_time")]
    pub(super) outbox: Option<Timestamp>,
    /// The subscriptions, as Webex tells.
    #[serde(serialize_with = "optional_time")]
    pub(super) subscriptions: Option<Timestamp>,
}

/// How long Salesforce takes for an operation.
#[derive(Debug, Serialize)]
pub(super) struct OperationStatus {
    pub(super) operation: String,
    pub(super) requests: u64,
    /// Of those, what ended otherwise than done.
    pub(super) not_done: u64,
    pub(super) mean_seconds: Option<f64>,
    pub(super) p50: Option<Quantile>,
    pub(super) p95: Option<Quantile>,
}

/// A circuit breaker.
#[derive(Debug, Serialize)]
pub(super) struct BreakerStatus {
    pub(super) call_center: String,
    pub(super) state: String,
    /// Since when it is closed again, or not; none before it has ever opened.
    #[serde(serialize_with = "optional_time")]
    pub(super) since: Option<Timestamp>,
    /// Until when an open one lets nobody through.
    #[serde(serialize_with = "optional_time")]
    pub(super) until: Option<Timestamp>,
}

/// Callers who have hung up and whose routing is not cleared.
#[derive(Debug, Serialize)]
pub(super) struct CallersStatus {
    pub(super) callers: u64,
    /// Of whom what would clear it is buried: nobody tries it again.
    pub(super) buried: u64,
    #[serde(serialize_with = "optional_time")]
    pub(super) oldest: Option<Timestamp>,
}

/// What the outbox holds of a kind.
#[derive(Debug, Serialize)]
pub(super) struct OutboxStatus {
    pub(super) call_center: String,
    pub(super) kind: String,
    pub(super) pending: u64,
    #[serde(serialize_with = "optional_time")]
    pub(super) oldest: Option<Timestamp>,
    pub(super) buried: u64,
}

/// What is heard of Webex.
#[derive(Debug, Serialize)]
pub(super) struct WebexStatus {
    /// Whether the service runs with a `[webex]` section; none where it does not tell.
    pub(super) configured: Option<bool>,
    /// Subscriptions that send to this bridge; none where Webex was not asked.
    pub(super) active: Option<u64>,
    pub(super) inactive: Option<u64>,
    #[serde(serialize_with = "optional_time")]
    pub(super) last_webhook: Option<Timestamp>,
    #[serde(serialize_with = "optional_time")]
    pub(super) compared_until: Option<Timestamp>,
}

/// Something that ends.
#[derive(Debug, Serialize)]
pub(super) struct EndStatus {
    pub(super) what: String,
    #[serde(serialize_with = "time")]
    pub(super) at: Timestamp,
    pub(super) days_left: i64,
}

impl ServiceStatus {
    /// What the service tells at this moment.
    pub(super) fn of(asked: &RunningMetrics, readiness: Option<Readiness>, now: Timestamp) -> Self {
        let told = &asked.told;
        let looked_at =
            LookedAt { outbox: told.looked_at("outbox"), subscriptions: told.looked_at("subscriptions") };
        let (not_ready, configuration) =
            readiness.map(|readiness| (readiness.not_ready, readiness.configuration)).unzip();
        let (refused, after_restart) = configuration.map(|told| (told.problems, told.after_restart)).unzip();
        let is_set = |name: &str| told.of(name).next().map(|sample| sample.value > 0.0);
        let version = told.of(metric_names::build_info).next().map_or("", |sample| sample.label("version"));
        Self {
            service: asked.service().to_owned(),
            version: version.to_owned(),
            at: now,
            started_at: told.of(metric_names::started).next().and_then(Sample::time),
            looked_at,
            not_ready,
            refused,
            after_restart,
            database_writable: is_set(metric_names::store_writable),
            configuration_current: is_set(metric_names::configuration_current),
            salesforce: operations(told),
            breakers: breakers(told),
            callers_not_cleared: callers(told),
            // Kinds of which there is nothing are told as 0.
            outbox: told.of(metric_names::outbox_entries).next().map(|_| outbox(told)),
            webex: webex(told),
            ends: ends(told, now),
        }
    }
}

/// By operation, over all contact centers and results.
fn operations(told: &Exposition) -> Vec<OperationStatus> {
    let name = metric_names::salesforce_seconds;
    let [buckets, counts, sums] = ["bucket", "count", "sum"].map(|part| format!("{name}_{part}"));
    let mut histograms: BTreeMap<&str, (Histogram, f64)> = BTreeMap::new();
    for sample in told.of(&buckets) {
        if let Ok(bound) = sample.label("le").parse::<f64>() {
            histograms.entry(sample.label("operation")).or_default().0.add(bound, sample.value);
        }
    }
    for sample in told.of(&counts) {
        let (histogram, not_done) = histograms.entry(sample.label("operation")).or_default();
        histogram.count += sample.value;
        if sample.label("result") != "done" {
            *not_done += sample.value;
        }
    }
    for sample in told.of(&sums) {
        histograms.entry(sample.label("operation")).or_default().0.sum += sample.value;
    }
    let status = |(operation, (histogram, not_done)): (&str, (Histogram, f64))| OperationStatus {
        operation: operation.to_owned(),
        requests: whole(histogram.count),
        not_done: whole(not_done),
        mean_seconds: histogram.mean(),
        p50: histogram.quantile(0.5),
        p95: histogram.quantile(0.95),
    };
    histograms.into_iter().filter(|(_, (histogram, _))| histogram.count > 0.0).map(status).collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}

fn breakers(told: &Exposition) -> Vec<BreakerStatus> {
    let at = |name: &'static str, center: &str| {
        told.of(name).find(|sample| sample.label("call_center") == center).and_then(Sample::time)
    };
    let states = told.of(metric_names::breaker_state).filter(|sample| sample.value > 0.0);
    let status = |sample: &Sample| {
        let center = sample.label("call_center");
        BreakerStatus {
            call_center: center.to_owned(),
            state: sample.label("state").to_owned(),
            since: at(metric_names::breaker_since, center),
            until: at(metric_names::breaker_until, center),
        }
    };
    states.map(status).collect()
}

fn callers(told: &Exposition) -> CallersStatus {
    let callers = |state: &'static str| {
        total(told.of(metric_names::callers_not_cleared).filter(|sample| sample.label("state") == state))
    };
    CallersStatus {
        callers: callers("pending"),
        buried: callers("buried"),
        oldest: told.of(metric_names::callers_not_cleared_oldest).filter_map(Sample::time).min(),
    }
}

fn outbox(told: &Exposition) -> Vec<OutboxStatus> {
    let mut all: BTreeMap<(&str, &str), OutboxStatus> = BTreeMap::new();
    for sample in told.of(metric_names::outbox_entries).filter(|sample| sample.value > 0.0) {
        let (center, kind) = (sample.label("call_center"), sample.label("kind"));
        let entry = all.entry((center, kind)).or_insert_with(|| OutboxStatus {
            call_center: center.to_owned(),
            kind: kind.to_owned(),
            pending: 0,
            oldest: None,
            buried: 0,
        });
        match sample.label("state") {
            "buried" => entry.buried = sample.count(),
            _ => entry.pending = sample.count(),
        }
    }
    for sample in told.of(metric_names::outbox_oldest) {
        if let Some(entry) = all.get_mut(&(sample.label("call_center"), sample.label("kind"))) {
            entry.oldest = sample.time();
        }
    }
    all.into_values().collect()
}

fn webex(told: &Exposition) -> WebexStatus {
    let subscriptions = |status: &str| {
        let mut all = told.of(metric_names::webex_subscriptions);
        all.find(|sample| sample.label("status") == status).map(Sample::count)
    };
    let at = |name: &'static str| told.of(name).next().and_then(Sample::time);
    WebexStatus {
        configured: told.of(metric_names::webex_configured).next().map(|sample| sample.value > 0.0),
        active: subscriptions("active"),
        inactive: subscriptions("inactive"),
        last_webhook: at(metric_names::last_webhook),
        compared_until: at(metric_names::reconciled_until),
    }
}

fn ends(told: &Exposition, now: Timestamp) -> Vec<EndStatus> {
    let certificates = told
        .of(metric_names::certificate_end)
        .filter_map(|sample| Some((format!("certificate {}", sample.label("certificate")), sample.time()?)));
    let login = told
        .of(metric_names::webex_login_end)
        .filter_map(|sample| Some(("login at Webex".to_owned(), sample.time()?)));
    let end = |(what, at): (String, Timestamp)| EndStatus {
        what,
        at,
        days_left: at.duration_since(now).as_hours().div_euclid(24),
    };
    let mut ends: Vec<EndStatus> = certificates.chain(login).map(end).collect();
    ends.sort_by_key(|end| end.at);
    ends
}

fn time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

fn optional_time<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::{BreakerReading, Metrics, NotClearedCount, OutboxCount};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    /// A service that has had a bad quarter of an hour.
    fn metrics() -> Metrics {
        let metrics = Metrics::new().unwrap();
        for (result, milliseconds) in [("done", 80), ("done", 90), ("done", 120), ("again", 4_900)] {
            let took = Duration::from_millis(milliseconds).as_secs_f64();
            metrics.salesforce_seconds("Main", "create", result).observe(took);
        }
        metrics.salesforce_seconds("Other", "create", "done").observe(0.02);
        metrics.salesforce_seconds("Main", "clear_routing", "again").observe(0.3);
        let breaker = |center: &str, state, since, until| BreakerReading {
            call_center: center.to_owned(),
            state,
            since,
            until,
        };
        metrics.breakers(&[
            breaker("Main", "open", Some(at(0)), Some(at(70))),
            breaker("Other", "closed", None, None),
        ]);
        let count = |kind, state, entries, second| OutboxCount {
            call_center: "Main".to_owned(),
            kind,
            state,
            entries,
            oldest: at(second),
        };
        let counts = [count("clear", "pending", 3, -120), count("update", "buried", 2, -90_000)];
        metrics.outbox(&["Main".to_owned()], &counts);
        let callers = NotClearedCount {
            call_center: "Main".to_owned(),
            state: "pending",
            callers: 3,
            oldest: at(-120),
        };
        metrics.not_cleared(&["Main".to_owned()], &[callers]);
        metrics.subscriptions(3, 1);
        metrics.webhook_at(at(48));
        metrics.water_mark(at(-240));
        metrics.certificates(&[("WebexCCSCV".to_owned(), at(30 * 86_400))]);
        metrics.webex_login(at(10 * 86_400));
        metrics.store(0, true);
        metrics.configuration_read(false);
        metrics.webex_configured(1.0);
        metrics.started_at(at(-7200));
        for (what, second) in [("outbox", -182), ("subscriptions", -240)] {
            metrics.looked(what, at(second));
        }
        metrics
    }

    /// One whose listener was moved in the file, and which then got a file with a mistake.
    fn readiness() -> Readiness {
        let told = serde_json::json!({
            "status": "not ready",
            "not_ready": ["store: the database does not answer in time"],
            "configuration": {
                "status": "refused",
                "problems": [{ "key": "server.listen", "problem": "is no\naddress", "hint": "such as 0.0.0.0:8080" }],
                "after_restart": ["operations.listen", "store.url"],
            },
        });
        serde_json::from_value(told).unwrap()
    }

    fn status(metrics: &Metrics, readiness: Readiness) -> ServiceStatus {
        let told = Exposition::parse(&metrics.render().unwrap());
        let asked = RunningMetrics { url: "http://127.0.0.1:8081/metrics".to_owned(), told };
        ServiceStatus::of(&asked, Some(readiness), at(60))
    }

    fn printed(metrics: &Metrics, readiness: Readiness) -> String {
        let mut out = Vec::new();
        status(metrics, readiness).print(&mut out).unwrap();
        String::from_utf8(out).unwrap().replace(env!("CARGO_PKG_VERSION"), "[version]")
    }

    #[test]
    fn a_bad_quarter_of_an_hour_is_told_on_one_page() {
        insta::assert_snapshot!(printed(&metrics(), readiness()));
    }

    #[test]
    fn a_service_that_was_asked_nothing_yet_says_so() {
        insta::assert_snapshot!(printed(&Metrics::new().unwrap(), Readiness::default()));
    }

    #[test]
    fn a_service_that_does_not_tell_whether_it_is_ready_is_no_failure() {
        let told = Exposition::parse(&Metrics::new().unwrap().render().unwrap());
        let asked = RunningMetrics { url: "http://127.0.0.1:8081/metrics".to_owned(), told };
        let mut out = Vec::new();
        ServiceStatus::of(&asked, Some(Readiness::default()), at(60)).print(&mut out).unwrap();
        ServiceStatus::of(&asked, None, at(60)).print(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.contains("ready          yes\n") && text.contains("ready          not told by"),
            "{text}"
        );
        assert!(text.contains("the newest runs\n"), "{text}");
    }

    #[test]
    fn programs_get_the_same_as_values() {
        let value = serde_json::to_value(status(&metrics(), readiness())).unwrap();
        let create = value["salesforce"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((create["requests"].as_u64(), create["not_done"].as_u64()), (Some(5), Some(1)));
        assert_eq!(create["p95"], serde_json::json!({ "over_seconds": 4.5, "at_most_seconds": null }));
        assert_eq!(value["breakers"][0]["until"], at(70).to_string());
        assert_eq!(value["callers_not_cleared"]["callers"], 3);
        assert_eq!(value["outbox"][1]["buried"], 2);
        assert_eq!(value["webex"]["inactive"], 1);
        assert_eq!(value["looked_at"]["outbox"], at(-182).to_string());
        assert_eq!(value["looked_at"]["subscriptions"], at(-240).to_string());
        assert_eq!(value["after_restart"], serde_json::json!(["operations.listen", "store.url"]));
        assert_eq!(value["refused"][0]["problem"], "is no address");
        assert_eq!(value["ends"][0]["what"], "login at Webex");
        assert_eq!(
            (value["ends"][0]["days_left"].as_i64(), value["database_writable"].as_bool()),
            (Some(9), Some(true))
        );
    }
}
