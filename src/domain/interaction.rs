//! An interaction: the VoiceCalls of one vendorCallKey, and the events of Webex's task. This module alone decides which
//! VoiceCall is meant by a create, an update, a hang-up, an acceptance or a conclusion.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::Timestamp;

use super::{Call, CallHistory, CallName, CallOutcome, CallReference, CallTimeline, Fingerprint, TaskEvent};

/// Everything known of an interaction in one contact center, read at one moment. Most interactions have one VoiceCall. A
/// call that an agent transfers to another flow has a VoiceCall for each flow run, under the same vendorCallKey; the
/// [`CallTimeline`] is cut into their parts.
#[derive(Debug, Clone, Default)]
pub struct Interaction {
    /// In the order of their beginning; a call without a known beginning comes first.
    calls: Vec<Call>,
    timeline: CallTimeline,
    /// The agents that events name, hashed as in [`Call::answered_by`].
    agents: HashMap<String, Fingerprint>,
}

impl Interaction {
    /// `fingerprint` hashes agents as the journal does.
    pub fn new(
        mut calls: Vec<Call>,
        timeline: CallTimeline,
        fingerprint: impl Fn(&str) -> Fingerprint,
    ) -> Self {
        calls.sort_by_key(|call| (call.began(), call.id));
        let named = timeline.all().filter_map(|event| event.agent.as_deref());
        let agents = named.map(|agent| (agent.to_owned(), fingerprint(agent))).collect();
        Self { calls, timeline, agents }
    }

    /// Adds an event.
    pub fn apply(&mut self, event: TaskEvent, fingerprint: impl Fn(&str) -> Fingerprint) {
        if let Some(agent) = &event.agent {
            self.agents.insert(agent.clone(), fingerprint(agent));
        }
        self.timeline.apply(event);
    }

    /// The VoiceCalls in the order of their beginning.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// The events of the whole interaction.
    pub fn timeline(&self) -> &CallTimeline {
        &self.timeline
    }

    /// Whether the interaction has several VoiceCalls: then each has a part of the timeline.
    pub fn is_transferred(&self) -> bool {
        self.calls.len() > 1
    }

    /// The VoiceCall that the journal has learned of last. The key alone stands for this one.
    pub fn newest(&self) -> Option<&Call> {
        self.calls.iter().max_by_key(|call| call.id)
    }

    /// Whether no VoiceCall of the interaction began after this one.
    pub fn is_last(&self, call: &Call) -> bool {
        self.calls.last().is_some_and(|last| last.id == call.id)
    }

    /// The VoiceCall of this name.
    pub fn call(&self, name: &CallName) -> Option<&Call> {
        self.calls.iter().find(|call| call.name == *name)
    }

    /// The VoiceCall of a reference; of a key, the newest.
    pub fn find(&self, reference: &CallReference) -> Option<&Call> {
        match reference {
            CallReference::Key(_) => self.newest(),
            CallReference::Id(id) => {
                let is_it =
                    |call: &&Call| call.voice_call_id.as_ref().is_some_and(|own| own.short() == id.short());
                self.calls.iter().filter(is_it).max_by_key(|call| call.id)
            }
        }
    }

    /// The VoiceCall that an update means. Under a key with several VoiceCalls it is the one that began at the start time
    /// of the update, or that had the caller at its accept time, else the newest.
    pub fn meant_by_update(
        &self,
        reference: &CallReference,
        started: Option<Timestamp>,
        accepted: Option<Timestamp>,
    ) -> Option<&Call> {
        let named = self.find(reference);
        if !self.is_transferred() || matches!(reference, CallReference::Id(_)) {
            return named;
        }
        let at_start = started.and_then(|started| self.begun_at(started));
        at_start.or_else(|| self.at(accepted?)).or(named)
    }

