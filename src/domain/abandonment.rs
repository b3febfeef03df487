//! Was the call abandoned? Webex reports the end of every call alike, answered or not.

use super::{CallFacts, Fact};

/// What the end of a call means for its VoiceCall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUpDecision {
    /// No agent was ever connected: routing is to be cleared and the VoiceCall completed with a reason.
    Abandoned {
        /// Where the caller gave up.
        stage: AbandonmentStage,
    },
    /// No agent was ever connected, because the caller has chosen to be called back: the same with another reason.
    Callback,
    /// An agent had the call: its record belongs to the agent's side, and nothing is sent.
    Answered,
    /// It was decided before, or the final update has gone out: nothing is sent again.
    Duplicate,
}

impl HangUpDecision {
    /// In one word: what a flow is answered and what the log says.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Abandoned { .. } => "abandoned",
            Self::Callback => "callback",
            Self::Answered => "answered",
            Self::Duplicate => "duplicate",
        }
    }

    /// Where the caller gave up.
    #[must_use]
    pub fn stage(self) -> AbandonmentStage {
        match self {
            Self::Abandoned { stage } => stage,
            Self::Callback | Self::Answered | Self::Duplicate => AbandonmentStage::Unknown,
        }
    }
}

/// Where a caller gave up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbandonmentStage {
    /// Waiting for an agent.
    Queue,
    /// Before anybody had asked for an agent.
    Ivr,
    /// Nobody knows.
    Unknown,
}

impl AbandonmentStage {
    /// The reason to send, of the two that are configured: that of the IVR only where it is certain.
    #[must_use]
    pub fn choose<T>(self, reason: T, reason_in_ivr: T) -> T {
        match self {
            Self::Queue | Self::Unknown => reason,
            Self::Ivr => reason_in_ivr,
        }
    }
}

/// What a flow wants to do to a VoiceCall, as far as the guard looks at it.
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

/// Whether an intent reaches Salesforce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardDecision {
    /// It does.
    Pass,
    /// It would make the record of an answered call worse, or take a caller's place in the queue away: it is answered 200 and
    /// not sent.
    Withhold,
}

impl CallFacts {
    /// Whether an agent was ever connected. One sign is enough. An outbound call has its agent from the start.
    #[must_use]
    pub fn is_answered(self) -> bool {
        use Fact::{AgentAnswered, AgentAtHangUp, AgentInRecord, AgentInUpdate};
        [AgentAnswered, AgentAtHangUp, AgentInUpdate, AgentInRecord].into_iter().any(|sign| self.has(sign))
    }

    /// Where the caller is, as long as there is no agent. Only a call whose way we saw from its beginning is known
    /// to be in the IVR still, or one of which Webex's record says so; a transferred one began elsewhere.
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

/// Decides on a call that has ended. `known` includes what the hang-up itself tells, except that it has been
/// handled.
///
/// Abandoned is an inbound or transferred call that ended and that no agent was ever connected to, unless its caller has
/// chosen to be called back.
#[must_use]
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

/// Guards answered calls, and callers who wait to be called back, against the vendor's flow, which reports every call as
/// abandoned when it ends.
/// `reasons` are the configured ones; a text that speaks of abandoning counts in any wording.
#[must_use]
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
