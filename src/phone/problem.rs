//! What is wrong with a rule set, in an administrator's words.

use std::fmt;

use serde::Serialize;

/// The part of a rule set that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RulePart {
    /// The JSON around the rules.
    Json,
    /// `[min,max]`.
    Predicate,
    /// Between the arrows.
    Pattern,
    /// After the second arrow.
    Selector,
}

impl fmt::Display for RulePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "JSON",
            Self::Predicate => "predicate",
            Self::Pattern => "pattern",
            Self::Selector => "selector",
        })
    }
}

/// One thing that is wrong with a rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleProblem {
    rule: Option<String>,
    part: RulePart,
    problem: String,
    hint: String,
}

impl RuleProblem {
    pub(super) fn new(
        rule: Option<&str>,
        part: RulePart,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { rule: rule.map(str::to_owned), part, problem: problem.into(), hint: hint.into() }
    }

    /// The name of the rule, unless the rule set as a whole is meant.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Which part of it.
    #[must_use]
    pub fn part(&self) -> RulePart {
        self.part
    }

    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        &self.hint
    }
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rule) = &self.rule {
            write!(f, "rule \"{rule}\", ")?;
        }
        write!(f, "{}: {}; {}", self.part, self.problem, self.hint)
    }
}

impl std::error::Error for RuleProblem {}
