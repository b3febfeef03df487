//! What operators see: the log, the metrics and the traces.

mod family;
mod json;
mod logs;
mod metrics;
mod subject;
mod text;
mod traces;

pub use family::{MetricFamily, MetricKind, MetricLabel};
pub use logs::{LogGuard, start};
pub use metrics::{
    AnsweredRequest, BreakerReading, METRICS, Metrics, NotClearedCount, OutboxCount, metric_names,
};
pub use subject::LogSubject;
pub use traces::{TraceSpan, Traces, TracesError, salesforce_span, store_span};
