//! A call that went on to another flow: each VoiceCall has its own part of the story.

use super::*;

/// Where agents gave the call away, in milliseconds.
fn handed_over(history: &GeneratedCall) -> Vec<u64> {
    let call: Vec<_> = history.outline.iter().filter(|(kind, _, _)| *kind != SegmentKind::WrapUp).collect();
    let agents = call.windows(2).filter(|pair| pair[0].0 == SegmentKind::Agent);
    let agents = agents.filter(|pair| pair[1].0 != SegmentKind::Outside);
    agents.map(|pair| pair[1].1).collect()
}

fn moments(times: &[u64]) -> Vec<Timestamp> {
    times.iter().map(|time| at(*time)).collect()
}

#[test]
fn an_agent_writes_the_first_part_up_while_the_caller_waits_in_the_second() {
    let connected = |time, agent| of_agent(AgentState::Connected, time, agent);
    let wrap_up = |time, agent| of_agent(AgentState::WrapUp { code: None }, time, agent);
    let first = [
        event(EventKind::New, 0),
        event(EventKind::Parked, 10),
        event(EventKind::Connected, 20),
        connected(20, "a1"),
    ];
    let second = [
        event(EventKind::OnHold, 30),
        event(EventKind::HoldDone, 42),
        wrap_up(45, "a1"),
        event(EventKind::Parked, 50),
        event(EventKind::Ended(TaskEnding::default()), 90),
    ];
    let timeline: CallTimeline = first.into_iter().chain(second).collect();
    let parts = timeline.cut(&moments(&[40]));
    let [first, second] = [parts[0].history(), parts[1].history()];
    assert_eq!((first.is_answered, second.is_answered), (true, false));
    assert_eq!(
        outline(&first),
        [
            (SegmentKind::Menu, 0, Some(10)),
            (SegmentKind::Queue, 10, Some(20)),
            (SegmentKind::Agent, 20, Some(40)),
            (SegmentKind::WrapUp, 45, None)
        ]
    );
    assert_eq!((first.holds(), first.ended_at), (1, Some(at(40))));
    assert_eq!(outline(&second), [(SegmentKind::Menu, 40, Some(50)), (SegmentKind::Queue, 50, Some(90))]);
    // Another agent's wrap-up is a sign that they had it, although their acceptance was lost.
    let mut timeline = timeline;
    timeline.apply(wrap_up(85, "a2"));
    assert!(timeline.cut(&moments(&[40]))[1].is_answered());
}

#[test]
fn events_missing_of_a_part_leave_the_others_as_they_are() {
    let ended = EventKind::Ended(TaskEnding::default());
    let timeline: CallTimeline = [event(EventKind::Connected, 60), event(ended, 90)].into_iter().collect();
    let parts = timeline.cut(&moments(&[40, 100]));
    assert!(parts[0].is_empty());
    assert!(parts[1].is_answered());
    assert_eq!(parts[1].history().ended_at, Some(at(100)), "it was not the end");
    assert_eq!((parts[2].is_answered(), parts[2].ended_at()), (false, None));
}

proptest! {
    #[test]
    fn nothing_is_cut_where_there_is_one_voice_call(history in history()) {
        let timeline: CallTimeline = history.events.into_iter().collect();
        prop_assert_eq!(timeline.cut(&[]), [timeline]);
    }

    #[test]
    fn each_part_has_its_own_history_and_together_they_are_the_whole(history in history(), which in any::<u8>()) {
        let mut begins = handed_over(&history);
        let mut place = 0;
        begins.retain(|_| { place += 1; which >> place & 1 == 0 });
        let timeline: CallTimeline = history.events.iter().cloned().collect();
        let parts = timeline.cut(&moments(&begins));
        prop_assert_eq!(parts.len(), begins.len() + 1);
        let mut together = Vec::new();
        let mut wrap_ups = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let call_history = part.history();
            assert_sum(&call_history);
            let is_edge = |(kind, start, end): &(SegmentKind, u64, Option<u64>)| {
                *kind == SegmentKind::Menu && *end == Some(*start)
            };
            let (late, call): (Vec<_>, Vec<_>) = outline(&call_history).into_iter()
                .filter(|one| !is_edge(one))
                .partition(|(kind, _, _)| *kind == SegmentKind::WrapUp);
            let agents = call.iter().filter(|(kind, _, _)| *kind == SegmentKind::Agent).count();
            prop_assert_eq!(call_history.is_answered, agents > 0);
            prop_assert_eq!(late.len(), agents, "part {}", number);
            if let Some(begin) = number.checked_sub(1).and_then(|before| begins.get(before)) {
                prop_assert_eq!(call_history.started_at(), Some(at(*begin)));
            }
            if let Some(next) = begins.get(number) {
                prop_assert_eq!(call_history.ended_at, Some(at(*next)));
            }
            together.extend(call);
            wrap_ups.extend(late);
        }
        together.extend(wrap_ups);
        prop_assert_eq!(together, history.outline);
    }

    #[test]
    fn every_event_is_in_one_part(history in history(), begins in prop::collection::btree_set(0_u64..2_000_000, 0..4)) {
        let timeline: CallTimeline = history.events.into_iter().collect();
        let begins: Vec<u64> = begins.into_iter().collect();
        let mut left: Vec<&str> = timeline.events.iter().map(|event| event.id.as_str()).collect();
        for part in timeline.cut(&moments(&begins)) {
            for event in part.events.iter().filter(|event| !event.id.starts_with("cut:")) {
                let place = left.iter().position(|id| *id == event.id);
                prop_assert!(place.is_some(), "{event:?} is there twice");
                left.swap_remove(place.unwrap());
            }
        }
        prop_assert_eq!(left, Vec::<&str>::new());
    }
}
