//! What an attempt means for its entry: a pure decision.

use std::time::Duration;

use jiff::Timestamp;

use super::Next;
use super::schedule::later;
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

/// Decides at `now`. `next` says when a further attempt is due, given how long Salesforce asks to wait.
///
/// - What was not asked was not tried: it is due when Salesforce may be asked again, and its schedule stays where it is.
/// - A clear routing that is refused is done: there is nothing to clear, and the final update clears it too.
/// - Data that is refused will be refused again: buried.
/// - A fault of the set-up is an administrator's to mend, and until then nothing is lost: another time.
#[must_use]
pub fn verdict(
    tried: Tried,
    failure: Option<&Failure>,
    now: Timestamp,
    next: impl FnOnce(Option<Duration>) -> Next,
) -> Attempt {
    let again = |after, words: String| match next(after) {
        Next::At(next_at) => Attempt::Later { next_at, words },
        Next::GiveUp => Attempt::Buried { reason: "tried long enough".into(), words },
    };
    match failure {
        None => Attempt::Delivered { close: tried.is_final },
        Some(Failure::Refused { .. }) if matches!(tried.kind, EntryKind::Clear | EntryKind::LateClear) => {
            Attempt::Delivered { close: false }
        }
        Some(Failure::Refused { words }) => {
            Attempt::Buried { reason: "Salesforce refused it".into(), words: words.clone() }
        }
        Some(Failure::Again { after, words }) => again(*after, words.clone()),
        Some(Failure::Unanswered { words }) => again(None, words.clone()),
        Some(Failure::NotAsked { after, words }) => {
            Attempt::NotTried { next_at: later(now, *after), words: words.clone() }
        }
        Some(failure @ Failure::NoTime) => Attempt::NotTried { next_at: now, words: failure.to_string() },
        Some(failure @ (Failure::Late | Failure::Misconfigured { .. })) => again(None, failure.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn decide(kind: EntryKind, failure: Option<&Failure>, next: Next) -> Attempt {
        verdict(Tried { kind, is_final: kind == EntryKind::Update }, failure, NOW, |_| next)
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

    #[test]
    fn what_was_not_asked_was_not_tried_and_is_never_given_up() {
        let after = Duration::from_secs(7);
        let not_asked = Failure::NotAsked { after, words: "left alone".into() };
        for (failure, next_at) in [(&not_asked, NOW + after), (&Failure::NoTime, NOW)] {
            for kind in [EntryKind::Create, EntryKind::Clear, EntryKind::Update] {
                let attempt = decide(kind, Some(failure), Next::GiveUp);
                assert!(matches!(attempt, Attempt::NotTried { next_at: at, .. } if at == next_at));
            }
        }
    }
}
