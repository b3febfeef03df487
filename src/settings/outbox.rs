//! `[outbox]` and `[journal]`: what must still reach Salesforce, and how long calls are remembered.

use std::time::Duration;

use super::Deadlines;
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

    /// How much longer a lease must be than what is done under it, so that its end can still be written down.
    const RESERVE: Duration = Duration::from_secs(5);

    /// The shortest lease that a configuration may have.
    pub const LEAST_LEASE: Duration = Self::ATTEMPT.saturating_add(Self::RESERVE);

    /// `deadlines`: those of the routes, if they could be read.
    pub(super) fn read(mut section: Section<'_>, deadlines: Option<&Deadlines>) -> Option<Self> {
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
        let lease = section.duration("lease", None, Duration::from_secs(1)..=HOUR);
        if let Some(lease) = lease {
            check_lease(&section, lease, deadlines);
        }
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

/// A lease that ends during an attempt lets somebody else send the same beside it.
fn check_lease(section: &Section<'_>, lease: Duration, deadlines: Option<&Deadlines>) {
    let own = ("an attempt of the worker", Outbox::ATTEMPT);
    let routes = deadlines.map(Deadlines::longest);
    let longest =
        routes.into_iter().fold(own, |longest, route| if route.1 > longest.1 { route } else { longest });
    let (what, time) = longest;
    let least = time + Outbox::RESERVE;
    if lease < least {
        let (time, least) = (time.as_secs_f64(), least.as_secs_f64().ceil());
        section.problem(
            "lease",
            format!("is too short: {what} may take {time}s, and its end must still be written down"),
            format!("make it at least \"{least}s\""),
        );
    }
}

impl Journal {
    /// How long what may hold phone numbers is kept for filling fields, from when it was told last: a day at most.
    #[must_use]
    pub fn keep_private(&self) -> Duration {
        self.keep.min(DAY)
    }

    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let keep = section.duration("keep", None, HOUR..=365 * DAY);
        section.finish();
        Some(Self { keep: keep? })
    }
}
