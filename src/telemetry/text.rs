//! A line of text: as the library writes it, with what it is about.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::json::visible;
use super::subject::{NamedFields, each_missing};

/// `time LEVEL message name=value ..`.
pub struct TextLine(Format<Full>);

impl TextLine {
    /// Without the module that wrote it.
    pub fn new() -> Self {
        Self(Format::default().with_target(false))
    }
}

impl<S, N> FormatEvent<S, N> for TextLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = String::with_capacity(256);
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let mut names = FieldNames::default();
        event.record(&mut names);
        writer.write_str(line.trim_end())?;
        let mut written = Ok(());
        each_missing(names.0, |name, value| {
            written = written.and_then(|()| write!(writer, " {name}={:?}", visible(name, value)));
        });
        written?;
        writer.write_char('\n')
    }
}

/// The names of a line's fields.
#[derive(Default)]
struct FieldNames(NamedFields);

impl Visit for FieldNames {
    fn record_debug(&mut self, field: &Field, _: &dyn Debug) {
        self.0.add(field.name());
    }
}
