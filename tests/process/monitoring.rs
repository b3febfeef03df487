//! Alerts, dashboard and documentation name the metrics that there are. That their expressions mean something,
//! `make check-deploy` has promtool look at.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use scv_bridge::telemetry::{METRICS, MetricKind};
use serde_json::Value;

/// Metrics that the dashboard does not show, each with the reason.
const LEFT_OUT: [(&str, &str); 3] = [
    (
        "scv_bridge_start_timestamp_seconds",
        "`status` tells it; a start shows as a gap and as counters that begin anew",
    ),
    (
        "scv_bridge_looked_at_timestamp_seconds",
        "a dashboard looks as rarely itself: it is for who reads the metrics once",
    ),
    ("scv_bridge_webex_configured", "its panels are empty then, and `status` says why"),
];
const ALERTS_FILE: &str = "deploy/prometheus/alerts.yaml";
const TESTS: [&str; 2] = ["deploy/prometheus/alerts_test.yaml", "deploy/prometheus/alerts_days_test.yaml"];
/// The alerts.
const ALERTS: [&str; 18] = [
    "BridgeDown",
    "CallersNotCleared",
    "CallsWithoutRecord",
    "CertificateEnds",
    "ConfigurationRefused",
    "CreatesNearLimit",
    "DatabaseNotWritable",
    "FlowCredentialsWrong",
    "FlowsAnsweredLate",
    "NoTraffic",
    "OutboxGrows",
    "SalesforceRefusesUs",
    "SalesforceUnreachable",
    "SubscriptionInactive",
    "UpdatesBuried",
    "WebexLoginEnds",
    "WebhookLossHigh",
    "WebhooksSilent",
];

fn read(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// The metrics that a text names: of a histogram, also by the names of its parts.
fn named(text: &str) -> BTreeSet<String> {
    let is_part = |byte: char| byte.is_ascii_alphanumeric() || byte == '_';
    let words = text.split(|byte| !is_part(byte)).filter(|word| word.starts_with("scv_bridge_"));
    words.map(|word| whole(word).to_owned()).collect()
}

/// The histogram of `.._bucket`, `.._sum` and `.._count`.
fn whole(name: &str) -> &str {
    let of = |suffix| name.strip_suffix(suffix);
    let histogram = of("_bucket").or_else(|| of("_sum")).or_else(|| of("_count"));
    let is_one = |base: &&str| {
        METRICS.iter().any(|family| family.name == *base && family.kind == MetricKind::Histogram)
    };
    histogram.filter(is_one).unwrap_or(name)
}

fn known() -> BTreeSet<String> {
    METRICS.iter().map(|family| family.name.to_owned()).collect()
}

/// What follows a key in lines of YAML.
fn values<'a>(text: &'a str, key: &str) -> Vec<&'a str> {
    let lines = text.lines().map(|line| line.trim_start_matches([' ', '-']));
    lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix(": ")).collect()
}

