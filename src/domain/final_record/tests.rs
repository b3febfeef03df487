//! The record of made-up calls.

use proptest::prelude::*;

use super::*;
use crate::domain::{CallTimeline, Direction, EventKind, FileName, TaskEvent};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

fn event(kind: EventKind, second: i64) -> TaskEvent {
    let id = format!("{kind}-{second}");
    TaskEvent { at: Some(at(second)), kind, id, queue: None, agent: None, direction: None }
}

fn ended(party: &str, reason: &str) -> EventKind {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    EventKind::Ended(TaskEnding { party: text(party), reason: text(reason) })
}

/// Queued for 20 s, offered for 5 s, with an agent for 60 s, of that twice on hold.
fn answered() -> Vec<TaskEvent> {
    vec![
        event(EventKind::New, 0),
        TaskEvent { queue: Some("q1".into()), ..event(EventKind::Parked, 10) },
        TaskEvent { agent: Some("a1".into()), ..event(EventKind::Connect, 30) },
        TaskEvent { agent: Some("a1".into()), queue: Some("q1".into()), ..event(EventKind::Connected, 35) },
        event(EventKind::OnHold, 40),
        event(EventKind::HoldDone, 50),
        event(EventKind::OnHold, 60),
        event(EventKind::HoldDone, 64),
        event(ended("Customer", "Customer Left"), 95),
    ]
}

fn sums(holds: usize, longest: u64, total: u64, interaction: u64) -> CallTotals {
    let (longest_hold, total_hold) = (Some(longest), Some(total));
    CallTotals { holds: Some(holds), longest_hold, total_hold, agent_interaction: Some(interaction) }
}

struct Tables(BTreeMap<String, String>, BTreeMap<String, String>);

impl Tables {
    fn full() -> Self {
        let table = |id: &str, name: &str| BTreeMap::from([(id.to_owned(), name.to_owned())]);
        Self(table("q1", "Sales"), table("a1", "agent@example.com"))
    }

    fn names(&self) -> MappedNames<'_> {
        MappedNames { queues: &self.0, agents: &self.1 }
    }
}

fn record(events: Vec<TaskEvent>, location: Option<&str>) -> FinalRecord {
    let template = location.map(|text| LocationTemplate::parse(text).unwrap());
    let task = TaskId::parse("t1").unwrap();
    let story = events.into_iter().collect::<CallTimeline>().history();
    FinalRecord::of(&story, Tables::full().names(), template.as_ref().map(|template| (template, &task)))
}

fn captured(files: &[(&str, i64, i64)]) -> TaskEvent {
    let recording = |&(file, start, stop): &(&str, i64, i64)| Recording {
        file: FileName::parse(file).unwrap(),
        started: Some(at(start)),
        stopped: Some(at(stop)),
    };
    let timeline: CallTimeline = [event(EventKind::CaptureAvailable, 100)].into_iter().collect();
    timeline.announced().unwrap().answered(files.iter().map(recording).collect()).unwrap()
}

#[test]
fn an_answered_call_is_told_in_full() {
    let told = record(answered(), Some("https://r.example.com/{taskId}"));
    let wanted = FinalRecord {
        has_agent: true,
        start_time: Some(at(0)),
        enqueue_time: Some(at(10)),
        accept_time: Some(at(35)),
        end_time: Some(at(95)),
        sums: sums(2, 10, 14, 46),
        queue: Some(MappedName::Name("Sales".into())),
        agent: Some(MappedName::Name("agent@example.com".into())),
        recording: Some(FinalRecording { location: "https://r.example.com/t1".into(), total: None }),
        disconnect_reason: Some("Customer Left".into()),
    };
    assert_eq!(told, wanted);
}

