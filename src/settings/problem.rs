//! What is wrong with a configuration, in words an administrator can act on.

use std::fmt;

use serde::Serialize;

/// One thing that is wrong, never with the value of a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The key as in the file, such as `call_centers.Sandbox.certificate`, or the name of an environment
    /// variable, or the path of the file.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

/// Everything that is wrong with a configuration; never empty where it is an error.
///
/// Serializes as `{"problems":[{"key","problem","hint"}]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problems {
    problems: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(problems: Vec<Problem>) -> Self {
        Self { problems }
    }

    /// The problems, in the order of the sections.
    #[must_use]
    pub fn as_slice(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, noun) = match self.problems.len() {
            1 => (1, "problem"),
            count => (count, "problems"),
        };
        writeln!(f, "{count} {noun} in the configuration")?;
        for Problem { key, problem, hint } in &self.problems {
            writeln!(f, "\n{key}\n  problem: {problem}\n  do:      {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}
