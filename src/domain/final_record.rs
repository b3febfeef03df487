//! The content of a call's final update, in Salesforce's terms. A pure function of the call's history and of the names that an
//! administrator has given to Webex's ids.

use std::collections::BTreeMap;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{CallHistory, CallTotals, FileName, Recording, TaskEnding, TaskId, cut};

/// The longest disconnect reason, in characters: that of a text field.
const LONGEST_REASON: usize = 255;

/// The names in Salesforce of Webex's queues and agents, by their ids in Webex.
#[derive(Debug, Clone, Copy)]
pub struct MappedNames<'a> {
    /// Names of queues.
    pub queues: &'a BTreeMap<String, String>,
    /// User names of agents.
    pub agents: &'a BTreeMap<String, String>,
}

/// A queue or an agent of Webex, by its name in Salesforce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MappedName {
    /// Its name in Salesforce.
    Name(String),
    /// The id in Webex, which the configuration gives no name. It is not sent: Salesforce would refuse or misread it.
    Unmapped(String),
}

/// The recording of a call, as Salesforce takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalRecording {
    /// A lasting URL. It may contain a phone number, where the file is named by one.
    pub location: String,
    /// The duration of all recordings together, in whole seconds; none where Webex has not reported it.
    pub total: Option<u64>,
}

/// A call after its end, in Salesforce's terms. Durations are in whole seconds, rounded to the nearest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalRecord {
    /// Whether an agent had the call. If not, it was abandoned.
    pub has_agent: bool,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When it first waited for an agent, or was first offered to one.
    pub enqueue_time: Option<Timestamp>,
    /// When an agent first accepted it.
    pub accept_time: Option<Timestamp>,
    /// When it was over.
    pub end_time: Option<Timestamp>,
    /// Holds and durations.
    pub sums: CallTotals,
    /// The last queue.
    pub queue: Option<MappedName>,
    /// The last agent.
    pub agent: Option<MappedName>,
    /// The recording, where a location is configured.
    pub recording: Option<FinalRecording>,
    /// Why an answered call ended, in Webex's words. The reason of an abandoned one is configured.
    pub disconnect_reason: Option<String>,
}

impl MappedName {
    fn of(id: Option<&str>, names: &BTreeMap<String, String>) -> Option<Self> {
        let id = id?;
        Some(names.get(id).cloned().map_or_else(|| Self::Unmapped(id.to_owned()), Self::Name))
    }

    /// The name, if there is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Name(name) => Some(name),
            Self::Unmapped(_) => None,
        }
    }

    /// The id in Webex, if it has no name.
    pub fn unmapped(&self) -> Option<&str> {
        match self {
            Self::Name(_) => None,
            Self::Unmapped(id) => Some(id),
        }
    }
}

impl FinalRecord {
    /// The record of a call. `location`: the template of its recording's URL, and the id of its task.
    pub fn of(
        history: &CallHistory,
        names: MappedNames<'_>,
        location: Option<(&LocationTemplate, &TaskId)>,
    ) -> Self {
        let has_agent = history.has_agent();
        let agent = history.agent().filter(|_| has_agent);
        let location = location.filter(|_| has_agent);
        Self {
            has_agent,
            start_time: history.started_at(),
            enqueue_time: history.enqueued_at(),
            accept_time: history.accepted_at(),
            end_time: history.ended_at,
            sums: history.sums(),
            queue: MappedName::of(history.queue(), names.queues),
            agent: MappedName::of(agent, names.agents),
            recording: location.and_then(|(template, task)| note(&history.recordings, template, task)),
            disconnect_reason: history.ending.as_ref().filter(|_| has_agent).and_then(words),
        }
    }

    /// The same with the time at which the flow saw the call begin: the earlier of both counts, because the first
    /// events may be lost. A begin after the end is dropped.
    #[must_use]
    pub fn begun(mut self, at: Option<Timestamp>) -> Self {
        let earliest = [self.start_time, at].into_iter().flatten().min();
        self.start_time = earliest.filter(|start| self.end_time.is_none_or(|end| *start <= end));
        self
    }
}

/// The reason; where Webex gives none, the party that ended the call.
fn words(ending: &TaskEnding) -> Option<String> {
    let stated = [&ending.reason, &ending.party].into_iter().flatten().map(|text| text.trim());
    stated.into_iter().find(|text| !text.is_empty()).map(|text| cut(text.to_owned(), LONGEST_REASON))
}

