//! Decides whether a call was abandoned. Webex reports the end of every call alike, answered or not.

use super::{CallFacts, Fact};

/// What the bridge does about a call that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUpDecision {
    /// No agent was ever connected: routing is cleared, and the VoiceCall is completed with a disconnect reason.
    Abandoned {
        /// Where the caller was when they hung up.
        stage: AbandonmentStage,
    },
    /// No agent was ever connected, because the caller has chosen to be called back: the same, with another reason.
    Callback,
    /// An agent had the call: its VoiceCall is completed from the agent's side, and nothing is sent.
    Answered,
    /// The hang-up was decided before, or the final update was sent: nothing is sent again.
    Duplicate,
}

impl HangUpDecision {
    /// The decision in one word, for the answer to the flow and for the log.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Abandoned { .. } => "abandoned",
            Self::Callback => "callback",
            Self::Answered => "answered",
            Self::Duplicate => "duplicate",
        }
    }

    /// Where the caller was; unknown for every decision but an abandonment.
    #[must_use]
    pub fn stage(self) -> AbandonmentStage {
        match self {
            Self::Abandoned { stage } => stage,
            Self::Callback | Self::Answered | Self::Duplicate => AbandonmentStage::Unknown,
        }
    }
}

/// Where an abandoned caller was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbandonmentStage {
    /// In a queue, waiting for an agent.
    Queue,
    /// In the IVR, before the call was routed.
    Ivr,
    /// The bridge has not seen enough of the call.
    Unknown,
}

impl AbandonmentStage {
    /// Chooses from the two configured disconnect reasons: the one of the IVR only where that is certain.
    #[must_use]
    pub fn choose<T>(self, reason: T, reason_in_ivr: T) -> T {
        match self {
            Self::Queue | Self::Unknown => reason,
            Self::Ivr => reason_in_ivr,
        }
    }
}

/// A request of a flow, as far as [`guard`] looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardedRequest<'a> {
    /// updateVoiceCall, with the value of its disconnect reason.
    Update {
        /// The text.
        reason: Option<&'a str>,
    },
    /// clearRouting.
    ClearRouting,
}

/// Whether a guarded request is sent to Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardDecision {
    /// It is sent.
    Pass,
    /// It is answered 200 and not sent: it would overwrite the record of an answered call, or take a caller who waits
    /// for a callback out of the queue.
    Withhold,
}

impl CallFacts {
    /// Whether an agent was ever connected. One fact is enough. An outbound call has its agent from the start.
    #[must_use]
    pub fn is_answered(self) -> bool {
        use Fact::{AgentAnswered, AgentAtHangUp, AgentInRecord, AgentInUpdate};
        [AgentAnswered, AgentAtHangUp, AgentInUpdate, AgentInRecord].into_iter().any(|sign| self.has(sign))
    }

    /// Where the caller is, as long as there is no agent. The IVR is certain only for a call that the bridge has seen
    /// from its creation, or that Webex's record reports as never queued; a transferred call began elsewhere.
    #[must_use]
    pub fn stage(self) -> AbandonmentStage {
        if self.has(Fact::Routed) || self.has(Fact::Queued) {
            AbandonmentStage::Queue
        } else if self.has(Fact::NeverQueued) || (self.has(Fact::Created) && !self.has(Fact::Transferred)) {
            AbandonmentStage::Ivr
        } else {
            AbandonmentStage::Unknown
        }
    }
}

/// Decides about a call that has ended. `known` includes what the hang-up itself reports, but not that it was
/// handled. A call is abandoned if no agent was ever connected, unless its caller has chosen to be called back.
pub fn decide(known: CallFacts) -> HangUpDecision {
    if known.has(Fact::HangUpHandled) || known.has(Fact::FinalUpdateSent) {
        HangUpDecision::Duplicate
    } else if known.is_answered() {
        HangUpDecision::Answered
    } else if known.has(Fact::CallbackChosen) {
        HangUpDecision::Callback
    } else {
        HangUpDecision::Abandoned { stage: known.stage() }
    }
}

/// Guards answered calls, and callers who wait for a callback, against the vendor's flow, which reports every call as
/// abandoned when it ends. `reasons` are the configured disconnect reasons; any text with "abandon" counts too.
pub fn guard(intent: GuardedRequest<'_>, known: CallFacts, reasons: [&str; 2]) -> GuardDecision {
    let abandons = match intent {
        GuardedRequest::ClearRouting => true,
        GuardedRequest::Update { reason } => {
            reason.is_some_and(|reason| speaks_of_abandoning(reason, reasons))
        }
    };
    let is_none = known.is_answered() || known.has(Fact::CallbackChosen);
    if abandons && is_none { GuardDecision::Withhold } else { GuardDecision::Pass }
}

fn speaks_of_abandoning(reason: &str, reasons: [&str; 2]) -> bool {
    let folded = |text: &str| text.trim().to_lowercase();
    let reason = folded(reason);
    reason.contains("abandon") || reasons.into_iter().any(|configured| folded(configured) == reason)
}

#[cfg(test)]
mod tests;
