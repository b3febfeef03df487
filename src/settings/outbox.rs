//! `[outbox]` and `[journal]`: what must still reach Salesforce, and how long calls are remembered.

use std::time::Duration;

use super::section::Section;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// What must still reach Salesforce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// The pause after the first attempt, after the second, and so on; the last one repeats. Never empty, and
    /// no pause is shorter than the one before.
    pub schedule: Vec<Duration>,
    /// The time from an entry's creation to its last attempt.
    pub give_up_after: Duration,
    /// How long a worker owns an entry that it has taken up.
    pub lease: Duration,
    /// How long buried entries can be looked at and sent again.
    pub keep_buried: Duration,
    /// Entries of one contact center delivered at the same time.
    pub concurrency: usize,
}

/// What we know of each call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journal {
    /// How long, from the last that was heard of a call.
    pub keep: Duration,
}

impl Outbox {
    /// How long one attempt of the worker may take: nobody waits for it.
    pub const ATTEMPT: Duration = Duration::from_secs(10);

    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let schedule = section.durations("schedule", Duration::from_millis(100)..=DAY);
        if let Some(pauses) = &schedule {
            if pauses.is_empty() {
                section.problem("schedule", "is empty", "name at least one pause, such as \"1m\"");
            }
            if !pauses.is_sorted() {
                let hint = "list the pauses from the shortest to the longest";
                section.problem("schedule", "holds a pause that is shorter than the one before", hint);
            }
        }
        let give_up_after = section.duration("give_up_after", None, Duration::from_secs(60)..=30 * DAY);
        let lease = section.duration("lease", None, Duration::from_secs(5)..=HOUR);
        let keep_buried = section.duration("keep_buried", None, HOUR..=365 * DAY);
        let concurrency = section.count("concurrency", None, 1..=1000);
        section.finish();
        Some(Self {
            schedule: schedule?,
            give_up_after: give_up_after?,
            lease: lease?,
            keep_buried: keep_buried?,
            concurrency: concurrency?,
        })
    }
}

impl Journal {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let keep = section.duration("keep", None, HOUR..=365 * DAY);
        section.finish();
        Some(Self { keep: keep? })
    }
}
