//! Why somebody is not let in.

use super::AssertionProblem;
use crate::api::throttle::Throttled;

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialsRefused {
    /// No credentials.
    Nothing,
    /// Wrong ones.
    Wrong,
    /// The access token is none of ours, is over, or what it was got by is gone.
    Token,
    /// The assertion is not to be believed.
    Assertion(AssertionProblem),
    /// Too many were wrong; these were not looked at, or are wrong too.
    Throttled(Throttled),
    /// It cannot be told now.
    Unable,
}

impl From<Throttled> for CredentialsRefused {
    fn from(throttled: Throttled) -> Self {
        Self::Throttled(throttled)
    }
}

impl From<AssertionProblem> for CredentialsRefused {
    fn from(problem: AssertionProblem) -> Self {
        Self::Assertion(problem)
    }
}
