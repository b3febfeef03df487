//! What operators see: the log and the metrics.

mod family;
mod json;
mod logs;
mod metrics;

pub use family::{MetricFamily, MetricKind, MetricLabel};
pub use logs::{LogGuard, start};
pub use metrics::{AnsweredRequest, METRICS, Metrics, OutboxCount};
