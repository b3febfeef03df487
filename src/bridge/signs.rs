//! What Webex has told of a call, as far as the decision about its end looks at it.

use crate::domain::{
    CallFacts, CallHistory, CallOutcome, DisconnectReason, Fact, FlowTime, PhoneContactEnded,
};

/// What Salesforce counts as no abandonment.
const CALLBACK: &str = "CALLBACK";

/// What Webex has told of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct WebexSigns {
    pub(super) facts: CallFacts,
    /// Whether the caller has chosen to be called back, and that goes on.
    pub(super) waits: bool,
    enqueue_time: Option<FlowTime>,
}

impl WebexSigns {
    pub(super) fn of(story: &CallHistory) -> Self {
        let enqueued_at = story.enqueued_at();
        let is_callback = story.outcome() == CallOutcome::Callback;
        Self {
            facts: CallFacts::default()
                .and(enqueued_at.map(|_| Fact::Queued))
                .and(is_callback.then_some(Fact::CallbackChosen))
                .and(story.is_never_queued.then_some(Fact::NeverQueued)),
            waits: is_callback && story.ended_at.is_none(),
            enqueue_time: enqueued_at.map(FlowTime::new),
        }
    }

    /// The hang-up with what the flow could not tell.
    pub(super) fn complete(self, request: &PhoneContactEnded, is_callback: bool) -> PhoneContactEnded {
        let own = request.disconnect_reason.clone();
        PhoneContactEnded {
            enqueue_time: request.enqueue_time.or(self.enqueue_time),
            disconnect_reason: if is_callback { Some(callback_reason(own)) } else { own },
            ..request.clone()
        }
    }
}

/// Whether a hang-up says by itself that the caller has chosen to be called back.
pub(super) fn says_callback(request: &PhoneContactEnded) -> Option<Fact> {
    let is_callback = |reason: &DisconnectReason| reason.value.trim().eq_ignore_ascii_case(CALLBACK);
    request.disconnect_reason.as_ref().is_some_and(is_callback).then_some(Fact::CallbackChosen)
}

/// The reason of a callback that has come to nothing: the flow's, if it says so.
pub(super) fn callback_reason(own: Option<DisconnectReason>) -> DisconnectReason {
    let default = || DisconnectReason { value: CALLBACK.to_owned(), is_error: false };
    own.filter(|reason| reason.value.trim().eq_ignore_ascii_case(CALLBACK)).unwrap_or_else(default)
}
