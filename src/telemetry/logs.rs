//! The log: one line an event, JSON or text, written by a thread of its own.

use std::fmt::Debug;
use std::panic::PanicHookInfo;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tracing::field::Field;
use tracing::{Level, Metadata};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{fmt, prelude::*};

use super::json::{JsonLine, visible};
use super::text::TextLine;
use crate::settings::{LogFormat, Logs};

/// How long what is left may take to be written at the end.
const LAST: Duration = Duration::from_secs(2);

/// Writes what is left when it is dropped; keep it until the end of the program.
pub struct LogGuard {
    writer: Option<WorkerGuard>,
}

impl Drop for LogGuard {
    /// Where nobody reads standard output, the writer's own guard waits for ever as soon as its buffer is full.
    fn drop(&mut self) {
        let (sender, written) = mpsc::channel();
        let writer = self.writer.take();
        let last = move || {
            drop(writer);
            // Who does not wait any more needs no word.
            let _ = sender.send(());
        };
        if thread::Builder::new().spawn(last).is_ok() {
            let _ = written.recv_timeout(LAST);
        }
    }
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
        LogFormat::Json => layer.event_format(JsonLine).boxed(),
        LogFormat::Text => {
            layer.fmt_fields(debug_fn(text).delimited(" ")).event_format(TextLine::new()).boxed()
        }
    };
    tracing_subscriber::registry().with(filter).with(filter_fn(harmless)).with(layer).try_init()?;
    std::panic::set_hook(Box::new(panicked));
    Ok(LogGuard { writer: Some(guard) })
}

/// A panic is told by the log, which keeps no thread waiting as standard error may, and shows no numbers.
fn panicked(panic: &PanicHookInfo<'_>) {
    let (words, place) = (panic.payload_as_str(), panic.location().map(tracing::field::display));
    let thread = thread::current();
    tracing::error!(words, place, thread = thread.name(), "a fault of the bridge: it panicked");
}

/// `name=value`, as the library writes it, without numbers.
fn text(writer: &mut Writer<'_>, field: &Field, value: &dyn Debug) -> std::fmt::Result {
    let value = format!("{value:?}");
    let value = visible(field.name(), &value);
    if field.name() == "message" { write!(writer, "{value}") } else { write!(writer, "{field}={value}") }
}

/// What we write ourselves, and what libraries warn of. Below that, libraries of the HTTP and TLS kind may write
/// headers and bodies, and no configured level shall bring those into a log.
fn harmless(event: &Metadata<'_>) -> bool {
    let ours = event.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
    ours || *event.level() <= Level::WARN
}

#[cfg(test)]
mod tests {
    use tracing::level_filters::LevelFilter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn libraries_are_heard_only_when_they_warn() {
        let subscriber = tracing_subscriber::registry().with(filter_fn(harmless)).with(LevelFilter::TRACE);
        tracing::subscriber::with_default(subscriber, || {
            assert!(tracing::enabled!(Level::TRACE), "ours");
            assert!(tracing::enabled!(target: "scv_bridge::api::access", Level::TRACE));
            assert!(tracing::enabled!(target: "h2::codec", Level::WARN));
            assert!(!tracing::enabled!(target: "h2::codec", Level::INFO));
            assert!(!tracing::enabled!(target: "scv_bridge_like", Level::TRACE));
        });
    }
}