#[test]
fn every_metric_of_alerts_and_their_tests_is_exported() {
    for file in [ALERTS_FILE, TESTS[0], TESTS[1]] {
        let unknown: Vec<String> = named(&read(file)).difference(&known()).cloned().collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
}

#[test]
fn every_exported_metric_is_on_the_dashboard_or_left_out_with_a_reason_and_no_other_is() {
    let shown = named(&read("deploy/grafana/scv-bridge.json"));
    let unknown: Vec<&String> = shown.iter().filter(|name| !known().contains(*name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    for name in known() {
        let is_left_out = LEFT_OUT.iter().any(|(left_out, _)| *left_out == name);
        assert!(shown.contains(&name) != is_left_out, "{name}");
    }
}

#[test]
fn the_dashboard_has_its_rows_and_a_place_of_its_own_for_each_panel() {
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/scv-bridge.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let rows = panels.iter().filter(|panel| panel["type"] == "row");
    let rows: Vec<&str> = rows.filter_map(|row| row["title"].as_str()).collect();
    assert_eq!(rows, ["Callers", "Flows", "Salesforce", "Owed", "Truth", "Limits and ends"]);
    let number = |panel: &Value, name: &str| panel["gridPos"][name].as_u64().unwrap();
    let mut taken = BTreeSet::new();
    for panel in panels {
        let (left, top) = (number(panel, "x"), number(panel, "y"));
        for x in left..left + number(panel, "w") {
            for y in top..top + number(panel, "h") {
                assert!(x < 24 && taken.insert((x, y)), "{}", panel["title"]);
            }
        }
    }
}

#[test]
fn each_alert_has_words_for_operators_and_tests_that_it_fires_and_does_not() {
    let (alerts, tests) = (read(ALERTS_FILE), TESTS.map(read).concat());
    let names: BTreeSet<&str> = values(&alerts, "alert").into_iter().collect();
    assert_eq!(names, BTreeSet::from(ALERTS));
    let rules = values(&alerts, "alert").len();
    for key in ["severity", "summary", "description"] {
        assert_eq!(values(&alerts, key).len(), rules, "{key}");
    }
    for name in ALERTS {
        let (mut fires, mut does_not) = (false, false);
        for test in tests.split("- alertname: ").skip(1).filter(|test| test.lines().next() == Some(name)) {
            let is_empty = test.contains("exp_alerts: []");
            (fires, does_not) = (fires || !is_empty, does_not || is_empty);
        }
        assert!(fires && does_not, "{name}: fires {fires}, does not {does_not}");
    }
}

#[test]
fn what_inhibits_and_is_inhibited_are_alerts() {
    let example = read("deploy/prometheus/alertmanager.yaml");
    let is_part = |byte: char| byte.is_ascii_alphanumeric();
    let matchers = example.lines().filter(|line| line.contains("_matchers:") && line.contains("alertname"));
    let words = matchers.flat_map(|line| line.split(move |byte| !is_part(byte)));
    let named: BTreeSet<&str> =
        words.filter(|word| word.starts_with(|byte: char| byte.is_ascii_uppercase())).collect();
    assert!(named.iter().all(|name| ALERTS.contains(name)), "{named:?}");
    for hidden in ["FlowsAnsweredLate", "OutboxGrows", "CallersNotCleared"] {
        assert!(named.contains(hidden), "{hidden}");
    }
}

/// What operators ask is answered by a command where there is no Prometheus, and by metrics where there is.
#[test]
fn each_question_of_operators_has_a_command_and_names_metrics_that_there_are() {
    let page = read("docs/operations.md");
    let unknown: Vec<String> = named(&page).difference(&known()).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let table = page.lines().skip_while(|line| !line.starts_with("| question | command | PromQL |"));
    let rows: Vec<&str> = table.skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 11);
    for row in rows {
        let cells: Vec<String> = row.replace("\\|", "").split('|').map(str::to_owned).collect();
        let (command, metric) = (&cells[2], &cells[3]);
        assert!(command.contains("`scv-bridge ") || command.contains("`journalctl "), "{row}");
        assert!(metric.contains("scv_bridge_") || metric.contains("none: "), "{row}");
    }
}

#[test]
fn the_documentation_has_every_metric_with_its_closed_labels_and_every_alert() {
    let docs = read("docs/metrics.md");
    assert_eq!(named(&docs), known());
    for family in METRICS {
        let line = docs.lines().find(|line| line.starts_with(&format!("| `{}`", family.name))).unwrap();
        for label in family.labels {
            assert!(line.contains(&format!("`{}`", label.name)), "{} lacks {}", family.name, label.name);
        }
        for value in family.labels.iter().flat_map(|label| label.values) {
            assert!(docs.contains(&format!("`{value}`")), "{value} of {}", family.name);
        }
    }
    for name in ALERTS {
        assert!(docs.contains(&format!("| `{name}` |")), "{name}");
    }
}
