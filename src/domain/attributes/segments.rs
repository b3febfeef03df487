//! `segments.*`: what the story of a call adds up to.

use std::fmt;

use jiff::Timestamp;

use crate::domain::{CallHistory, FlowTime, MappedNames, Segment, SegmentKind, StretchKind};

/// One value of the segments of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentValue {
    kind: &'static str,
    value: &'static str,
}

const KINDS: [(&str, SegmentKind); 5] = [
    ("menu", SegmentKind::Menu),
    ("queue", SegmentKind::Queue),
    ("invitation", SegmentKind::Invitation),
    ("agent", SegmentKind::Agent),
    ("wrapUp", SegmentKind::WrapUp),
];

/// What every kind has.
const COMMON: [&str; 4] = ["count", "duration", "start", "end"];

/// What some have besides.
const SPECIAL: [(&str, &str); 8] = [
    ("queue", "id"),
    ("queue", "name"),
    ("agent", "id"),
    ("agent", "name"),
    ("agent", "holds"),
    ("agent", "holdDuration"),
    ("agent", "longestHold"),
    ("wrapUp", "code"),
];

impl SegmentValue {
    /// Every one that there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let common =
            KINDS.into_iter().flat_map(|(kind, _)| COMMON.into_iter().map(move |value| Self { kind, value }));
        common.chain(SPECIAL.into_iter().map(|(kind, value)| Self { kind, value }))
    }

    /// Reads `queue.duration`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once('.')?;
        Self::all().find(|known| known.kind == kind && known.value == value)
    }

    /// The value as a text. Durations are whole seconds, times UTC with milliseconds. A segment that is still open
    /// lasts until `end`; without that its end, and how long it took, are not known.
    pub(super) fn of(
        self,
        story: &CallHistory,
        end: Option<Timestamp>,
        names: &MappedNames<'_>,
    ) -> Option<String> {
        let (_, kind) = KINDS.into_iter().find(|(kind, _)| *kind == self.kind)?;
        // A wrap-up goes on behind the call.
        let end = end.filter(|_| kind != SegmentKind::WrapUp);
        let named =
            |id: Option<&str>, table: &std::collections::BTreeMap<String, String>| table.get(id?).cloned();
        match (self.kind, self.value) {
            (_, "count") => Some(story.of(kind).count().to_string()),
            (_, "duration") => duration(story.of(kind), end),
            (_, "start") => story.of(kind).next().map(|segment| moment(segment.start)),
            (_, "end") => story.of(kind).last().and_then(|segment| segment.end.or(end)).map(moment),
            ("queue", "id") => story.queue().map(str::to_owned),
            ("queue", "name") => named(story.queue(), names.queues),
            ("agent", "id") => story.agent().map(str::to_owned),
            ("agent", "name") => named(story.agent(), names.agents),
            ("agent", "holds") => story.sums().holds.map(|holds| holds.to_string()),
            // What Search says lies behind the end of the call: nothing is open any more.
            ("agent", "holdDuration") if story.summary.is_some() => text(story.sums().total_hold),
            ("agent", "longestHold") if story.summary.is_some() => text(story.sums().longest_hold),
            ("agent", "holdDuration") => holds(story, end, |all| all.sum()),
            ("agent", "longestHold") => holds(story, end, |all| all.max().unwrap_or_default()),
            ("wrapUp", "code") => story.wrap_up_code().map(str::to_owned),
            _ => None,
        }
    }
}

impl fmt::Display for SegmentValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.value)
    }
}

fn duration<'s>(mut segments: impl Iterator<Item = &'s Segment>, end: Option<Timestamp>) -> Option<String> {
    let total = segments.try_fold(0_u64, |total, segment| {
        Some(total.saturating_add(span(segment.start, segment.end.or(end)?)))
    })?;
    Some(seconds(total))
}

fn holds(
    story: &CallHistory,
    end: Option<Timestamp>,
    sum: impl FnOnce(std::vec::IntoIter<u64>) -> u64,
) -> Option<String> {
    let holds = story.segments.iter().flat_map(|segment| segment.stretches_of(StretchKind::Hold));
    let spans = holds.map(|hold| Some(span(hold.start, hold.end.or(end)?))).collect::<Option<Vec<_>>>()?;
    Some(seconds(sum(spans.into_iter())))
}

/// Milliseconds; what ends before it began took no time.
fn span(start: Timestamp, end: Timestamp) -> u64 {
    u64::try_from(end.as_millisecond() - start.as_millisecond()).unwrap_or_default()
}

/// Milliseconds as whole seconds, half of one rounded up, as everywhere.
fn seconds(milliseconds: u64) -> String {
    (milliseconds.saturating_add(500) / 1000).to_string()
}

fn text(seconds: Option<u64>) -> Option<String> {
    seconds.map(|seconds| seconds.to_string())
}

fn moment(at: Timestamp) -> String {
    FlowTime::new(at).to_string()
}
