//! What an exchange says about Salesforce's health, which is not what it says about the request.

use crate::salesforce::{Answer, Failure, Outcome};

/// Codes of an org that is well: a row is locked by somebody else, or the org has used up its requests.
const WELL: [&str; 2] = ["UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED"];

/// What an exchange says about Salesforce's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It answered, a refusal too. If it took long, the breaker counts it as slow.
    Good,
    /// It cannot be reached, did not answer in time, or answered that it is not there.
    Bad,
}

impl Verdict {
    /// Of an answer and what it means. A limit (429) is no illness: it pauses creates and opens nothing.
    #[must_use]
    pub fn of_answer(answer: &Answer, outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Again { words, .. } => {
                let well = answer.status == 429 || WELL.iter().any(|code| words.contains(code));
                if well { Self::Good } else { Self::Bad }
            }
            Outcome::Done(_)
            | Outcome::Reauthenticate { .. }
            | Outcome::Refused { .. }
            | Outcome::Misconfigured { .. } => Self::Good,
        }
    }

    /// Of what came without an answer that could be judged: a fault on the way, or a login that gave no session.
    #[must_use]
    pub fn of_failure(failure: &Failure) -> Self {
        match failure {
            Failure::Again { .. } | Failure::Late => Self::Bad,
            Failure::Refused { .. } | Failure::Misconfigured { .. } => Self::Good,
        }
    }
}
