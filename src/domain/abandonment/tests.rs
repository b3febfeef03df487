use proptest::prelude::*;

use super::*;

const REASONS: [&str; 2] = ["Abandoned in queue", "Aufgelegt im Menü"];
const SIGNS: [Fact; 4] = [Fact::AgentAnswered, Fact::AgentAtHangUp, Fact::AgentInUpdate, Fact::AgentInRecord];
const HANDLED: [Fact; 2] = [Fact::HangUpHandled, Fact::FinalUpdateSent];

fn known(facts: &[Fact]) -> CallFacts {
    facts.iter().copied().collect()
}

fn update(reason: &str) -> GuardedRequest<'_> {
    GuardedRequest::Update { reason: Some(reason) }
}

#[test]
fn a_call_of_which_nothing_is_known_was_abandoned_nobody_knows_where() {
    assert_eq!(decide(CallFacts::default()), HangUpDecision::Abandoned { stage: AbandonmentStage::Unknown });
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
    for reason in
        ["Abandoned in queue", " abandoned IN queue ", "Caller abandons", "ABANDONED", "aufgelegt im MENÜ"]
    {
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
