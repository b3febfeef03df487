//! What a check finds: a value, with a form without numbers for tickets and programs.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::Code;
use crate::domain::hide_numbers;

/// A text for the terminal, and the same as it may leave the machine. Neither holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    full: String,
    shared: Option<String>,
}

impl Text {
    /// A text that has a form of its own for others.
    #[must_use]
    pub fn with_twin(full: impl Into<String>, shared: impl Into<String>) -> Self {
        Self { full: full.into(), shared: Some(shared.into()) }
    }

    /// For the terminal.
    #[must_use]
    pub fn full(&self) -> &str {
        &self.full
    }

    /// For others: without phone numbers.
    #[must_use]
    pub fn shared(&self) -> Cow<'_, str> {
        match &self.shared {
            Some(shared) => Cow::Borrowed(shared),
            None => hide_numbers(&self.full),
        }
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(text: T) -> Self {
        Self { full: text.into(), shared: None }
    }
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// It does not work.
    Fail,
    /// The check itself broke.
    Crashed,
    /// It works, and will not for long or is probably not meant.
    Warn,
    /// It was not asked.
    Skipped,
    /// It is in order.
    Ok,
}

impl Status {
    /// As it is printed.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skipped => "skipped",
            Self::Crashed => "crashed",
        }
    }
}

/// What a check finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it ended.
    pub status: Status,
    /// Which of the faults that the code knows: a stable word.
    pub fault: Option<&'static str>,
    /// One line: what is so, or why it was skipped.
    pub what: Text,
    /// What it means for calls.
    pub means: Option<Text>,
    /// Why it may be so, the likeliest first.
    pub causes: Vec<Text>,
    /// What to do: which key, which page, which command.
    pub steps: Vec<Text>,
    /// What was seen: others' own words, milliseconds, both values that were compared.
    pub evidence: Vec<Text>,
}

impl Finding {
    fn new(status: Status, what: impl Into<Text>) -> Self {
        let (causes, steps, evidence) = (Vec::new(), Vec::new(), Vec::new());
        Self { status, fault: None, what: what.into(), means: None, causes, steps, evidence }
    }

    /// In order.
    pub fn ok(what: impl Into<Text>) -> Self {
        Self::new(Status::Ok, what)
    }

    /// Not asked, with the reason.
    pub fn skipped(reason: impl Into<Text>) -> Self {
        Self::new(Status::Skipped, reason)
    }

    /// The check broke.
    pub fn crashed(what: impl Into<Text>) -> Self {
        Self::new(Status::Crashed, what)
            .step("report it with the file that `scv-bridge doctor --report FILE` writes")
    }

    /// Does not work.
    pub fn fail(fault: &'static str, what: impl Into<Text>) -> Self {
        Self { fault: Some(fault), ..Self::new(Status::Fail, what) }
    }

    /// Works, but.
    pub fn warn(fault: &'static str, what: impl Into<Text>) -> Self {
        Self { fault: Some(fault), ..Self::new(Status::Warn, what) }
    }

    /// With what it means for calls.
    #[must_use]
    pub fn means(mut self, means: impl Into<Text>) -> Self {
        self.means = Some(means.into());
        self
    }

    /// With another cause, less likely than those before.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<Text>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// With another thing to do.
    #[must_use]
    pub fn step(mut self, step: impl Into<Text>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// With something that was seen.
    #[must_use]
    pub fn seen(mut self, evidence: impl Into<Text>) -> Self {
        self.evidence.push(evidence.into());
        self
    }
}

/// A check of one subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId {
    /// What is asked.
    pub code: Code,
    /// About what: a contact center, a certificate, a host, a key of the configuration.
    pub subject: String,
}

impl CheckId {
    /// Of this subject.
    pub fn new(code: Code, subject: impl Into<String>) -> Self {
        Self { code, subject: subject.into() }
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.subject)
    }
}

/// A check with what it found.
#[derive(Debug, Clone)]
pub struct Row {
    /// Which check.
    pub id: CheckId,
    /// What had to be in order before it was asked.
    pub depends_on: Vec<CheckId>,
    /// Of a check that was not asked: what failed before it.
    pub because_of: Option<CheckId>,
    /// What it found.
    pub finding: Finding,
    /// How long it took.
    pub took: Duration,
}

impl Row {
    /// Whether somebody must act.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        matches!(self.finding.status, Status::Fail | Status::Crashed | Status::Warn)
    }
}
