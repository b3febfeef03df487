//! What is wrong with a configuration, in words an administrator can act on, and the one list in which all of it
//! ends up.

use std::cell::RefCell;
use std::collections::BTreeMap;
#[cfg(test)]
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::Files;

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
    pub(crate) fn new(problems: Vec<Problem>) -> Self {
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

/// Shared by all sections while a configuration is read.
pub(super) struct Report {
    /// The time certificates are judged by.
    pub(super) now: Timestamp,
    variables: BTreeMap<String, String>,
    problems: RefCell<Vec<Problem>>,
    files: RefCell<Files>,
    notes: RefCell<Vec<String>>,
    #[cfg(test)]
    pub(super) asked: RefCell<BTreeSet<String>>,
}

impl Report {
    /// `files`: what was read so far.
    pub(super) fn new(
        now: Timestamp,
        variables: BTreeMap<String, String>,
        problems: Vec<Problem>,
        files: Files,
    ) -> Self {
        Self {
            now,
            variables,
            problems: RefCell::new(problems),
            files: RefCell::new(files),
            notes: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// Adds a problem; a key that came from the environment is called by its variable.
    pub(super) fn add(&self, path: &str, problem: impl Into<String>, hint: impl Into<String>) {
        self.problems.borrow_mut().push(Problem {
            key: self.variable(path).unwrap_or(path).to_owned(),
            problem: problem.into(),
            hint: hint.into(),
        });
    }

    /// Adds what works and is probably not meant.
    pub(super) fn note(&self, path: &str, note: impl Into<String>) {
        let key = self.variable(path).unwrap_or(path);
        self.notes.borrow_mut().push(format!("{key}: {}", note.into()));
    }

    /// What was noted.
    pub(super) fn notes(&self) -> Vec<String> {
        self.notes.borrow().clone()
    }

    /// How many problems there are so far.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// The variable that set this key, or something below it.
    pub(super) fn variable(&self, path: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(set, _)| {
                set.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .map(|(_, variable)| variable.as_str())
    }

    /// Whether exactly this key came from the environment.
    pub(super) fn is_from_environment(&self, path: &str) -> bool {
        self.variables.contains_key(path)
    }

    /// The content of a file that the configuration names.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        self.files.borrow_mut().read(path)
    }

    /// Every problem, and every file that was read or could not be.
    pub(super) fn finish(self) -> (Vec<Problem>, Files) {
        (self.problems.into_inner(), self.files.into_inner())
    }
}
