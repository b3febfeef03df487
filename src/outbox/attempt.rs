//! What an attempt means for its entry: a pure decision.

use std::time::Duration;

use super::Next;
use crate::salesforce::Failure;
use crate::store::{Attempt, EntryKind};

/// An entry that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// What it asked.
    pub kind: EntryKind,
    /// Whether it was the call's final update.
    pub is_final: bool,
}

/// Decides. `next` says when a further attempt is due, given how long Salesforce asks to wait.
///
/// - A clear routing that is refused is done: there is nothing to clear, and the final update clears it too.
/// - Data that is refused will be refused again: buried.
/// - A fault of the set-up is an administrator's to mend, and until then nothing is lost: another time.
#[must_use]
pub fn verdict(
    tried: Tried,
    failure: Option<&Failure>,
    next: impl FnOnce(Option<Duration>) -> Next,
) -> Attempt {
    let again = |after, words: String| match next(after) {
        Next::At(next_at) => Attempt::Later { next_at, words },
        Next::GiveUp => Attempt::Buried { reason: "tried long enough".into(), words },
    };
    match failure {
        None => Attempt::Delivered { close: tried.is_final },
        Some(Failure::Refused { .. }) if tried.kind == EntryKind::Clear => {
            Attempt::Delivered { close: false }
        }
        Some(Failure::Refused { words }) => {
            Attempt::Buried { reason: "Salesforce refused it".into(), words: words.clone() }
        }
        Some(Failure::Again { after, words }) => again(*after, words.clone()),
        Some(failure @ (Failure::Late | Failure::Misconfigured { .. })) => again(None, failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn decide(kind: EntryKind, failure: Option<&Failure>, next: Next) -> Attempt {
        verdict(Tried { kind, is_final: kind == EntryKind::Update }, failure, |_| next)
    }

    #[test]
    fn an_entry_is_delivered_tried_again_or_buried_and_never_dropped() {
        let at = Next::At(Timestamp::UNIX_EPOCH);
        let words = || String::from("no");
        let refused = Failure::Refused { words: words() };
        let again = Failure::Again { after: None, words: words() };
        let set_up = Failure::Misconfigured { words: words() };
        assert_eq!(decide(EntryKind::Update, None, at), Attempt::Delivered { close: true });
        assert_eq!(decide(EntryKind::Create, None, at), Attempt::Delivered { close: false });
        assert_eq!(decide(EntryKind::Clear, Some(&refused), at), Attempt::Delivered { close: false });
        assert!(matches!(decide(EntryKind::Update, Some(&refused), at), Attempt::Buried { .. }));
        for failure in [&again, &set_up, &Failure::Late] {
            assert!(matches!(decide(EntryKind::Update, Some(failure), at), Attempt::Later { .. }));
            assert!(matches!(decide(EntryKind::Clear, Some(failure), Next::GiveUp), Attempt::Buried { .. }));
        }
    }
}
