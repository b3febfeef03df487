//! Which notices are due: a pure decision.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Condition, ConditionKind, Findings};

/// What a notice tells of its condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It holds, and the receiver does not know.
    Begun,
    /// It still holds.
    GoesOn,
    /// It holds no more.
    Over,
}

/// A notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// What it tells.
    pub state: NoticeState,
    /// Of which kind of condition.
    pub kind: ConditionKind,
    /// The contact center or certificate; empty where there is one for the whole bridge.
    pub subject: String,
    /// What is wrong and what to do; what was wrong, where it is over.
    pub text: String,
    /// Since when it was seen.
    #[serde(serialize_with = "text_of")]
    pub since: Timestamp,
}

fn text_of<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}

/// What a receiver was told.
#[derive(Debug, Default)]
pub struct KnownConditions {
    told: BTreeMap<Condition, KnownCondition>,
    /// Since when what holds was seen, whether the receiver has taken that or not.
    seen: BTreeMap<Condition, Timestamp>,
}

/// A condition that the receiver knows of.
#[derive(Debug)]
struct KnownCondition {
    text: String,
    since: Timestamp,
    last: Timestamp,
}

impl KnownConditions {
    /// What the receiver is to be told now, the gravest kind first. What could not be looked at is not over.
    #[must_use]
    pub fn due(&mut self, findings: &Findings, now: Timestamp, repeat_every: Duration) -> Vec<Notice> {
        let holds = |known: &Condition| findings.holding.iter().any(|one| one.condition == *known);
        self.seen.retain(|known, _| holds(known) || findings.unseen.contains(&known.kind));
        for finding in &findings.holding {
            self.seen.entry(finding.condition.clone()).or_insert(now);
        }
        let repeat_every = SignedDuration::try_from(repeat_every).unwrap_or(SignedDuration::MAX);
        let notice = |condition: &Condition, state, text: &str, since| Notice {
            state,
            kind: condition.kind,
            subject: condition.subject.clone(),
            text: text.to_owned(),
            since,
        };
        let mut due: Vec<Notice> = findings
            .holding
            .iter()
            .filter_map(|finding| match self.told.get(&finding.condition) {
                None => {
                    let since = self.seen.get(&finding.condition).copied().unwrap_or(now);
                    Some(notice(&finding.condition, NoticeState::Begun, &finding.text, since))
                }
                // Also where the clock was set back: then nobody knows when it was.
                Some(told) if now.duration_since(told.last).abs() >= repeat_every => {
                    Some(notice(&finding.condition, NoticeState::GoesOn, &finding.text, told.since))
                }
                Some(_) => None,
            })
            .collect();
        let is_over = |known: &Condition| !findings.unseen.contains(&known.kind) && !holds(known);
        let over = self.told.iter().filter(|(known, _)| is_over(known));
        due.extend(over.map(|(known, told)| notice(known, NoticeState::Over, &told.text, told.since)));
        due.sort_by(|one, other| (one.kind, &one.subject).cmp(&(other.kind, &other.subject)));
        due
    }