/// The first recording gives the file name, all of them together the duration.
fn note(recordings: &[Recording], template: &LocationTemplate, task: &TaskId) -> Option<FinalRecording> {
    let location = template.fill(task, recordings.first().map(|first| &first.file))?;
    let known: Vec<u64> = recordings.iter().filter_map(Recording::milliseconds).collect();
    let total = known.iter().fold(0_u64, |sum, next| sum.saturating_add(*next));
    let total = (!known.is_empty()).then(|| total.saturating_add(500) / 1000);
    Some(FinalRecording { location, total })
}

/// Everything but what is unreserved in an address (RFC 3986, 2.3).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const TASK: &str = "{taskId}";
const FILE: &str = "{fileName}";

/// An https URL with the placeholders `{taskId}` and `{fileName}`, such as that of a player in the customer's
/// network. Webex's own URLs of recordings are signed and expire within the hour: they are never used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationTemplate(String);

impl LocationTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let filled = text.replace(TASK, "id").replace(FILE, "name");
        if filled.contains(['{', '}']) {
            return Err(format!("holds a placeholder other than {TASK} and {FILE}"));
        }
        if filled.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err("holds a space".to_owned());
        }
        if filled.strip_prefix("https://").is_none_or(str::is_empty) {
            return Err("is not an https URL".to_owned());
        }
        if filled == text {
            return Err(format!("holds neither {TASK} nor {FILE}, so all recordings would have one address"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Whether the template has a place for the file name.
    pub fn needs_file(&self) -> bool {
        self.0.contains(FILE)
    }

    /// The URL; none where it needs a file name and there is none. Values are percent-encoded, so that they cannot be
    /// more than a part of a path or of a query.
    pub fn fill(&self, task: &TaskId, file: Option<&FileName>) -> Option<String> {
        let encode = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
        let file = match (self.needs_file(), file) {
            (true, None) => return None,
            (_, file) => file.map_or_else(String::new, |file| encode(file.expose())),
        };
        // Percent-encoding leaves no brace in the task id, so the second replacement cannot match inside it.
        Some(self.0.replace(TASK, &encode(task.as_ref())).replace(FILE, &file))
    }
}

#[cfg(test)]
mod location_tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    fn filled(template: &str, file: Option<&str>) -> Option<String> {
        let file = file.map(|file| FileName::parse(file).unwrap());
        LocationTemplate::parse(template).unwrap().fill(&TaskId::parse("t1").unwrap(), file.as_ref())
    }

    #[test]
    fn a_template_is_filled_once_everything_in_it_is_known() {
        let (plain, full) =
            ("https://r.example.com/{taskId}", "https://r.example.com/{taskId}/{fileName}?a={taskId}");
        assert_eq!(filled(plain, None).as_deref(), Some("https://r.example.com/t1"));
        assert_eq!(filled(plain, Some("a.wav")).as_deref(), Some("https://r.example.com/t1"));
        assert_eq!(filled(full, None), None);
        assert_eq!(
            filled(full, Some("{taskId} ü/../?.wav")).as_deref(),
            Some("https://r.example.com/t1/%7BtaskId%7D%20%C3%BC%2F..%2F%3F.wav?a=t1")
        );
    }

    #[test]
    fn what_is_no_template_is_an_error() {
        for (text, problem) in [
            ("http://r.example.com/{taskId}", "is not an https URL"),
            ("https://", "is not an https URL"),
            ("https://r.example.com/{task}", "holds a placeholder other than {taskId} and {fileName}"),
            ("https://r.example.com/a b", "holds a space"),
            (
                "https://r.example.com/player",
                "holds neither {taskId} nor {fileName}, so all recordings would have one address",
            ),
        ] {
            assert_eq!(LocationTemplate::parse(text), Err(problem.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_file_name_changes_where_an_address_leads(name in any::<String>()) {
            let Ok(file) = FileName::parse(name.as_str()) else { return Ok(()) };
            let template = LocationTemplate::parse("https://r.example.com/calls/{fileName}/play").unwrap();
            let filled = template.fill(&TaskId::parse("t1").unwrap(), Some(&file)).unwrap();
            let url = Url::parse(&filled).unwrap();
            let path: Vec<&str> = url.path_segments().unwrap().collect();
            prop_assert_eq!((url.host_str(), path.len(), path[0], path[2]), (Some("r.example.com"), 3, "calls", "play"));
            prop_assert_eq!((url.query(), url.fragment()), (None, None));
            let decoded = percent_encoding::percent_decode_str(path[1]).decode_utf8().unwrap();
            prop_assert_eq!(decoded, name);
        }
    }
}

/// The record of made-up calls.
#[cfg(test)]
mod tests {
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
            TaskEvent {
                agent: Some("a1".into()),
                queue: Some("q1".into()),
                ..event(EventKind::Connected, 35)
            },
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
        let history = events.into_iter().collect::<CallTimeline>().history();
        FinalRecord::of(&history, Tables::full().names(), template.as_ref().map(|template| (template, &task)))
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
    fn the_record_of_an_answered_call_is_complete() {
        let actual = record(answered(), Some("https://r.example.com/{taskId}"));
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
        assert_eq!(actual, wanted);
    }

    #[test]
    fn an_abandoned_call_has_no_agent_no_recording_and_no_reason_of_webex() {
        let mut events = answered();
        events.retain(|event| !event.kind.implies_agent());
        let actual = record(events, Some("https://r.example.com/{taskId}"));
        assert_eq!(
            (actual.has_agent, &actual.agent, &actual.recording, &actual.disconnect_reason),
            (false, &None, &None, &None)
        );
        assert_eq!((actual.enqueue_time, actual.queue.unwrap().name().unwrap()), (Some(at(10)), "Sales"));
        assert_eq!((actual.sums.holds, actual.accept_time), (Some(0), None));
    }

    #[test]
    fn an_id_without_a_name_is_named_as_such() {
        let none = Tables(BTreeMap::new(), BTreeMap::new());
        let history = answered().into_iter().collect::<CallTimeline>().history();
        let actual = FinalRecord::of(&history, none.names(), None);
        assert_eq!(actual.agent.as_ref().and_then(MappedName::unmapped), Some("a1"));
        assert_eq!(actual.queue.as_ref().and_then(MappedName::unmapped), Some("q1"));
        assert_eq!(actual.agent.as_ref().and_then(MappedName::name), None);
    }

    #[test]
    fn of_several_recordings_the_first_gives_the_name_and_all_the_duration() {
        let mut events = answered();
        events.push(captured(&[("b.wav", 60, 90), ("a.wav", 35, 60), ("c.wav", 35, 36)]));
        let actual = record(events, Some("https://r.example.com/{fileName}")).recording.unwrap();
        assert_eq!(
            actual,
            FinalRecording { location: "https://r.example.com/a.wav".into(), total: Some(56) }
        );
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
        assert_eq!(
            record(only_end, None).begun(Some(at(96))).start_time,
            None,
            "it would end before it began"
        );
    }

    #[test]
    fn an_agent_who_dialed_has_the_call_from_the_start() {
        let dialed = [EventKind::New, ended("Agent", "")].into_iter().zip([0, 9]);
        let dialed = dialed
            .map(|(kind, second)| TaskEvent { direction: Some(Direction::Outbound), ..event(kind, second) });
        let actual = record(dialed.collect(), None);
        assert!(actual.has_agent);
        assert_eq!((actual.accept_time, actual.disconnect_reason.as_deref()), (None, Some("Agent")));
    }

    proptest! {
        #[test]
        fn whatever_is_lost_the_figures_agree_with_each_other(
            events in proptest::sample::subsequence(answered(), 0..=9).prop_shuffle(),
            begun in proptest::option::of(-50_i64..150),
        ) {
            let actual = record(events, Some("https://r.example.com/{taskId}")).begun(begun.map(at));
            prop_assert!(actual.sums.longest_hold <= actual.sums.total_hold);
            prop_assert!(actual.sums.holds > Some(0) || actual.sums.total_hold == Some(0));
            prop_assert!(actual.has_agent || (actual.agent.is_none() && actual.accept_time.is_none()));
            prop_assert!(actual.has_agent == actual.recording.is_some());
            let times = [actual.start_time, actual.end_time];
            prop_assert!(!matches!(times, [Some(start), Some(end)] if end < start));
        }
    }
}
