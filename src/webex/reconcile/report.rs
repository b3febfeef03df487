//! What a comparison found.

use std::fmt;

use jiff::Timestamp;

use super::CloseOutcome;
use crate::domain::{CallHandling, CallProgress as Believed};

/// The most differences that are listed; all are counted.
const LISTED_DIFFERENCES: usize = 10_000;

/// What one task turned out to be: a label of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ComparisonOutcome {
    /// The bridge knew all of it.
    Agreed,
    /// The bridge knew less than Webex.
    Differed,
    /// The bridge never saw it.
    Unknown,
    /// The bridge never saw it, and logged it.
    Logged,
    /// It could not be closed.
    Failed,
}

impl ComparisonOutcome {
    /// Its name in metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Agreed => "agreed",
            Self::Differed => "differed",
            Self::Unknown => "unknown",
            Self::Logged => "logged",
            Self::Failed => "failed",
        }
    }
}

impl From<CloseOutcome> for ComparisonOutcome {
    fn from(closed: CloseOutcome) -> Self {
        match closed {
            CloseOutcome::Agreed => Self::Agreed,
            CloseOutcome::Differed { .. } | CloseOutcome::GoesOn => Self::Differed,
            CloseOutcome::Unknown { logged: true } => Self::Logged,
            CloseOutcome::Unknown { logged: false } => Self::Unknown,
        }
    }
}

/// A call on which the bridge and Webex did not agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallDifference {
    /// The task.
    pub task: String,
    /// When it ended.
    pub ended: Timestamp,
    /// What was found.
    pub closed: CloseOutcome,
}

impl fmt::Display for CallDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ended {:.0}  ", self.task, self.ended)?;
        match self.closed {
            CloseOutcome::Agreed => f.write_str("agreed"),
            CloseOutcome::GoesOn => f.write_str("believed over, goes on"),
            CloseOutcome::Unknown { logged: true } => f.write_str("never seen by the bridge: logged"),
            CloseOutcome::Unknown { logged: false } => f.write_str("never seen by the bridge"),
            CloseOutcome::Differed { believed, handling } => {
                write!(f, "believed {}, was {}", believed_words(believed), handling_words(handling))
            }
        }
    }
}

fn believed_words(believed: Believed) -> &'static str {
    match believed {
        Believed::Unknown => "unknown",
        Believed::Created => "created",
        Believed::Routed => "queued",
        Believed::Answered => "answered",
        Believed::Ended => "ended",
        Believed::Closed => "closed",
    }
}

fn handling_words(handling: Option<CallHandling>) -> &'static str {
    match handling {
        Some(CallHandling::Answered) => "answered",
        Some(CallHandling::Abandoned) => "abandoned in the queue",
        Some(CallHandling::LeftInIvr) => "abandoned in the IVR",
        Some(CallHandling::Callback) => "called back in vain",
        None => "over",
    }
}

/// Counts, and what differed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReconcileReport {
    /// Tasks that were compared.
    pub tasks: usize,
    /// Those on which both agreed.
    pub agreed: usize,
    /// Those of which the bridge knew less.
    pub differed: usize,
    /// Those that it never saw.
    pub unknown: usize,
    /// Those of them that were logged.
    pub logged: usize,
    /// Those that could not be closed.
    pub failed: usize,
    /// What differed, the first ten thousand.
    pub differences: Vec<CallDifference>,
}

impl ReconcileReport {
    pub(super) fn add(&mut self, comparison: ComparisonOutcome, difference: Option<CallDifference>) {
        self.tasks += 1;
        match comparison {
            ComparisonOutcome::Agreed => self.agreed += 1,
            ComparisonOutcome::Differed => self.differed += 1,
            ComparisonOutcome::Unknown => self.unknown += 1,
            ComparisonOutcome::Logged => self.logged += 1,
            ComparisonOutcome::Failed => self.failed += 1,
        }
        if self.differences.len() < LISTED_DIFFERENCES {
            self.differences.extend(difference);
        }
    }

    /// Takes another in.
    pub fn append(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.agreed += other.agreed;
        self.differed += other.differed;
        self.unknown += other.unknown;
        self.logged += other.logged;
        self.failed += other.failed;
        let room = LISTED_DIFFERENCES.saturating_sub(self.differences.len());
        self.differences.extend(other.differences.into_iter().take(room));
    }
}

impl fmt::Display for ReconcileReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tasks, agreed, differed, unknown, logged, failed, .. } = self;
        write!(
            f,
            "{tasks} calls compared: {agreed} agreed, {differed} differed, {logged} logged, {unknown} unknown, {failed} failed"
        )
    }
}