#[test]
fn an_abandoned_call_has_no_agent_no_recording_and_no_reason_of_webex() {
    let mut events = answered();
    events.retain(|event| !event.kind.implies_agent());
    let told = record(events, Some("https://r.example.com/{taskId}"));
    assert_eq!(
        (told.has_agent, &told.agent, &told.recording, &told.disconnect_reason),
        (false, &None, &None, &None)
    );
    assert_eq!((told.enqueue_time, told.queue.unwrap().name().unwrap()), (Some(at(10)), "Sales"));
    assert_eq!((told.sums.holds, told.accept_time), (Some(0), None));
}

#[test]
fn an_id_without_a_name_is_named_as_such() {
    let none = Tables(BTreeMap::new(), BTreeMap::new());
    let story = answered().into_iter().collect::<CallTimeline>().history();
    let told = FinalRecord::of(&story, none.names(), None);
    assert_eq!(told.agent.as_ref().and_then(MappedName::unmapped), Some("a1"));
    assert_eq!(told.queue.as_ref().and_then(MappedName::unmapped), Some("q1"));
    assert_eq!(told.agent.as_ref().and_then(MappedName::name), None);
}

#[test]
fn of_several_recordings_the_first_gives_the_name_and_all_the_duration() {
    let mut events = answered();
    events.push(captured(&[("b.wav", 60, 90), ("a.wav", 35, 60), ("c.wav", 35, 36)]));
    let told = record(events, Some("https://r.example.com/{fileName}")).recording.unwrap();
    assert_eq!(told, FinalRecording { location: "https://r.example.com/a.wav".into(), total: Some(56) });
    assert_eq!(record(answered(), Some("https://r.example.com/{fileName}")).recording, None);
}

#[test]
fn why_it_ended_is_the_reason_else_the_party() {
    for (party, reason, words) in
        [("Agent", "left", Some("left")), ("Agent", "", Some("Agent")), ("", "", None), ("", " ", None)]
    {
        let mut events = answered();
        events.retain(|event| !event.kind.is_end());
        events.push(event(ended(party, reason), 95));
        assert_eq!(record(events, None).disconnect_reason.as_deref(), words, "{party} {reason}");
    }
}

#[test]
fn the_flow_knows_when_a_call_began_whose_first_event_was_lost() {
    let lossy: Vec<TaskEvent> = answered().into_iter().skip(1).collect();
    assert_eq!(record(lossy.clone(), None).begun(Some(at(1))).start_time, Some(at(1)));
    assert_eq!(record(lossy, None).begun(None).start_time, Some(at(10)));
    assert_eq!(record(answered(), None).begun(Some(at(1))).start_time, Some(at(0)));
    let only_end = vec![event(ended("", ""), 95)];
    assert_eq!(record(only_end, None).begun(Some(at(96))).start_time, None, "it would end before it began");
}

#[test]
fn an_agent_who_dialed_has_the_call_from_the_start() {
    let dialed = [EventKind::New, ended("Agent", "")].into_iter().zip([0, 9]);
    let dialed = dialed
        .map(|(kind, second)| TaskEvent { direction: Some(Direction::Outbound), ..event(kind, second) });
    let told = record(dialed.collect(), None);
    assert!(told.has_agent);
    assert_eq!((told.accept_time, told.disconnect_reason.as_deref()), (None, Some("Agent")));
}

proptest! {
    #[test]
    fn whatever_is_lost_the_figures_agree_with_each_other(
        events in proptest::sample::subsequence(answered(), 0..=9).prop_shuffle(),
        begun in proptest::option::of(-50_i64..150),
    ) {
        let told = record(events, Some("https://r.example.com/{taskId}")).begun(begun.map(at));
        prop_assert!(told.sums.longest_hold <= told.sums.total_hold);
        prop_assert!(told.sums.holds > Some(0) || told.sums.total_hold == Some(0));
        prop_assert!(told.has_agent || (told.agent.is_none() && told.accept_time.is_none()));
        prop_assert!(told.has_agent == told.recording.is_some());
        let times = [told.start_time, told.end_time];
        prop_assert!(!matches!(times, [Some(start), Some(end)] if end < start));
    }
}
