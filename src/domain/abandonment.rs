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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REASONS: [&str; 2] = ["Abandoned in queue", "Aufgelegt im Menü"];
    const SIGNS: [Fact; 4] =
        [Fact::AgentAnswered, Fact::AgentAtHangUp, Fact::AgentInUpdate, Fact::AgentInRecord];
    const HANDLED: [Fact; 2] = [Fact::HangUpHandled, Fact::FinalUpdateSent];

    fn known(facts: &[Fact]) -> CallFacts {
        facts.iter().copied().collect()
    }

    fn update(reason: &str) -> GuardedRequest<'_> {
        GuardedRequest::Update { reason: Some(reason) }
    }

    #[test]
    fn a_call_of_which_nothing_is_known_was_abandoned_nobody_knows_where() {
        assert_eq!(
            decide(CallFacts::default()),
            HangUpDecision::Abandoned { stage: AbandonmentStage::Unknown }
        );
    }

    #[test]
    fn the_reason_of_the_ivr_is_sent_only_where_it_is_certain() {
        use Fact::{Created, NeverQueued, Queued, Routed, Transferred};
        for (facts, stage, reason) in [
            (&[Created][..], AbandonmentStage::Ivr, "ivr"),
            (&[Created, Routed], AbandonmentStage::Queue, "queue"),
            (&[Created, Queued], AbandonmentStage::Queue, "queue"),
            (&[Routed], AbandonmentStage::Queue, "queue"),
            (&[Created, Transferred], AbandonmentStage::Unknown, "queue"),
            (&[Created, Transferred, Routed], AbandonmentStage::Queue, "queue"),
            (&[], AbandonmentStage::Unknown, "queue"),
            (&[NeverQueued], AbandonmentStage::Ivr, "ivr"),
            (&[NeverQueued, Queued], AbandonmentStage::Queue, "queue"),
        ] {
            assert_eq!(decide(known(facts)), HangUpDecision::Abandoned { stage }, "{facts:?}");
            assert_eq!(stage.choose("queue", "ivr"), reason, "{facts:?}");
        }
    }

    #[test]
    fn a_chosen_callback_is_no_abandonment_and_an_answered_one_is_answered() {
        use Fact::{AgentAnswered, CallbackChosen, Created, HangUpHandled, Routed};
        for (facts, verdict) in [
            (&[CallbackChosen][..], HangUpDecision::Callback),
            (&[Created, Routed, CallbackChosen], HangUpDecision::Callback),
            (&[CallbackChosen, AgentAnswered], HangUpDecision::Answered),
            (&[CallbackChosen, HangUpHandled], HangUpDecision::Duplicate),
        ] {
            assert_eq!(decide(known(facts)), verdict, "{facts:?}");
            assert_eq!(guard(GuardedRequest::ClearRouting, known(facts), REASONS), GuardDecision::Withhold);
        }
        assert_eq!(guard(update("CALLBACK"), known(&[CallbackChosen]), REASONS), GuardDecision::Pass);
    }

    #[test]
    fn an_answered_call_is_guarded_against_every_wording_of_abandoning() {
        let answered = known(&[Fact::AgentAnswered]);
        for reason in [
            "Abandoned in queue",
            " abandoned IN queue ",
            "Caller abandons",
            "ABANDONED",
            "aufgelegt im MENÜ",
        ] {
            assert_eq!(guard(update(reason), answered, REASONS), GuardDecision::Withhold, "{reason}");
        }
        assert_eq!(guard(GuardedRequest::ClearRouting, answered, REASONS), GuardDecision::Withhold);
    }

    #[test]
    fn other_updates_of_an_answered_call_pass() {
        let answered = known(&[Fact::AgentInUpdate]);
        for reason in ["Agent left", "", "Menü"] {
            assert_eq!(guard(update(reason), answered, REASONS), GuardDecision::Pass, "{reason}");
        }
        assert_eq!(guard(GuardedRequest::Update { reason: None }, answered, REASONS), GuardDecision::Pass);
    }

    fn any_facts() -> impl Strategy<Value = Vec<Fact>> {
        prop::collection::vec(prop::sample::select(&Fact::ALL[..]), 0..20)
    }

    fn any_intent() -> impl Strategy<Value = Option<String>> {
        prop_oneof![Just(None), Just(Some("Abandoned in queue".to_owned())), "\\PC{0,20}".prop_map(Some)]
    }

    fn intent(reason: Option<&String>, clear: bool) -> GuardedRequest<'_> {
        if clear {
            GuardedRequest::ClearRouting
        } else {
            GuardedRequest::Update { reason: reason.map(String::as_str) }
        }
    }

    proptest! {
        #[test]
        fn an_answered_call_is_never_abandoned_whatever_else_is_known_and_in_whatever_order(
            mut facts in any_facts(),
            sign in prop::sample::select(&SIGNS[..]),
            at in 0_usize..20,
        ) {
            facts.insert(at.min(facts.len()), sign);
            let verdict = decide(known(&facts));
            prop_assert!(matches!(verdict, HangUpDecision::Answered | HangUpDecision::Duplicate));
        }

        #[test]
        fn a_call_without_any_sign_of_an_agent_is_abandoned_exactly_once(facts in any_facts()) {
            let facts: Vec<Fact> =
                facts.into_iter().filter(|fact| !SIGNS.contains(fact) && !HANDLED.contains(fact)).collect();
            let first = known(&facts);
            let abandoned = matches!(decide(first), HangUpDecision::Abandoned { .. });
            prop_assert_eq!(abandoned, !first.has(Fact::CallbackChosen));
            for handled in HANDLED {
                prop_assert_eq!(decide(first.and(handled)), HangUpDecision::Duplicate);
            }
        }

        #[test]
        fn a_further_fact_never_turns_a_call_into_an_abandoned_one(
            facts in any_facts(),
            further in prop::sample::select(&Fact::ALL[..]),
        ) {
            let before = decide(known(&facts));
            let after = decide(known(&facts).and(further));
            if !matches!(before, HangUpDecision::Abandoned { .. }) {
                let abandoned = matches!(after, HangUpDecision::Abandoned { .. });
                prop_assert!(!abandoned);
            }
        }

        #[test]
        fn nothing_is_withheld_from_a_call_that_is_known_neither_as_answered_nor_as_a_callback(
            facts in any_facts(),
            reason in any_intent(),
            clear: bool,
        ) {
            let passes = |fact: &Fact| !SIGNS.contains(fact) && *fact != Fact::CallbackChosen;
            let facts: Vec<Fact> = facts.into_iter().filter(passes).collect();
            prop_assert_eq!(guard(intent(reason.as_ref(), clear), known(&facts), REASONS), GuardDecision::Pass);
        }

        #[test]
        fn the_guard_and_the_decision_agree_on_who_has_abandoned(facts in any_facts()) {
            let known = known(&facts);
            let withheld = guard(GuardedRequest::ClearRouting, known, REASONS) == GuardDecision::Withhold;
            let abandoned = matches!(decide(known), HangUpDecision::Abandoned { .. });
            prop_assert!(!(withheld && abandoned));
            prop_assert_eq!(withheld, known.is_answered() || known.has(Fact::CallbackChosen));
        }
    }
}
