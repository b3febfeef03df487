//! The facts of a call, as a set that only grows: the order in which facts arrive, and how often, has no effect.

/// One fact about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Fact {
    /// createVoiceCall succeeded. (After a failure the vendor's flow queues the call without another request.)
    Created,
    /// executeOmniFlow was requested, whatever its result: the vendor's flow queues the call in any case.
    Routed,
    /// The call was queued, by an update with an enqueue time or by a webhook.
    Queued,
    /// The call continues another one, so it was not in the IVR first.
    Transferred,
    /// The flow's event AgentAnswered, or a webhook, reported an agent.
    AgentAnswered,
    /// The hang-up names the last agent (`PhoneContactEnded.AgentID`).
    AgentAtHangUp,
    /// An update carried an agent or an accept time.
    AgentInUpdate,
    /// The VoiceCall itself has an agent: see [`Fact::in_record`].
    AgentInRecord,
    /// An earlier hang-up of the call was decided.
    HangUpHandled,
    /// The final update was sent, or is stored to be sent.
    FinalUpdateSent,
    /// The caller has chosen to be called back.
    CallbackChosen,
    /// Webex's record reports that the call was never queued.
    NeverQueued,
}

impl Fact {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Created,
        Self::Routed,
        Self::Queued,
        Self::Transferred,
        Self::AgentAnswered,
        Self::AgentAtHangUp,
        Self::AgentInUpdate,
        Self::AgentInRecord,
        Self::HangUpHandled,
        Self::FinalUpdateSent,
        Self::CallbackChosen,
        Self::NeverQueued,
    ];

    /// This fact, if `agent` names one. A template of a flow may leave the agent empty.
    #[must_use]
    pub fn of_agent(self, agent: Option<&str>) -> Option<Self> {
        agent.is_some_and(|agent| !agent.trim().is_empty()).then_some(self)
    }

    /// The fact in the fields of a VoiceCall: `CallAcceptDateTime` is set when an agent accepts, and
    /// `CallDisposition` is then `in-progress`.
    pub fn in_record(accept_date_time: Option<&str>, disposition: Option<&str>) -> Option<Self> {
        let in_progress = disposition.is_some_and(|text| text.trim().eq_ignore_ascii_case("in-progress"));
        match in_progress {
            true => Some(Self::AgentInRecord),
            false => Self::AgentInRecord.of_agent(accept_date_time),
        }
    }

    fn bit(self) -> u16 {
        1 << (self as u8)
    }
}

/// The facts of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallFacts(u16);

impl CallFacts {
    /// These facts and one more, if there is one.
    #[must_use]
    pub fn and(self, fact: impl Into<Option<Fact>>) -> Self {
        Self(self.0 | fact.into().map_or(0, Fact::bit))
    }

    /// The facts of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the set contains a fact.
    #[must_use]
    pub fn has(self, fact: Fact) -> bool {
        self.0 & fact.bit() != 0
    }
}

impl FromIterator<Fact> for CallFacts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        facts.into_iter().fold(Self::default(), Self::and)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn empty_templates_and_untouched_records_give_no_facts() {
        for agent in [None, Some(""), Some("  ")] {
            assert_eq!(Fact::AgentAtHangUp.of_agent(agent), None);
            assert_eq!(Fact::in_record(agent, Some("new")), None);
            assert_eq!(Fact::in_record(agent, Some("completed")), None);
        }
        assert_eq!(Fact::AgentInUpdate.of_agent(Some("a1")), Some(Fact::AgentInUpdate));
        assert_eq!(Fact::in_record(Some("2026-11-21T10:00:00.000+0000"), None), Some(Fact::AgentInRecord));
        assert_eq!(Fact::in_record(None, Some("In-Progress")), Some(Fact::AgentInRecord));
    }

    #[test]
    fn every_fact_has_a_bit_of_its_own() {
        let all: CallFacts = Fact::ALL.into_iter().collect();
        assert_eq!(all.0.count_ones() as usize, Fact::ALL.len());
    }

    proptest! {
        #[test]
        fn order_and_repetition_of_facts_leave_no_trace(
            facts in prop::collection::vec(prop::sample::select(&Fact::ALL[..]), 0..30),
            cut in 0_usize..30,
        ) {
            let known: CallFacts = facts.iter().copied().collect();
            let backwards: CallFacts = facts.iter().rev().chain(&facts).copied().collect();
            prop_assert_eq!(known, backwards);
            let (first, second) = facts.split_at(cut.min(facts.len()));
            let halves = CallFacts::union(second.iter().copied().collect(), first.iter().copied().collect());
            prop_assert_eq!(known, halves);
            for fact in Fact::ALL {
                prop_assert_eq!(known.has(fact), facts.contains(&fact));
            }
        }
    }
}
