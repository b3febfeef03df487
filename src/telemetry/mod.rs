//! What operators see: the log and the metrics.

mod family;
mod json;
mod logs;
mod metrics;
mod subject;
mod text;

pub use family::{MetricFamily, MetricKind, MetricLabel};
pub use logs::{LogGuard, start};
pub use metrics::{AnsweredRequest, METRICS, Metrics, OutboxCount};
pub use subject::LogSubject;
