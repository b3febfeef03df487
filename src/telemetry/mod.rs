//! What operators see: the log and the metrics.

mod json;
mod logs;
mod metrics;

pub use logs::{LogGuard, start};
pub use metrics::Metrics;
