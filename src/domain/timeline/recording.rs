//! Recordings of a call: Webex's answers about them. Their signed URLs are not even read.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::millisecond;
use super::history::span;
use super::{CallTimeline, EventKind, TaskEvent};
use crate::domain::quote;

/// The longest name of a file that is taken, in characters.
const LONGEST_FILE_NAME: usize = 255;

/// The name of a recording's file. It may contain a phone number, which `Debug` hides.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

/// Why a text is no name of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is no name of a file: 1 to {LONGEST_FILE_NAME} characters without control characters, neither \".\" nor \"..\""
)]
pub struct InvalidFileName;

impl FileName {
    /// Parses a name that can be a part of a URL.
    ///
    /// # Errors
    /// When it is empty, too long, holds control characters, or names a folder.
    pub fn parse(name: impl Into<String>) -> Result<Self, InvalidFileName> {
        let name = name.into();
        let fits =
            (1..=LONGEST_FILE_NAME).contains(&name.chars().count()) && !name.contains(char::is_control);
        if fits && name != "." && name != ".." { Ok(Self(name)) } else { Err(InvalidFileName) }
    }

    /// The name itself: for a URL, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", quote(&self.0))
    }
}

impl TryFrom<String> for FileName {
    type Error = InvalidFileName;

    fn try_from(name: String) -> Result<Self, InvalidFileName> {
        Self::parse(name)
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

/// A recording of a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Recording {
    /// When it began.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(with = "millisecond", default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Timestamp>,
    /// Its file.
    pub file: FileName,
}

impl Recording {
    /// How long it is, in milliseconds.
    pub fn milliseconds(&self) -> Option<u64> {
        span(self.started?, self.stopped)
    }
}

/// Webex's answer about the recordings of a task. The bridge stores it with the events of the task, so that nothing is
/// asked twice.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CapturedRecordings {
    /// How many `capture:available` had come by then.
    pub announced: usize,
    /// The recordings.
    pub recordings: Vec<Recording>,
}

/// A `capture:available` for which Webex has not been asked, or has given nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnnouncedRecordings {
    /// How many have come.
    pub times: usize,
    /// When the last came, by Webex's clock.
    pub at: Option<Timestamp>,
}

impl AnnouncedRecordings {
    /// The event for Webex's answer, if it gave any recording.
    #[must_use]
    pub fn answered(self, mut recordings: Vec<Recording>) -> Option<TaskEvent> {
        recordings.sort();
        recordings.dedup();
        (!recordings.is_empty()).then(|| TaskEvent {
            at: None,
            id: format!("captured:{}", self.times),
            kind: EventKind::Captured(CapturedRecordings { announced: self.times, recordings }),
            queue: None,
            agent: None,
            direction: None,
        })
    }
}

impl CallTimeline {
    /// The recordings that were announced and are not known yet.
    pub fn announced(&self) -> Option<AnnouncedRecordings> {
        let is_capture = |event: &&TaskEvent| event.kind == EventKind::CaptureAvailable;
        let times = self.events().filter(is_capture).count();
        let answered = self.events().filter_map(|event| match &event.kind {
            EventKind::Captured(captured) => Some(captured.announced),
            _ => None,
        });
        if times <= answered.max().unwrap_or_default() {
            return None;
        }
        Some(AnnouncedRecordings {
            times,
            at: self.events().filter(is_capture).filter_map(|event| event.at).max(),
        })
    }
}

/// All known recordings, the first first; each file once.
pub(super) fn recordings(events: &[&TaskEvent]) -> Vec<Recording> {
    let mut all: Vec<Recording> = Vec::new();
    for event in events {
        let EventKind::Captured(captured) = &event.kind else { continue };
        for recording in &captured.recordings {
            match all.iter_mut().find(|known| known.file == recording.file) {
                Some(known) => {
                    let started = [known.started, recording.started];
                    known.started = started.into_iter().flatten().min();
                    known.stopped = known.stopped.max(recording.stopped);
                }
                None => all.push(recording.clone()),
            }
        }
    }
    // Recordings without a start time come last.
    all.sort_by(|one, other| {
        (one.started.is_none(), one.started, &one.file).cmp(&(
            other.started.is_none(),
            other.started,
            &other.file,
        ))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, event};
    use super::*;

    fn recording(file: &str, started: u64, stopped: u64) -> Recording {
        let file = FileName::parse(file).unwrap();
        Recording { started: Some(at(started)), stopped: Some(at(stopped)), file }
    }

    #[test]
    fn what_was_announced_stays_open_until_webex_gives_a_recording_for_it() {
        let mut timeline = CallTimeline::default();
        assert_eq!(timeline.announced(), None);
        timeline.apply(event(EventKind::CaptureAvailable, 5));
        timeline.apply(TaskEvent { id: "again".into(), ..event(EventKind::CaptureAvailable, 5) });
        let open = timeline.announced().unwrap();
        assert_eq!(open, AnnouncedRecordings { times: 1, at: Some(at(5)) });
        assert_eq!(open.answered(Vec::new()), None, "nothing yet");
        timeline.apply(open.answered(vec![recording("b", 3, 4), recording("a", 1, 3)]).unwrap());
        assert_eq!(timeline.announced(), None);
        timeline.apply(event(EventKind::CaptureAvailable, 9));
        let open = timeline.announced().unwrap();
        timeline.apply(open.answered(vec![recording("a", 1, 3), recording("c", 8, 9)]).unwrap());
        assert_eq!(timeline.announced(), None);
        let files: Vec<String> =
            timeline.history().recordings.into_iter().map(|recording| recording.file.into()).collect();
        assert_eq!(files, ["a", "b", "c"]);
        let stored: CallTimeline = serde_json::from_str(&serde_json::to_string(&timeline).unwrap()).unwrap();
        assert_eq!(stored, timeline);
    }

    #[test]
    fn a_name_that_could_leave_its_folder_is_none_and_no_number_is_shown() {
        for name in ["", ".", "..", "a\nb", &"x".repeat(256)] {
            assert_eq!(FileName::parse(name), Err(InvalidFileName), "{name:?}");
        }
        let name = FileName::parse("14693150217.wav").unwrap();
        assert_eq!(format!("{name:?}"), "\"(number hidden).wav\"");
    }
}
