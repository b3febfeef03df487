//! Timelines against true histories: made up ones, and those of a real tenant.

pub(crate) mod history;
mod parts;
mod samples;
mod sides;
mod single;

use jiff::Timestamp;
use proptest::prelude::*;

use self::history::{GeneratedCall, history};
use super::history::{seconds, span};
use super::*;

/// Milliseconds after an arbitrary beginning.
pub(super) fn at(millisecond: u64) -> Timestamp {
    Timestamp::from_millisecond(1_795_000_000_000 + i64::try_from(millisecond).unwrap()).unwrap()
}

/// Sums that only tests ask for.
impl CallHistory {
    /// All holds together in seconds, by the events.
    pub fn total_hold(&self) -> u64 {
        seconds(self.milliseconds_held())
    }

    /// The time of agents with the caller in seconds, by the events: without holds, without wrap-up.
    pub fn agent_interaction(&self) -> u64 {
        seconds(self.milliseconds_with_agents().saturating_sub(self.milliseconds_held()))
    }

    /// The seconds in queues; while the call rings at an agent it is not in a queue.
    pub fn queue_duration(&self) -> u64 {
        seconds(self.of(SegmentKind::Queue).filter_map(Segment::milliseconds).sum())
    }

    /// Seconds from the beginning to the end of the call: the sum of its segments without wrap-up.
    pub fn duration(&self) -> Option<u64> {
        span(self.started_at()?, self.ended_at).map(seconds)
    }
}

pub(super) fn event(kind: EventKind, millisecond: u64) -> TaskEvent {
    let id = format!("{kind}-{millisecond}");
    TaskEvent { at: Some(at(millisecond)), kind, id, queue: None, agent: None, direction: None }
}

pub(super) fn of_agent(state: AgentState, millisecond: u64, agent: &str) -> TaskEvent {
    let id = format!("{agent}-{state:?}-{millisecond}");
    TaskEvent { agent: Some(agent.to_owned()), id, ..event(EventKind::Agent(state), millisecond) }
}

/// Kind, start and end, in milliseconds after the beginning.
pub(super) fn outline(call_history: &CallHistory) -> Vec<(SegmentKind, u64, Option<u64>)> {
    let after = |moment: Timestamp| u64::try_from(moment.as_millisecond() - at(0).as_millisecond()).unwrap();
    call_history
        .segments
        .iter()
        .map(|segment| (segment.kind, after(segment.start), segment.end.map(after)))
        .collect()
}

/// The rule of the sum: the segments of the caller's call follow each other and add up to it.
pub(super) fn assert_sum(call_history: &CallHistory) {
    let call: Vec<_> =
        call_history.segments.iter().filter(|segment| segment.kind != SegmentKind::WrapUp).collect();
    for pair in call.windows(2) {
        assert_eq!(pair[0].end, Some(pair[1].start), "{call:#?}");
    }
    if let (Some(start), Some(end)) = (call_history.started_at(), call_history.ended_at) {
        let sum: u64 = call.iter().map(|segment| segment.milliseconds().unwrap()).sum();
        assert_eq!(sum, u64::try_from(end.as_millisecond() - start.as_millisecond()).unwrap());
    }
}

fn assert_history_is_true(history: &GeneratedCall, events: Vec<TaskEvent>) {
    let call_history = events.into_iter().collect::<CallTimeline>().history();
    assert_sum(&call_history);
    assert_eq!(outline(&call_history), history.outline);
    history.assert_matches(&call_history, 0);
    let holds = call_history.segments.iter().flat_map(|one| one.stretches_of(StretchKind::Hold));
    let holds: Vec<u64> = holds.map(|hold| hold.milliseconds().unwrap()).collect();
    assert_eq!(holds, history.holds);
    assert_eq!((call_history.holds(), call_history.state), (holds.len(), CallState::Ended));
    let consults =
        call_history.segments.iter().flat_map(|one| one.stretches_of(StretchKind::Consult)).count();
    assert_eq!(consults, history.consults);
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_give_the_true_history(
        (history, events) in history().prop_flat_map(|history| {
            let twice = [history.events.clone(), history.events.clone()].concat();
            let some = proptest::sample::subsequence(twice.clone(), history.events.len()..=twice.len());
            let all = history.events.clone();
            let more = some.prop_flat_map(move |some| Just([all.clone(), some].concat()).prop_shuffle());
            (Just(history), more)
        })
    ) {
        assert_history_is_true(&history, events);
    }

    #[test]
    fn a_doubled_event_under_another_id_changes_nothing(
        (history, which) in history().prop_flat_map(|history| {
            let count = history.events.len();
            (Just(history), proptest::collection::vec(0..count, 1..5))
        })
    ) {
        let doubled = which.iter().map(|&at| TaskEvent { id: format!("again-{at}"), ..history.events[at].clone() });
        let events = history.events.iter().cloned().chain(doubled).collect();
        assert_history_is_true(&history, events);
    }

    #[test]
    fn what_is_left_after_loss_means_one_thing_and_never_more_than_the_truth(
        (history, left, shuffled) in history().prop_flat_map(|history| {
            let count = history.events.len();
            let left = proptest::sample::subsequence(history.events.clone(), 0..=count);
            (Just(history), left).prop_flat_map(|(history, left)| {
                (Just(history), Just(left.clone()), Just(left).prop_shuffle())
            })
        })
    ) {
        let call_history = left.iter().cloned().collect::<CallTimeline>().history();
        assert_sum(&call_history);
        prop_assert_eq!(&call_history, &shuffled.into_iter().collect::<CallTimeline>().history());
        prop_assert!(history.accepted_at.is_some() || !call_history.is_answered);
        let seen = GeneratedCall { events: left.clone(), ..GeneratedCall::default() };
        prop_assert!(call_history.holds() <= history.holds.len(), "{seen:?}");
        let end = left.iter().find(|event| event.kind.is_end() && !GeneratedCall::is_of_party(event));
        prop_assert!(end.is_none() || call_history.ended_at == end.and_then(|event| event.at));
    }

    #[test]
    fn a_timeline_survives_being_kept(history in history()) {
        let timeline: CallTimeline = history.events.into_iter().collect();
        let kept = serde_json::to_string(&timeline).unwrap();
        prop_assert_eq!(serde_json::from_str::<CallTimeline>(&kept).unwrap(), timeline);
    }
}
