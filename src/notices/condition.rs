//! What an operator has to act on.

use serde::Serialize;

/// The kinds of conditions. A receiver may rely on their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKind {
    /// The database cannot be written.
    DatabaseNotWritable,
    /// Callers are gone for a minute, and their routing is not cleared.
    CallersNotCleared,
    /// Salesforce is not asked for a minute.
    BreakerOpen,
    /// Salesforce refuses the set-up.
    SetUpRefused,
    /// Entries of the outbox are buried.
    EntriesBuried,
    /// A new configuration is refused, and the one before runs on.
    ConfigurationRefused,
    /// A subscription at Webex is inactive.
    SubscriptionInactive,
    /// The login at Webex ends soon.
    WebexLoginEnds,
    /// A certificate ends soon.
    CertificateEnds,
}

/// One condition: of its kind there is one for each subject.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Condition {
    /// Its kind.
    pub kind: ConditionKind,
    /// The contact center or certificate; empty where there is one for the whole bridge.
    pub subject: String,
}

/// A condition that holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which.
    pub condition: Condition,
    /// What is wrong and what to do, in a sentence or two, without secrets and numbers of callers.
    pub text: String,
}

/// What was seen at one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// The conditions that hold.
    pub holding: Vec<Finding>,
    /// The kinds that could not be looked at: nobody knows whether they hold.
    pub unseen: Vec<ConditionKind>,
}

impl From<Vec<Finding>> for Findings {
    fn from(holding: Vec<Finding>) -> Self {
        Self { holding, unseen: Vec::new() }
    }
}

impl Finding {
    /// A condition with its sentence.
    pub fn new(kind: ConditionKind, subject: impl Into<String>, text: impl Into<String>) -> Self {
        Self { condition: Condition { kind, subject: subject.into() }, text: text.into() }
    }
}
