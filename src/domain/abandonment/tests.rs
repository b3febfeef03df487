use proptest::prelude::*;

use super::*;

const REASONS: [&str; 2] = ["Abandoned in queue", "Aufgelegt im Menü"];
const SIGNS: [Fact; 4] = [Fact::AgentAnswered, Fact::AgentAtHangUp, Fact::AgentInUpdate, Fact::AgentInRecord];
const HANDLED: [Fact; 2] = [Fact::HangUpHandled, Fact::FinalUpdateSent];

fn known(facts: &[Fact]) -> Known {
    facts.iter().copied().collect()
}

fn update(reason: &str) -> Intent<'_> {
    Intent::Update { reason: Some(reason) }
}

#[test]
fn a_call_of_which_nothing_is_known_was_abandoned_nobody_knows_where() {
    assert_eq!(decide(Known::default()), Verdict::Abandoned { stage: Stage::Unknown });
}

#[test]
fn the_reason_of_the_ivr_is_sent_only_where_it_is_certain() {
    use Fact::{Created, NeverQueued, Queued, Routed, Transferred};
    for (facts, stage, reason) in [
        (&[Created][..], Stage::Ivr, "ivr"),
        (&[Created, Routed], Stage::Queue, "queue"),
        (&[Created, Queued], Stage::Queue, "queue"),
        (&[Routed], Stage::Queue, "queue"),
        (&[Created, Transferred], Stage::Unknown, "queue"),
        (&[Created, Transferred, Routed], Stage::Queue, "queue"),
        (&[], Stage::Unknown, "queue"),
        (&[NeverQueued], Stage::Ivr, "ivr"),
        (&[NeverQueued, Queued], Stage::Queue, "queue"),
    ] {
        assert_eq!(decide(known(facts)), Verdict::Abandoned { stage }, "{facts:?}");
        assert_eq!(stage.choose("queue", "ivr"), reason, "{facts:?}");
    }
}

#[test]
fn a_chosen_callback_is_no_abandonment_and_an_answered_one_is_answered() {
    use Fact::{AgentAnswered, CallbackChosen, Created, HangUpHandled, Routed};
    for (facts, verdict) in [
        (&[CallbackChosen][..], Verdict::Callback),
        (&[Created, Routed, CallbackChosen], Verdict::Callback),
        (&[CallbackChosen, AgentAnswered], Verdict::Answered),
        (&[CallbackChosen, HangUpHandled], Verdict::Duplicate),
    ] {
        assert_eq!(decide(known(facts)), verdict, "{facts:?}");
        assert_eq!(guard(Intent::ClearRouting, known(facts), REASONS), Guarded::Withhold);
    }
    assert_eq!(guard(update("CALLBACK"), known(&[CallbackChosen]), REASONS), Guarded::Pass);
}

#[test]
fn an_answered_call_is_guarded_against_every_wording_of_abandoning() {
    let answered = known(&[Fact::AgentAnswered]);
    for reason in
        ["Abandoned in queue", " abandoned IN queue ", "Caller abandons", "ABANDONED", "aufgelegt im MENÜ"]
    {
        assert_eq!(guard(update(reason), answered, REASONS), Guarded::Withhold, "{reason}");
    }
    assert_eq!(guard(Intent::ClearRouting, answered, REASONS), Guarded::Withhold);
}

#[test]
fn other_updates_of_an_answered_call_pass() {
    let answered = known(&[Fact::AgentInUpdate]);
    for reason in ["Agent left", "", "Menü"] {
        assert_eq!(guard(update(reason), answered, REASONS), Guarded::Pass, "{reason}");
    }
    assert_eq!(guard(Intent::Update { reason: None }, answered, REASONS), Guarded::Pass);
}

fn any_facts() -> impl Strategy<Value = Vec<Fact>> {
    prop::collection::vec(prop::sample::select(&Fact::ALL[..]), 0..20)
}

fn any_intent() -> impl Strategy<Value = Option<String>> {
    prop_oneof![Just(None), Just(Some("Abandoned in queue".to_owned())), "\\PC{0,20}".prop_map(Some)]
}

fn intent(reason: Option<&String>, clear: bool) -> Intent<'_> {
    if clear { Intent::ClearRouting } else { Intent::Update { reason: reason.map(String::as_str) } }
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
        prop_assert!(matches!(verdict, Verdict::Answered | Verdict::Duplicate));
    }

    #[test]
    fn a_call_without_any_sign_of_an_agent_is_abandoned_exactly_once(facts in any_facts()) {
        let facts: Vec<Fact> =
            facts.into_iter().filter(|fact| !SIGNS.contains(fact) && !HANDLED.contains(fact)).collect();
        let first = known(&facts);
        let abandoned = matches!(decide(first), Verdict::Abandoned { .. });
        prop_assert_eq!(abandoned, !first.has(Fact::CallbackChosen));
        for handled in HANDLED {
            prop_assert_eq!(decide(first.and(handled)), Verdict::Duplicate);
        }
    }

    #[test]
    fn a_further_fact_never_turns_a_call_into_an_abandoned_one(
        facts in any_facts(),
        further in prop::sample::select(&Fact::ALL[..]),
    ) {
        let before = decide(known(&facts));
        let after = decide(known(&facts).and(further));
        if !matches!(before, Verdict::Abandoned { .. }) {
            let abandoned = matches!(after, Verdict::Abandoned { .. });
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
        prop_assert_eq!(guard(intent(reason.as_ref(), clear), known(&facts), REASONS), Guarded::Pass);
    }

    #[test]
    fn the_guard_and_the_decision_agree_on_who_has_abandoned(facts in any_facts()) {
        let known = known(&facts);
        let withheld = guard(Intent::ClearRouting, known, REASONS) == Guarded::Withhold;
        let abandoned = matches!(decide(known), Verdict::Abandoned { .. });
        prop_assert!(!(withheld && abandoned));
        prop_assert_eq!(withheld, known.is_answered() || known.has(Fact::CallbackChosen));
    }
}
