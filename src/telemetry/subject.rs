//! What the lines of the log are about: the request and the call of the work that writes them.
//!
//! Every line of a piece of work has these fields, whoever writes it and at whatever level: so all lines of a call can be joined.
//! They are no spans of `tracing`, which a filter leaves out together with their level, and which cost a request more than its line.

use std::sync::{Arc, OnceLock};

use opentelemetry::trace::SpanKind;
use tokio::task::futures::TaskLocalFuture;

use super::TraceSpan;

/// The fields, as the log spells them.
pub(super) const REQUEST_ID: &str = "request_id";
const CALL_CENTER: &str = "call_center";
const VENDOR_CALL_KEY: &str = "vendor_call_key";
/// The contact center, as spans spell it.
const SPAN_CALL_CENTER: &str = "scv.call_center";

tokio::task_local! {
    static CURRENT: Arc<LogSubject>;
}

/// What a piece of work is about. What is not known at its begin may be learned later, once.
#[derive(Debug, Default)]
pub struct LogSubject {
    request_id: Option<Box<str>>,
    call_center: OnceLock<Box<str>>,
    vendor_call_key: OnceLock<Box<str>>,
    /// The span of the work, where traces are on.
    span: Option<TraceSpan>,
}

impl LogSubject {
    /// The work of a request, whose call is not known yet.
    #[must_use]
    pub fn of_request(id: &str, span: Option<TraceSpan>) -> Arc<Self> {
        Arc::new(Self { request_id: Some(id.into()), span, ..Self::default() })
    }

    /// The work on a call, as far as it is known.
    #[must_use]
    pub fn of_call(call_center: Option<&str>, vendor_call_key: Option<&str>) -> Arc<Self> {
        let known =
            |text: Option<&str>| text.map_or_else(OnceLock::new, |text| OnceLock::from(Box::from(text)));
        let (call_center, vendor_call_key) = (known(call_center), known(vendor_call_key));
        Arc::new(Self { call_center, vendor_call_key, ..Self::default() })
    }

    /// The same work, as a part that has a span of its own.
    #[must_use]
    pub fn within(&self, span: TraceSpan) -> Arc<Self> {
        let (call_center, key) = (self.call_center.get(), self.vendor_call_key.get());
        if let Some(name) = call_center {
            span.set(SPAN_CALL_CENTER, name.to_string());
        }
        if let Some(key) = key {
            span.set_call(key);
        }
        let request_id = self.request_id.clone();
        let (call_center, vendor_call_key) = (self.call_center.clone(), self.vendor_call_key.clone());
        Arc::new(Self { request_id, call_center, vendor_call_key, span: Some(span) })
    }

    /// Does work whose lines are about this.
    pub fn about<F: Future>(self: &Arc<Self>, work: F) -> TaskLocalFuture<Arc<Self>, F> {
        CURRENT.scope(Arc::clone(self), work)
    }

    /// The same with what takes no time.
    pub fn about_now<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(Arc::clone(self), work)
    }

    /// What the current work is about.
    #[must_use]
    pub fn current() -> Arc<Self> {
        CURRENT.try_with(Arc::clone).unwrap_or_default()
    }

    /// The current work is about this contact center.
    pub fn learn_call_center(name: &str) {
        // Nobody asks outside of such work, and what was learned first counts.
        let _ = CURRENT.try_with(|subject| {
            subject.call_center.get_or_init(|| {
                if let Some(span) = &subject.span {
                    span.set(SPAN_CALL_CENTER, name.to_owned());
                }
                name.into()
            });
        });
    }

    /// The current work is about this call.
    pub fn learn_call(vendor_call_key: &str) {
        let _ = CURRENT.try_with(|subject| {
            subject.vendor_call_key.get_or_init(|| {
                if let Some(span) = &subject.span {
                    span.set_call(vendor_call_key);
                }
                vendor_call_key.into()
            });
        });
    }

    /// Begins a span within that of the current work, if it has one that somebody wants.
    pub(super) fn child_span(name: &'static str, kind: SpanKind) -> Option<TraceSpan> {
        CURRENT.try_with(|subject| subject.span.as_ref()?.child(name, kind)).ok().flatten()
    }
}

/// Gives the fields of the current work that the line has not.
pub(super) fn each_missing(named: NamedFields, mut give: impl FnMut(&'static str, &str)) {
    // Outside of such work there is nothing to give.
    let _ = CURRENT.try_with(|subject| {
        let missing = [
            (REQUEST_ID, named.request_id, subject.request_id.as_ref()),
            (CALL_CENTER, named.call_center, subject.call_center.get()),
            (VENDOR_CALL_KEY, named.vendor_call_key, subject.vendor_call_key.get()),
        ];
        for (name, is_named, value) in missing {
            if let Some(value) = value.filter(|_| !is_named) {
                give(name, value);
            }
        }
    });
}

/// Which of the fields a line has by itself.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NamedFields {
    request_id: bool,
    call_center: bool,
    vendor_call_key: bool,
}

impl NamedFields {
    /// The line has this field.
    pub(super) fn add(&mut self, name: &str) {
        match name {
            REQUEST_ID => self.request_id = true,
            CALL_CENTER => self.call_center = true,
            VENDOR_CALL_KEY => self.vendor_call_key = true,
            _ => {}
        }
    }
}
