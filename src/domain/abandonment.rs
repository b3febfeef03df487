//! Was the call abandoned? Webex reports the end of every call alike, answered or not.

/// What is known of a call that has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HangUp<'a> {
    /// The last agent that Webex names (`PhoneContactEnded.AgentID`); empty or missing when there was none.
    pub agent: Option<&'a str>,
}

/// What a hang-up means for the VoiceCall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No agent was ever connected: routing is to be cleared and the VoiceCall completed with a reason.
    Abandoned,
    /// An agent had the call: its record belongs to the agent's side, and nothing is sent.
    Answered,
}

/// Abandoned is a call that ended and that no agent was ever connected to.
#[must_use]
pub fn decide(hang_up: HangUp<'_>) -> Verdict {
    match hang_up.agent {
        Some(agent) if !agent.trim().is_empty() => Verdict::Answered,
        _ => Verdict::Abandoned,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_call_without_an_agent_was_abandoned() {
        for agent in [None, Some(""), Some("  ")] {
            assert_eq!(decide(HangUp { agent }), Verdict::Abandoned);
        }
    }

    proptest! {
        #[test]
        fn a_call_with_any_agent_is_never_abandoned(agent in "\\PC*[A-Za-z0-9]\\PC*") {
            prop_assert_eq!(decide(HangUp { agent: Some(&agent) }), Verdict::Answered);
        }
    }
}
