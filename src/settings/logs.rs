//! `[logs]`: how and how much is logged.

use tracing_subscriber::EnvFilter;

use super::section::Section;

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

impl Logs {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let forms = [("json", LogFormat::Json), ("text", LogFormat::Text)];
        let format = section.choice("format", None, &forms);
        let level = section.parsed(
            "level",
            "error, warn, info, debug or trace, or a filter such as info,scv_bridge=debug",
            |text| match EnvFilter::try_new(text) {
                Ok(_) => Ok(text.to_owned()),
                Err(_) => Err("is not a log filter".to_owned()),
            },
        );
        section.finish();
        Some(Self { format: format?, level: level? })
    }
}
