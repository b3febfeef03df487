//! What the lines of the log are about: the request and the call of the work that writes them.
//!
//! Every line of a piece of work has these fields, whoever writes it and at whatever level: so all lines of a call can be joined.
//! They are no spans, which a filter leaves out together with their level, and which cost a request more than its line.

use std::sync::{Arc, OnceLock};

use tokio::task::futures::TaskLocalFuture;

/// The fields, as the log spells them.
pub(super) const REQUEST_ID: &str = "request_id";
const CALL_CENTER: &str = "call_center";
const VENDOR_CALL_KEY: &str = "vendor_call_key";

tokio::task_local! {
    static CURRENT: Arc<LogSubject>;
}

/// What a piece of work is about. What is not known at its begin may be learned later, once.
#[derive(Debug, Default)]
pub struct LogSubject {
    request_id: Option<Box<str>>,
    call_center: OnceLock<Box<str>>,
    vendor_call_key: OnceLock<Box<str>>,
}

impl LogSubject {
    /// The work of a request, whose call is not known yet.
    #[must_use]
    pub fn of_request(id: &str) -> Arc<Self> {
        Arc::new(Self { request_id: Some(id.into()), ..Self::default() })
    }

    /// The work on a call, as far as it is known.
    #[must_use]
    pub fn of_call(call_center: Option<&str>, vendor_call_key: Option<&str>) -> Arc<Self> {
        let known =
            |text: Option<&str>| text.map_or_else(OnceLock::new, |text| OnceLock::from(Box::from(text)));
        let (call_center, vendor_call_key) = (known(call_center), known(vendor_call_key));
        Arc::new(Self { request_id: None, call_center, vendor_call_key })
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
        let _ = CURRENT.try_with(|subject| subject.call_center.get_or_init(|| name.into()).len());
    }

    /// The current work is about this call.
    pub fn learn_call(vendor_call_key: &str) {
        let _ =
            CURRENT.try_with(|subject| subject.vendor_call_key.get_or_init(|| vendor_call_key.into()).len());
    }
}

/// Gives the fields of the current work that the line has not.
pub(super) fn each_missing(named: Named, mut give: impl FnMut(&'static str, &str)) {
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
pub(super) struct Named {
    request_id: bool,
    call_center: bool,
    vendor_call_key: bool,
}

impl Named {
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
