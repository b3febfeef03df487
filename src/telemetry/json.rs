//! One JSON object a line. The formatter of `tracing-subscriber` builds the same through a serializer of maps, which
//! was a tenth of all instructions of a request; this one writes the fields as they come.

use std::borrow::Cow;
use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::subject::{NamedFields, REQUEST_ID, each_missing};
use crate::domain::hide_numbers;

/// `{"timestamp":..,"level":..,"message":..,<fields>}`. Spans are not shown; what the line is about is ([`LogSubject`](super::LogSubject)).
pub struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "\",\"level\":\"{}\"", event.metadata().level())?;
        let mut fields = Fields { line: Vec::with_capacity(512), named: NamedFields::default() };
        event.record(&mut fields);
        let named = fields.named;
        each_missing(named, |name, value| fields.put(name, visible(name, value).as_ref()));
        writer.write_str(std::str::from_utf8(&fields.line).map_err(|_| fmt::Error)?)?;
        writer.write_str("}\n")
    }
}

/// What may be seen of a text. A request's id is hexadecimal digits, often many decimal ones in a row.
pub(super) fn visible<'a>(name: &str, value: &'a str) -> Cow<'a, str> {
    if name == REQUEST_ID { Cow::Borrowed(value) } else { hide_numbers(value) }
}

/// `,"name":value` for each field.
struct Fields {
    line: Vec<u8>,
    named: NamedFields,
}

impl Fields {
    /// Writing into memory cannot fail, and neither can strings and numbers as JSON.
    fn put(&mut self, name: &str, value: &(impl serde::Serialize + ?Sized)) {
        self.named.add(name);
        // The names are those of fields in code: nothing in them has to be escaped.
        self.line.extend_from_slice(b",\"");
        self.line.extend_from_slice(name.as_bytes());
        self.line.extend_from_slice(b"\":");
        let _ = serde_json::to_writer(&mut self.line, value);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field.name(), visible(field.name(), value).as_ref());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field.name(), &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field.name(), &value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field.name(), &value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field.name(), &value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field.name(), &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::telemetry::LogSubject;

    #[derive(Clone, Default)]
    struct Memory(Arc<Mutex<Vec<u8>>>);

    impl Write for Memory {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_number_in_any_field_is_hidden_and_the_id_of_a_request_is_not() {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLine).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let (request_id, key) = ("ab12345678", "wxcc_4695550101");
            tracing::warn!(request_id, key, list = ?["+14695550101"], "from {}", "4695550101");
        });
        let line = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        assert!(line.contains("ab12345678") && line.contains("wxcc_*"), "{line}");
        assert!(!line.contains("4695550101"), "{line}");
    }

    #[test]
    fn a_line_of_the_work_on_a_call_names_the_call_once_and_counts_in_numbers() {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLine).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            LogSubject::of_request("ab12345678", None).about_now(|| {
                LogSubject::learn_call_center("Main");
                LogSubject::learn_call("wxcc_4695550101");
                LogSubject::learn_call("wxcc_2");
                let milliseconds = std::time::Duration::from_secs(2).as_millis();
                tracing::warn!(milliseconds, none = None::<&str>, "slow");
                tracing::warn!(vendor_call_key = "wxcc_3", call_center = None::<&str>, "named");
            });
            tracing::warn!("nobody's");
        });
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let mut next = || {
            let mut line = lines.next().unwrap();
            line.as_object_mut().unwrap().retain(|name, _| name != "timestamp" && name != "level");
            line
        };
        let (id, center) = ("ab12345678", "Main");
        assert_eq!(
            next(),
            serde_json::json!({ "message": "slow", "milliseconds": 2000, "request_id": id,
                "call_center": center, "vendor_call_key": "wxcc_**********" })
        );
        assert_eq!(
            next(),
            serde_json::json!({ "message": "named", "vendor_call_key": "wxcc_3", "request_id": id,
                "call_center": center })
        );
        assert_eq!(next(), serde_json::json!({ "message": "nobody's" }));
    }

    #[test]
    fn a_line_is_one_object_whatever_its_fields_hold() {
        let memory = Memory::default();
        let writer = memory.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLine).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let (none, key) = (None::<&str>, "quote \" line\n\u{1}");
            tracing::warn!(key, none, status = 200_u16, less = -1, ms = 1.5, nan = f64::NAN, yes = true, list = ?[1], "it's \"so\"");
        });
        let text = String::from_utf8(memory.0.lock().unwrap().clone()).unwrap();
        let mut line: serde_json::Value = serde_json::from_str(text.strip_suffix('\n').unwrap()).unwrap();
        assert!(line["timestamp"].take().as_str().unwrap().ends_with('Z'));
        let expected = serde_json::json!({
            "timestamp": null, "level": "WARN", "message": "it's \"so\"", "key": "quote \" line\n\u{1}",
            "status": 200, "less": -1, "ms": 1.5, "nan": null, "yes": true, "list": "[1]",
        });
        assert_eq!(line, expected);
    }
}