    /// The receiver has taken these.
    pub fn told(&mut self, notices: &[Notice], now: Timestamp) {
        for notice in notices {
            let condition = Condition { kind: notice.kind, subject: notice.subject.clone() };
            match notice.state {
                NoticeState::Over => drop(self.told.remove(&condition)),
                NoticeState::Begun | NoticeState::GoesOn => {
                    let told = KnownCondition { text: notice.text.clone(), since: notice.since, last: now };
                    self.told.insert(condition, told);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::notices::Finding;

    const HOUR: Duration = Duration::from_secs(3600);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn finding(subject: &str) -> Finding {
        Finding::new(ConditionKind::BreakerOpen, subject, format!("{subject} is not asked"))
    }

    fn states(notices: &[Notice]) -> Vec<(NoticeState, &str)> {
        notices.iter().map(|notice| (notice.state, notice.subject.as_str())).collect()
    }

    #[test]
    fn a_condition_is_told_once_then_now_and_then_and_at_last_that_it_is_over() {
        let mut known = KnownConditions::default();
        let mut step = |findings: &[Finding], second| {
            let due = known.due(&findings.to_vec().into(), at(second), HOUR);
            known.told(&due, at(second));
            states(&due).into_iter().map(|(state, subject)| (state, subject.to_owned())).collect::<Vec<_>>()
        };
        let (main, other) = (finding("Main"), finding("Other"));
        assert_eq!(step(std::slice::from_ref(&main), 0), [(NoticeState::Begun, "Main".to_owned())]);
        assert_eq!(step(std::slice::from_ref(&main), 3599), []);
        assert_eq!(
            step(&[main.clone(), other], 3600),
            [(NoticeState::GoesOn, "Main".to_owned()), (NoticeState::Begun, "Other".to_owned())]
        );
        assert_eq!(step(&[main], 3601), [(NoticeState::Over, "Other".to_owned())]);
        assert_eq!(step(&[], 3602), [(NoticeState::Over, "Main".to_owned())]);
        assert_eq!(step(&[], 9999), []);
    }

    #[test]
    fn what_was_not_taken_is_told_again_and_what_was_never_told_is_never_over() {
        let mut known = KnownConditions::default();
        assert_eq!(known.due(&vec![finding("Main")].into(), at(0), HOUR).len(), 1);
        let again = known.due(&vec![finding("Main")].into(), at(1), HOUR);
        assert_eq!(
            again.iter().map(|notice| notice.since).collect::<Vec<_>>(),
            [at(0)],
            "it began before it was taken"
        );
        assert!(known.due(&Findings::default(), at(2), HOUR).is_empty());
    }

    #[test]
    fn what_could_not_be_looked_at_is_neither_over_nor_told_again() {
        let mut known = KnownConditions::default();
        let due = known.due(&vec![finding("Main")].into(), at(0), HOUR);
        known.told(&due, at(0));
        let unseen = Findings { holding: Vec::new(), unseen: vec![ConditionKind::BreakerOpen] };
        assert!(known.due(&unseen, at(9999), HOUR).is_empty());
        assert_eq!(states(&known.due(&Findings::default(), at(9999), HOUR)), [(NoticeState::Over, "Main")]);
    }

    #[test]
    fn the_gravest_comes_first() {
        let findings = vec![
            Finding::new(ConditionKind::CertificateEnds, "WebexCCSCV", "ends"),
            Finding::new(ConditionKind::DatabaseNotWritable, "", "full"),
        ];
        let due = KnownConditions::default().due(&findings.into(), at(0), HOUR);
        assert_eq!(due[0].kind, ConditionKind::DatabaseNotWritable);
    }

    proptest! {
        /// Whoever follows the notices knows what holds, and is told of nothing twice within the pause.
        #[test]
        fn a_receiver_that_takes_everything_knows_what_holds(
            steps in proptest::collection::vec((proptest::collection::btree_set(0_usize..4, 0..4), 1_i64..2000), 1..40),
        ) {
            let (mut known, mut now) = (KnownConditions::default(), 0);
            let (mut holds, mut last) = (std::collections::BTreeSet::new(), BTreeMap::new());
            for (present, pause) in steps {
                now += pause;
                let findings: Vec<Finding> = present.iter().map(|number| finding(&number.to_string())).collect();
                let due = known.due(&findings.into(), at(now), HOUR);
                known.told(&due, at(now));
                for notice in due {
                    match notice.state {
                        NoticeState::Over => {
                            prop_assert!(holds.remove(&notice.subject));
                            last.remove(&notice.subject);
                        }
                        NoticeState::Begun => {
                            prop_assert!(holds.insert(notice.subject.clone()));
                            last.insert(notice.subject, now);
                        }
                        NoticeState::GoesOn => {
                            let before = last.insert(notice.subject, now).unwrap();
                            prop_assert!(now - before >= 3600);
                        }
                    }
                }
                let expected: std::collections::BTreeSet<String> =
                    present.iter().map(ToString::to_string).collect();
                prop_assert_eq!(&holds, &expected);
            }
        }
    }
}
