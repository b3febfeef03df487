//! The log: one line an event, JSON or text, written by a thread of its own.

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{fmt, prelude::*};

use crate::settings::{LogFormat, Logs};

/// Writes what is left when it is dropped; keep it until the end of the program.
pub struct LogGuard {
    _writer: WorkerGuard,
}

/// Starts the log of this process on standard output.
///
/// # Errors
/// When this process has a log already.
pub fn start(settings: &Logs) -> Result<LogGuard, TryInitError> {
    // A reader of the log that stalls must not stall the service: lines beyond the buffer are counted and lost.
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).finish(std::io::stdout());
    let filter = EnvFilter::builder().parse_lossy(&settings.level);
    let layer = fmt::layer().with_writer(writer).with_ansi(false).with_target(false);
    let layer = match settings.format {
        LogFormat::Json => {
            layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
        }
        LogFormat::Text => layer.boxed(),
    };
    tracing_subscriber::registry().with(filter).with(layer).try_init()?;
    Ok(LogGuard { _writer: guard })
}
