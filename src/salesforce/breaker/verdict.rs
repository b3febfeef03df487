//! What an exchange says about Salesforce's health, which is not what it says about the request.

use crate::salesforce::{AnswerOutcome, Failure, HttpAnswer};

/// Codes of an org that is well: a row is locked by somebody else, the org has used up its requests, or its own code
/// failed at what one flow sent.
const WELL: [&str; 3] = ["UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED", "APEX_ERROR"];

/// What an exchange says about Salesforce's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerHealth {
    /// It answered, a refusal too. If it took long, the breaker counts it as slow.
    Good,
    /// It cannot be reached, or answered that it is not there.
    Bad,
    /// It did not answer in the time that the request had. That is bad only if the request had as much time as an answer
    /// may take: whoever comes with little is no sign of a Salesforce that is ill.
    Late,
}

impl AnswerHealth {
    /// Of an answer and what it means. A limit (429) is no illness: it pauses creates and opens nothing.
    #[must_use]
    pub fn of_answer(answer: &HttpAnswer, outcome: &AnswerOutcome) -> Self {
        match outcome {
            AnswerOutcome::Again { words, .. } => {
                let well = answer.status == 429 || WELL.iter().any(|code| words.contains(code));
                if well { Self::Good } else { Self::Bad }
            }
            AnswerOutcome::Unknown { .. } => Self::Bad,
            AnswerOutcome::Done(_)
            | AnswerOutcome::Reauthenticate { .. }
            | AnswerOutcome::Refused { .. }
            | AnswerOutcome::Misconfigured { .. } => Self::Good,
        }
    }

    /// Of what came without an answer that could be judged: a fault on the way, or a login that gave no session. None
    /// where Salesforce was not asked.
    #[must_use]
    pub fn of_failure(failure: &Failure) -> Option<Self> {
        match failure {
            Failure::Again { .. } | Failure::Unanswered { .. } => Some(Self::Bad),
            Failure::Late => Some(Self::Late),
            Failure::Refused { .. } | Failure::Misconfigured { .. } => Some(Self::Good),
            Failure::NotAsked { .. } | Failure::NoTime => None,
        }
    }
}