    /// The VoiceCall that a hang-up ends. Each flow run of an interaction may report its end under the same key: it is
    /// the VoiceCall that began at the start time of the hang-up, unless the hang-up names another.
    pub fn meant_by_hang_up(
        &self,
        reference: Option<&CallReference>,
        started: Option<Timestamp>,
    ) -> Option<&Call> {
        let named = reference.and_then(|reference| self.find(reference)).or_else(|| self.newest());
        if !self.is_transferred() || matches!(reference, Some(CallReference::Id(_))) {
            return named;
        }
        started.and_then(|started| self.begun_at(started)).or(named)
    }

    /// The VoiceCall whose caller an agent accepted at that moment.
    pub fn meant_by_answer(&self, at: Timestamp) -> Option<&Call> {
        let newest = self.newest()?;
        if newest.name.is_plain() || newest.began().is_some_and(|began| began <= at) {
            return Some(newest);
        }
        self.at(at)
    }

    fn begun_at(&self, started: Timestamp) -> Option<&Call> {
        self.calls.iter().find(|call| call.began() == Some(started))
    }

    /// The VoiceCall that had the caller at that moment: the last one that had begun.
    pub fn at(&self, at: Timestamp) -> Option<&Call> {
        let has_begun = |call: &&Call| call.began().is_none_or(|began| began <= at);
        self.calls.iter().rfind(has_begun).or(self.calls.first())
    }

    /// The VoiceCall that `call` continues: the newest other one that is created or promised and that, for a later flow
    /// run, began before it.
    pub fn parent_of(&self, call: &CallName) -> Option<&Call> {
        let began = call.run_began();
        let is_before = |other: &&Call| began.is_none_or(|began| other.began().is_none_or(|at| at <= began));
        self.calls.iter().rfind(|other| other.name != *call && other.is_created() && is_before(other))
    }

