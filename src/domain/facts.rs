//! What is known of a call, as a set that only grows: the order in which facts arrive, and how often, leaves no trace.

/// One thing that is known of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Fact {
    /// createVoiceCall succeeded. (After a failure the vendor's flow queues the call without asking us again.)
    Created,
    /// executeOmniFlow was asked, whatever came of it: the vendor's flow queues the call in any case.
    Routed,
    /// It was queued: an update with an enqueue time, or a webhook, said so.
    Queued,
    /// It continues another call, so it had been somewhere before.
    Transferred,
    /// The flow's event AgentAnswered, or a webhook, reported an agent.
    AgentAnswered,
    /// The hang-up names the last agent (`PhoneContactEnded.AgentID`).
    AgentAtHangUp,
    /// An update carried an agent or an accept time.
    AgentInUpdate,
    /// The VoiceCall itself shows an agent: see [`Fact::in_record`].
    AgentInRecord,
    /// A hang-up of it was decided before the present one.
    HangUpHandled,
    /// Its final update was sent, or is on its way.
    FinalUpdateSent,
    /// The caller has chosen to be called back.
    CallbackChosen,
    /// Webex's record says that it was never queued.
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

    /// What a hang-up, an update or an event that names `agent` tells: nothing where a template left it empty.
    #[must_use]
    pub fn of_agent(self, agent: Option<&str>) -> Option<Self> {
        agent.is_some_and(|agent| !agent.trim().is_empty()).then_some(self)
    }

    /// What the VoiceCall's own fields tell: `CallAcceptDateTime` is set when an agent accepts, and
    /// `CallDisposition` is then `in-progress`.
    #[must_use]
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

/// What is known of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallFacts(u16);

impl CallFacts {
    /// With one more fact, if there is one.
    #[must_use]
    pub fn and(self, fact: impl Into<Option<Fact>>) -> Self {
        Self(self.0 | fact.into().map_or(0, Fact::bit))
    }

    /// Everything that either of them knows.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it holds a fact.
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
    fn empty_templates_and_untouched_records_tell_nothing() {
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
