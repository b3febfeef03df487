//! `[logs]`: how and how much is logged.

/// Form and filter of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logs {
    /// One JSON object a line, or text for people.
    pub format: LogFormat,
    /// A filter as `tracing` takes it, such as `info` or `info,scv_bridge=debug`; it was parsed once.
    pub level: String,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// Text for people.
    Text,
}
