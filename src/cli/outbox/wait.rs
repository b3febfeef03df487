//! What an entry of the outbox waits for: a pure decision.

use jiff::Timestamp;
use serde::Serialize;

use super::{duration, optional_time};
use crate::cli::running::Running;
use crate::store::{Entry, EntryId, EntryState};

/// What an entry waits for besides its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Wait {
    /// An earlier one of the same call has to go first.
    EarlierEntry {
        /// The first of those.
        entry: i64,
    },
    /// The breaker of its contact center lets nobody through.
    Breaker {
        /// Until when; none while Salesforce is being tried.
        #[serde(serialize_with = "optional_time")]
        until: Option<Timestamp>,
    },
    /// No service answers that could try it.
    Service {
        /// Whether it could be tried now.
        is_due: bool,
    },
}

impl Wait {
    /// What it waits for, where an earlier entry of its call is `ahead`; none where it only waits for its time.
    pub(super) fn of(
        entry: &Entry,
        ahead: Option<EntryId>,
        running: &Running,
        now: Timestamp,
    ) -> Option<Self> {
        let is_held = entry.lease_until.is_some_and(|until| until > now);
        if entry.state != EntryState::Pending || is_held {
            return None;
        }
        if let Some(EntryId(entry)) = ahead {
            return Some(Self::EarlierEntry { entry });
        }
        // A breaker that is closed again before the entry is due keeps it from nothing.
        let breaker = running.held.get(entry.call_center.as_ref());
        match breaker.copied() {
            Some(Some(until)) if until > now && until > entry.next_at => {
                Some(Self::Breaker { until: Some(until) })
            }
            Some(None) if entry.next_at <= now => Some(Self::Breaker { until: None }),
            _ if running.answers == Some(false) => Some(Self::Service { is_due: entry.next_at <= now }),
            _ => None,
        }
    }

    /// In a cell of a table.
    pub(super) fn cell(&self, now: Timestamp) -> String {
        match self {
            Self::EarlierEntry { entry } => format!("after {entry}"),
            Self::Breaker { until: Some(until), .. } => format!("breaker, {}", duration(now, *until)),
            Self::Breaker { until: None, .. } => "breaker half-open".to_owned(),
            Self::Service { is_due: true } => "due, no service".to_owned(),
            Self::Service { is_due: false } => "no service".to_owned(),
        }
    }

    /// In a sentence, after "next attempt".
    pub(in crate::cli) fn words(&self, now: Timestamp) -> String {
        match self {
            Self::EarlierEntry { entry } => {
                format!("once entry {entry} is through, an earlier one of the same call")
            }
            Self::Breaker { until: Some(until) } => format!(
                "in {} at the earliest: the breaker is open until {until:.0}, and Salesforce is left alone",
                duration(now, *until)
            ),
            Self::Breaker { until: None } => {
                "once the breaker closes: it lets single requests through to see whether Salesforce is back"
                    .to_owned()
            }
            Self::Service { .. } => {
                "when a service runs: none answers at operations.listen of this configuration (a service that runs takes a new one after a restart)".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallCenterName, StoredJson};
    use crate::store::{EntryKind, NewEntry};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn entry(next_at: Timestamp) -> Entry {
        let body = StoredJson::new("{}");
        let new = NewEntry { kind: EntryKind::Clear, is_final: false, body, next_at };
        Entry::fresh(EntryId(7), new, CallCenterName::parse("Main").unwrap(), None)
    }

    fn held(until: Option<Timestamp>) -> Running {
        let held = [("Main".to_owned(), until)].into();
        Running { answers: Some(true), held, ..Running::default() }
    }

    #[test]
    fn what_an_entry_waits_for_is_the_first_thing_that_keeps_it() {
        let (due, later) = (entry(at(0)), entry(at(100)));
        let (open, trying, calm) = (held(Some(at(40))), held(None), Running::default());
        let silent = Running { answers: Some(false), ..Running::default() };
        let earlier = Some(Wait::EarlierEntry { entry: 3 });
        let breaker = Some(Wait::Breaker { until: Some(at(40)) });
        for (entry, ahead, running, expected) in [
            (&due, Some(EntryId(3)), &open, earlier),
            (&due, None, &open, breaker),
            (&due, None, &trying, Some(Wait::Breaker { until: None })),
            (&due, None, &silent, Some(Wait::Service { is_due: true })),
            (&due, None, &calm, None),
            (&later, None, &open, None),
            (&later, None, &trying, None),
            (&later, None, &silent, Some(Wait::Service { is_due: false })),
        ] {
            assert_eq!(Wait::of(entry, ahead, running, at(10)), expected);
        }
        let told = Wait::of(&due, None, &open, at(10)).unwrap().words(at(10));
        assert!(told.ends_with("and Salesforce is left alone"), "{told}");
        let leased = Entry { lease_until: Some(at(20)), ..due.clone() };
        let buried = Entry { state: EntryState::Buried, ..due };
        for entry in [leased, buried] {
            assert_eq!(Wait::of(&entry, Some(EntryId(3)), &open, at(10)), None);
        }
        assert_eq!(Wait::of(&later, None, &held(Some(at(5))), at(10)), None, "its pause is over");
    }
}