    /// The VoiceCall of a create that began at `began`, among the VoiceCalls that creates have reported. Webex repeats a
    /// request with the same body, so the same time means the same VoiceCall. Another time means another VoiceCall only
    /// where the flow says so, or where an agent had the newest one before and its caller has not hung up. Otherwise it
    /// is the same call: a flow that goes on to another flow before any agent has one VoiceCall, and a flow that makes a
    /// new time for a repetition gets no second one.
    pub fn place(&self, began: Timestamp, continuation: Continuation) -> CreatePlacement<'_> {
        let is_created = |call: &&Call| call.fingerprint.is_some() && call.began().is_some();
        let created: Vec<&Call> = self.calls.iter().filter(is_created).collect();
        let ([first, ..], [.., newest]) = (created.as_slice(), created.as_slice()) else {
            return CreatePlacement::First;
        };
        let is_transfer = |call: &Call| call.name.run_began().is_some();
        let is_same = |call: &&&Call| {
            call.began() == Some(began) && (continuation != Continuation::Earlier || is_transfer(call))
        };
        if let Some(repeated) = created.iter().find(is_same) {
            return CreatePlacement::Existing(repeated);
        }
        let was_answered = newest.answered_at.is_some_and(|at| at <= began);
        match continuation {
            Continuation::Earlier | Continuation::Itself => CreatePlacement::New,
            Continuation::NotStated if was_answered && newest.began() < Some(began) && !newest.is_over() => {
                CreatePlacement::New
            }
            Continuation::NotStated => CreatePlacement::Existing(
                created.iter().rfind(|call| call.began() <= Some(began)).unwrap_or(first),
            ),
        }
    }

    /// How a request to Salesforce names a VoiceCall: by its id where that is known, because a key can name several
    /// records.
    pub fn reference_to(named: &CallReference, call: Option<&Call>) -> CallReference {
        match (named, call) {
            (CallReference::Key(_), Some(call)) if call.voice_call_id.is_some() => call.reference(),
            _ => named.clone(),
        }
    }

    /// Whether Salesforce would take every reference to `call` for another VoiceCall: its id is not known, and its key is
    /// that of an earlier one. Then the outbox creates its own record first.
    pub fn lacks_reference(&self, call: &Call) -> bool {
        let is_other = |other: &Call| other.name != call.name && other.is_created();
        call.voice_call_id.is_none() && !call.name.is_plain() && self.calls.iter().any(is_other)
    }

    /// Each VoiceCall with its part of the timeline.
    pub fn parts(&self) -> impl Iterator<Item = (&Call, CallTimeline)> {
        self.timeline.parts_of(&self.calls, |agent| self.agents.get(agent).copied())
    }

    /// The history of a VoiceCall: of its part of the interaction, or of all of it where it is not one of several. None
    /// where Webex has reported nothing.
    pub fn history_of(&self, call: Option<&CallName>) -> Option<CallHistory> {
        if self.timeline.is_empty() {
            return None;
        }
        let own = call.filter(|_| self.is_transferred());
        let part = own.and_then(|name| self.parts().find(|(call, _)| call.name == *name));
        Some(part.map_or_else(|| self.timeline.history(), |(_, part)| part.history()))
    }

    /// Whether the caller has chosen to be called back and no agent has had the call: then an abandonment that a flow
    /// reports is wrong.
    pub fn is_called_back(&self, call: Option<&Call>) -> bool {
        if call.is_some_and(Call::is_answered) {
            return false;
        }
        let history = self.history_of(call.map(|call| &call.name));
        history.is_some_and(|history| history.outcome() == CallOutcome::Callback)
    }

    /// Whether the agent whom a hang-up of `call` names has had this VoiceCall. Webex names the last agent of the
    /// interaction (`PhoneContactEnded.AgentID`), who may have had an earlier VoiceCall of it: an agent known from an
    /// earlier one does not count. An agent known from none counts, so that no answered call is ever reported as
    /// abandoned.
    pub fn is_sign_of_agent(&self, call: &Call, agent: &str, fingerprint: Fingerprint) -> bool {
        if !self.is_transferred() {
            return true;
        }
        let began = call.began();
        let mut earlier = self.calls.iter().filter(|other| other.name != call.name && other.began() < began);
        let mut is_of_earlier = earlier.any(|other| other.answered_by == Some(fingerprint));
        for (part_of, part) in self.parts() {
            match part_of.began().cmp(&began) {
                Ordering::Less => {
                    is_of_earlier |= part.history().agents.iter().any(|one| one.agent == agent);
                }
                Ordering::Equal if part.is_answered() => return true,
                Ordering::Equal | Ordering::Greater => {}
            }
        }
        !is_of_earlier
    }

    /// The VoiceCalls that agents had and that ended where the next one began, each with that time: they are still to be
    /// completed once the last one has ended.
    pub fn left_behind(&self) -> impl Iterator<Item = (&Call, Option<Timestamp>)> {
        let pairs = self.calls.iter().zip(self.calls.iter().skip(1));
        let open = pairs.filter(|(call, _)| call.is_answered() && !call.is_over());
        open.map(|(call, next)| (call, next.began()))
    }
}

/// The reference of a create to an earlier call under its own key, where it names no VoiceCall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Continuation {
    /// Nothing: the vendor's flow creates every call as an inbound one.
    #[default]
    NotStated,
    /// `parentInteractionId` is its own interaction: a later flow run, if there was one before.
    Itself,
    /// `initiationMethod` is Transfer, and no other call is named.
    Earlier,
}

