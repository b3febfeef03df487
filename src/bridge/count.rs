//! What the metrics are told of calls that have ended.

use super::{Bridge, BridgeError, Delivered, Ended, facts};
use crate::domain::{
    AbandonmentStage, Call, CallCenterName, Fact, HangUpDecision, Interaction, Origin, decide,
};

/// What became of a call, as the metrics call it: none where that was told before. One that another VoiceCall follows
/// went on, and an answered one without a VoiceCall will never get one.
fn became(interaction: &Interaction, call: Option<&Call>, verdict: HangUpDecision) -> Option<&'static str> {
    let goes_on = call.is_some_and(|call| !interaction.is_last(call));
    let has_record = call.is_some_and(|call| call.is_created());
    match verdict {
        HangUpDecision::Duplicate => None,
        _ if goes_on => Some("transferred"),
        HangUpDecision::Callback => Some("callback"),
        HangUpDecision::Answered if !has_record => Some("no_record"),
        HangUpDecision::Answered => Some("answered"),
        HangUpDecision::Abandoned { stage: AbandonmentStage::Ivr } => Some("abandoned_ivr"),
        HangUpDecision::Abandoned { stage: AbandonmentStage::Queue | AbandonmentStage::Unknown } => {
            Some("abandoned_queue")
        }
    }
}

impl Bridge {
    /// Counts what came of a hang-up. One that Salesforce refused was an abandonment, and is kept as that; who waits to be
    /// called back is not gone.
    pub(super) fn count_end(
        &self,
        center: &CallCenterName,
        (interaction, call): (&Interaction, Option<&Call>),
        ended: &Result<Ended, BridgeError>,
    ) {
        let verdict = match ended {
            Ok(Ended { verdict: HangUpDecision::Callback, delivered: Delivered::Withheld }) => return,
            Ok(ended) => ended.verdict,
            Err(BridgeError::Salesforce(_)) => {
                HangUpDecision::Abandoned { stage: call.map(facts).unwrap_or_default().stage() }
            }
            Err(_) => return,
        };
        self.count_ended(center, interaction, call, verdict);
    }

    /// Counts a call whose end a flow has told by its final update.
    pub(super) fn count_told(
        &self,
        origin: &Origin,
        (interaction, call): (&Interaction, Option<&Call>),
        names_agent: bool,
    ) {
        let known = call.map(facts).unwrap_or_default();
        let known = known.and(names_agent.then_some(Fact::AgentInUpdate));
        self.count_ended(&origin.call_center, interaction, call, decide(known));
    }

    /// Counts a call that has ended.
    fn count_ended(
        &self,
        center: &CallCenterName,
        interaction: &Interaction,
        call: Option<&Call>,
        verdict: HangUpDecision,
    ) {
        if let Some(outcome) = became(interaction, call, verdict) {
            self.outbox.metrics().call_ended(center.as_ref(), outcome);
        }
    }

    /// Counts an abandonment that is not sent.
    pub(super) fn count_withheld(&self, reason: &'static str) {
        self.outbox.metrics().withheld(reason);
    }
}
