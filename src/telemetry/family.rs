//! What is known of a metric beside its values: name, type, help and labels.

use std::collections::HashMap;

use prometheus::Opts;

/// The label whose values are the names of the configured contact centers.
const CALL_CENTER: &str = "call_center";

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It has a value.
    Gauge,
    /// It counts what was measured, by size.
    Histogram,
}

/// A label of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricLabel {
    /// Its name.
    pub name: &'static str,
    /// All its values; none where the configuration has them, or HTTP.
    pub values: &'static [&'static str],
}

/// A metric, as the documentation, dashboards and alerts know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetricFamily {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// Its help text.
    pub help: &'static str,
    /// Its labels, in the order of their values.
    pub labels: &'static [MetricLabel],
}

impl MetricFamily {
    pub(super) fn options(&self) -> Opts {
        Opts {
            namespace: String::new(),
            subsystem: String::new(),
            name: self.name.to_owned(),
            help: self.help.to_owned(),
            const_labels: HashMap::new(),
            variable_labels: Vec::new(),
        }
    }

    pub(super) fn label_names(&self) -> Vec<&'static str> {
        self.labels.iter().map(|label| label.name).collect()
    }

    /// The label values of all series that there can be with these contact centers; none where that is not known.
    pub(super) fn series<'a>(&self, call_centers: &'a [String]) -> Option<Vec<Vec<&'a str>>> {
        let mut all: Vec<Vec<&'a str>> = vec![Vec::new()];
        for label in self.labels {
            let values: Vec<&'a str> = match (label.name, label.values) {
                (CALL_CENTER, _) => call_centers.iter().map(String::as_str).collect(),
                (_, []) => return None,
                (_, values) => values.to_vec(),
            };
            let longer = all.iter().flat_map(|series| {
                values.iter().map(|value| series.iter().chain([value]).copied().collect::<Vec<_>>())
            });
            all = longer.collect();
        }
        Some(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTCOME: MetricLabel = MetricLabel { name: "outcome", values: &["won", "lost"] };
    const STATUS: MetricLabel = MetricLabel { name: "status", values: &[] };
    const OF_CENTER: MetricLabel = MetricLabel { name: CALL_CENTER, values: &[] };

    fn series(labels: &'static [MetricLabel]) -> Option<Vec<Vec<String>>> {
        let family = MetricFamily { name: "a_total", kind: MetricKind::Counter, help: "Of a test.", labels };
        let centers = ["A".to_owned(), "B".to_owned()];
        let owned = |series: Vec<&str>| series.into_iter().map(str::to_owned).collect();
        Some(family.series(&centers)?.into_iter().map(owned).collect())
    }

    #[test]
    fn the_series_of_closed_labels_are_known_and_of_others_not() {
        let of_both = [["A", "won"], ["A", "lost"], ["B", "won"], ["B", "lost"]];
        assert_eq!(
            series(&[OF_CENTER, OUTCOME]),
            Some(of_both.map(|one| one.map(str::to_owned).to_vec()).to_vec())
        );
        assert_eq!(series(&[]), Some(vec![vec![]]));
        assert_eq!(series(&[OUTCOME, STATUS]), None);
    }
}