/// The VoiceCall that a create belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreatePlacement<'a> {
    /// This VoiceCall: the create is repeated, or the flow began anew before any agent had the call.
    Existing(&'a Call),
    /// The first VoiceCall of the interaction.
    First,
    /// Another VoiceCall, after all of the others.
    New,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Continuation::{Earlier, Itself, NotStated};
    use super::*;
    use crate::domain::{CallCenterName, CallId, VendorCallKey, VoiceCallId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn call(name: CallName, start: Option<i64>, id: Option<&str>) -> Call {
        Call {
            id: CallId(1),
            name,
            voice_call_id: id.map(|id| VoiceCallId::parse(id).unwrap()),
            fingerprint: None,
            start_time: start.map(at),
            created_at: None,
            create_unknown_at: None,
            deferred_at: None,
            routed_at: None,
            route_result: None,
            route_at: None,
            cleared_at: None,
            nothing_to_clear_at: None,
            answered_at: None,
            answered_by: None,
            ended_at: None,
            closed_at: None,
            create_lease_until: None,
            create_body: None,
            updated_at: at(0),
        }
    }

    fn named(began: Option<i64>) -> CallName {
        let (center, key) =
            (CallCenterName::parse("Sales").unwrap(), VendorCallKey::parse("wxcc_1").unwrap());
        match began {
            Some(began) => CallName::later_run(center, key, at(began)),
            None => CallName::new(center, key, None),
        }
    }

    /// A VoiceCall that a create requested; the name of the first one of a key has no start time.
    fn run(began: i64, answered: Option<i64>, is_later: bool) -> Call {
        Call {
            id: CallId(began + 10_000),
            fingerprint: Some(Fingerprint([1; 32])),
            answered_at: answered.map(at),
            ..call(named(is_later.then_some(began)), Some(began), None)
        }
    }

    fn interaction(calls: &[Call]) -> Interaction {
        Interaction::new(calls.to_vec(), CallTimeline::default(), |_| Fingerprint([0; 32]))
    }

    /// When the VoiceCall began to which a create belongs; none where it is another one.
    fn place(calls: &[Call], began: i64, continuation: Continuation) -> Option<Timestamp> {
        match interaction(calls).place(at(began), continuation) {
            CreatePlacement::Existing(call) => call.began(),
            CreatePlacement::First | CreatePlacement::New => None,
        }
    }

    #[test]
    fn another_time_is_another_voice_call_only_after_an_agent_or_by_word() {
        let fresh = [run(0, None, false)];
        let answered = [run(0, Some(20), false)];
        let over = [Call { ended_at: Some(at(30)), ..run(0, Some(20), false) }];
        let twice = [run(0, Some(20), false), run(60, None, true)];
        let thrice = [run(0, Some(20), false), run(60, Some(80), true)];
        for (calls, began, continuation, wanted) in [
            (&[][..], 0, NotStated, None),
            (&fresh, 0, NotStated, Some(0)),
            (&fresh, 5, NotStated, Some(0)),
            (&fresh, -5, NotStated, Some(0)),
            (&fresh, 5, Itself, None),
            (&fresh, 0, Itself, Some(0)),
            (&fresh, 0, Earlier, None),
            (&answered, 0, NotStated, Some(0)),
            (&answered, 19, NotStated, Some(0)),
            (&answered, 20, NotStated, None),
            (&answered, 60, NotStated, None),
            (&over, 60, NotStated, Some(0)),
            (&over, 60, Itself, None),
            (&twice, 60, NotStated, Some(60)),
            (&twice, 60, Earlier, Some(60)),
            (&twice, 70, NotStated, Some(60)),
            (&twice, 30, NotStated, Some(0)),
            (&thrice, 90, NotStated, None),
        ] {
            assert_eq!(
                place(calls, began, continuation),
                wanted.map(at),
                "{calls:?} {began} {continuation:?}"
            );
        }
        assert_eq!(interaction(&[]).place(at(0), NotStated), CreatePlacement::First);
        let without_create = Call { fingerprint: None, ..run(0, None, false) };
        assert_eq!(
            interaction(&[without_create]).place(at(0), NotStated),
            CreatePlacement::First,
            "no create has requested it"
        );
    }

    #[test]
    fn a_call_continues_the_newest_record_before_it_and_none_of_those_after() {
        let first = call(named(None), Some(0), Some("0LQ5g000000abcD"));
        let second = call(named(Some(60)), Some(60), None);
        let third = call(named(Some(90)), Some(90), Some("0LQ5g000000abcE"));
        let calls = [first, second, third];
        let (all, alone) = (interaction(&calls), interaction(&calls[1..2]));
        let parent = |began| all.parent_of(&named(began)).map(|call| call.name.clone());
        assert_eq!(parent(Some(60)), Some(named(None)));
        assert_eq!(parent(Some(90)), Some(named(None)), "the second has no record");
        assert_eq!(parent(Some(120)), Some(named(Some(90))));
        assert_eq!(alone.parent_of(&named(Some(90))), None);
        assert_eq!(
            all.calls().iter().map(|call| all.lacks_reference(call)).collect::<Vec<_>>(),
            [false, true, false]
        );
        assert!(!alone.lacks_reference(&calls[1]), "its key is its own");
    }

    #[test]
    fn a_moment_belongs_to_the_call_that_had_begun() {
        let calls = [call(named(None), None, None), call(named(Some(60)), None, None)];
        let began = |second| interaction(&calls).at(at(second)).and_then(Call::began);
        assert_eq!([0, 59, 60, 99].map(began), [None, None, Some(at(60)), Some(at(60))]);
        assert_eq!(interaction(&calls[1..]).at(at(0)), Some(&calls[1]));
    }

    /// An interaction: a create of a flow run, or an agent who takes the newest one, some seconds after what came before.
    fn any_history() -> impl Strategy<Value = Vec<(bool, i64)>> {
        prop::collection::vec((any::<bool>(), 1_i64..100), 1..20)
    }

    /// Plays it; gives the VoiceCalls, and for each create its time and when the VoiceCall began that it got.
    fn play(history: &[(bool, i64)]) -> (Vec<Call>, Vec<(i64, Timestamp)>) {
        let (mut calls, mut creates, mut now): (Vec<Call>, _, _) = (Vec::new(), Vec::new(), 0);
        for (creates_one, later) in history {
            now += later;
            match calls.last_mut() {
                Some(newest) if !creates_one => newest.answered_at = newest.answered_at.or(Some(at(now))),
                newest => {
                    let is_later = newest.is_some();
                    let got = place(&calls, now, NotStated);
                    if got.is_none() {
                        calls.push(run(now, None, is_later));
                    }
                    creates.push((now, got.unwrap_or(at(now))));
                }
            }
        }
        (calls, creates)
    }

    proptest! {
        #[test]
        fn the_same_time_never_makes_a_second_record(history in any_history(), continuation in prop::sample::select(&[NotStated, Itself][..])) {
            let (calls, _) = play(&history);
            let interaction = interaction(&calls);
            for call in &calls {
                prop_assert_eq!(interaction.place(call.began().unwrap(), continuation), CreatePlacement::Existing(call));
            }
        }

        #[test]
        fn a_repetition_gets_what_the_create_got_whatever_has_happened_since(history in any_history(), until in 1_usize..20) {
            let (calls, _) = play(&history);
            let (_, before) = play(&history[..until.min(history.len())]);
            for (began, got) in before {
                // One that joined a call before its agent had it can be taken for one that came after.
                if got == at(began) {
                    prop_assert_eq!(place(&calls, began, NotStated), Some(got));
                }
            }
        }

        #[test]
        fn each_voice_call_but_the_last_was_answered_before_the_next_began(history in any_history()) {
            let (calls, _) = play(&history);
            for pair in calls.windows(2) {
                prop_assert!(pair[0].answered_at.is_some_and(|at| Some(at) <= pair[1].began()));
                prop_assert!(pair[0].began() < pair[1].began());
            }
        }

        #[test]
        fn without_an_agent_there_is_one_voice_call(times in prop::collection::vec(-1000_i64..1000, 1..20)) {
            let first = [run(times[0], None, false)];
            for &time in &times {
                prop_assert_eq!(place(&first, time, NotStated), Some(at(times[0])));
            }
        }
    }
}
