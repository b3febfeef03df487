//! `[rotation]`: how changes of files are noticed, and when the end of a certificate is worth a warning.

use std::time::Duration;

use super::section::Section;

const DAY: Duration = Duration::from_secs(86_400);

/// What is done when files change and certificates end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How changes of the configuration and the files that it names are noticed.
    pub watch: Watch,
    /// How often the files are looked at, whatever the system tells.
    pub poll: Duration,
    /// From when on the end of a certificate is worth a warning, once a day.
    pub warn_before: Duration,
}

/// How changes of files are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// The system tells, and they are looked at every [`Rotation::poll`] besides.
    Events,
    /// They are looked at every [`Rotation::poll`].
    Poll,
    /// Not at all: SIGHUP is the only word.
    Off,
}

impl Rotation {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let ways = [("events", Watch::Events), ("poll", Watch::Poll), ("off", Watch::Off)];
        let watch = section.choice("watch", None, &ways);
        let poll = section.duration("poll", None, Duration::from_millis(100)..=DAY);
        let warn_before = section.duration("warn_before", None, DAY..=365 * DAY);
        section.finish();
        Some(Self { watch: watch?, poll: poll?, warn_before: warn_before? })
    }
}
