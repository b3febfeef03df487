//! What an operator has to act on, as the service sees it: for notices.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::control::Control;
use crate::notices::{ConditionKind, Finding, Findings};
use crate::salesforce::BreakerState;
use crate::store::{Count, EntryState, NotCleared, Store, StoreError};

/// From when on callers whose routing is not cleared, and an org that is not asked, are worth a notice.
const LONG: SignedDuration = SignedDuration::from_secs(60);
/// From when on the end of the login at Webex is.
const LOGIN_ENDS: SignedDuration = SignedDuration::from_hours(14 * 24);

impl Control {
    /// All of it. It asks nobody but the store.
    pub(super) async fn findings(&self) -> Findings {
        let (now, store) = (self.lasting.clock.now(), self.lasting.outbox.store());
        let mut findings = of_store(store, now).await;
        findings.holding.extend(self.of_salesforce());
        findings.holding.extend(self.of_configuration(now));
        let webex = self.of_webex(now).await;
        findings.holding.extend(webex.holding);
        findings.unseen.extend(webex.unseen);
        findings
    }

    fn of_salesforce(&self) -> Vec<Finding> {
        let (now, current) = (Instant::now(), self.current());
        let mut findings = Vec::new();
        for (name, org) in current.orgs.iter() {
            let breaker = org.breaker(now);
            if let Some(since) = breaker.since.filter(|since| {
                breaker.state != BreakerState::Closed
                    && SignedDuration::try_from(*since).is_ok_and(|since| since >= LONG)
            }) {
                let text = format!(
                    "Salesforce fails or is slow, and {name} is not asked since {} s: what flows ask of it is answered 503, deferred or routed by the fallback, and \
                     what is owed waits.",
                    since.as_secs()
                );
                findings.push(Finding::new(ConditionKind::BreakerOpen, name, text));
            }
            if let Some(words) = org.refused_set_up() {
                let text = format!(
                    "Salesforce refuses the set-up of {name}, an administrator must act: {words}. `scv-bridge doctor` says \
                     what to mend."
                );
                findings.push(Finding::new(ConditionKind::SetUpRefused, name, text));
            }
        }
        findings
    }

    fn of_configuration(&self, now: Timestamp) -> Vec<Finding> {
        let current = self.current();
        let warn = current.settings.rotation.warn_before;
        let warn = SignedDuration::try_from(warn).unwrap_or(SignedDuration::MAX);
        let ending = current.ends.iter().filter(|end| end.at.duration_since(now) <= warn);
        let mut findings: Vec<Finding> = ending
            .map(|end| {
                let text = format!("{}: {} days left; {}.", end.key, end.days_left(now), end.hint);
                Finding::new(ConditionKind::CertificateEnds, end.name.as_str(), text)
            })
            .collect();
        if let Some(first) = self.readiness.refused().first() {
            let text = format!(
                "A new configuration is refused, and the one before runs on: {} {}; {}.",
                first.key, first.problem, first.hint
            );
            findings.push(Finding::new(ConditionKind::ConfigurationRefused, "", text));
        }
        findings
    }

    async fn of_webex(&self, now: Timestamp) -> Findings {
        let Some(reconciler) = &self.reconciler else { return Findings::default() };
        let (mut findings, mut unseen) = (Vec::new(), Vec::new());
        let inactive = reconciler.inactive_subscriptions();
        if inactive > 0 {
            let text = format!(
                "{inactive} of our subscriptions at Webex are inactive: events of calls come late, by reconciliation. See: \
                 scv-bridge webex list."
            );
            findings.push(Finding::new(ConditionKind::SubscriptionInactive, "", text));
        }
        let ends = reconciler.login_ends().await;
        if ends.is_none() {
            unseen.push(ConditionKind::WebexLoginEnds);
        }
        if let Some(ends) = ends.filter(|ends| ends.duration_since(now) <= LOGIN_ENDS) {
            let text = format!("The login at Webex ends at {ends}; run: scv-bridge webex login.");
            findings.push(Finding::new(ConditionKind::WebexLoginEnds, "", text));
        }
        Findings { holding: findings, unseen }
    }
}

async fn of_store(store: &Store, now: Timestamp) -> Findings {
    let looked = async {
        store.ready()?;
        Ok::<_, StoreError>((store.count().await?, store.count_not_cleared().await?))
    };
    let (counts, callers) = match looked.await {
        Ok(looked) => looked,
        Err(error) => {
            let text = format!(
                "The database cannot be used: {error}. Until it can, nothing new is promised to flows."
            );
            return Findings {
                holding: vec![Finding::new(ConditionKind::DatabaseNotWritable, "", text)],
                unseen: vec![ConditionKind::CallersNotCleared, ConditionKind::EntriesBuried],
            };
        }
    };
    of_entries(&counts, &callers, now).into()
}

/// A pure decision.
fn of_entries(counts: &[Count], callers: &[NotCleared], now: Timestamp) -> Vec<Finding> {
    let waiting = callers.iter().filter(|count| count.state == EntryState::Pending);
    let waiting = waiting.map(|count| (count, now.duration_since(count.oldest)));
    let mut findings: Vec<Finding> = waiting
        .filter(|(_, waits)| *waits >= LONG)
        .map(|(count, waits)| {
            let center = count.call_center.as_ref();
            let text = format!(
                "{} callers of {center} have hung up and may still wait in a queue of Salesforce, the first for {} s.",
                count.callers,
                waits.as_secs()
            );
            Finding::new(ConditionKind::CallersNotCleared, center, text)
        })
        .collect();
    let mut buried: BTreeMap<&str, u64> = BTreeMap::new();
    for count in counts.iter().filter(|count| count.state == EntryState::Buried) {
        *buried.entry(count.call_center.as_ref()).or_default() += count.entries;
    }
    findings.extend(buried.into_iter().map(|(center, entries)| {
        let text = format!(
            "{entries} entries of {center} are buried: what they ask is not sent any more. See: scv-bridge outbox list \
             --state buried."
        );
        Finding::new(ConditionKind::EntriesBuried, center, text)
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::CallCenterName;
    use crate::store::EntryKind;

    fn count(kind: EntryKind, state: EntryState, entries: u64, oldest: i64) -> Count {
        let oldest = Timestamp::from_second(oldest).unwrap();
        Count { call_center: CallCenterName::parse("Main").unwrap(), kind, state, entries, oldest }
    }

    #[test]
    fn callers_that_wait_and_entries_that_are_buried_are_found_by_contact_center() {
        let now = Timestamp::from_second(100).unwrap();
        let counts = [
            count(EntryKind::Clear, EntryState::Pending, 3, 40),
            count(EntryKind::LateClear, EntryState::Pending, 9, 0),
            count(EntryKind::Update, EntryState::Pending, 9, 0),
            count(EntryKind::Clear, EntryState::Buried, 1, 0),
            count(EntryKind::Update, EntryState::Buried, 2, 0),
        ];
        let callers = |state, callers, oldest| NotCleared {
            call_center: CallCenterName::parse("Main").unwrap(),
            state,
            callers,
            oldest: Timestamp::from_second(oldest).unwrap(),
        };
        let gone = [callers(EntryState::Buried, 7, 0), callers(EntryState::Pending, 3, 40)];
        let found: Vec<(ConditionKind, String)> = of_entries(&counts, &gone, now)
            .into_iter()
            .map(|finding| (finding.condition.kind, finding.text))
            .collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].0, ConditionKind::CallersNotCleared);
        assert!(found[0].1.starts_with("3 callers of Main have hung up"), "{}", found[0].1);
        assert_eq!(found[1].0, ConditionKind::EntriesBuried);
        assert!(found[1].1.starts_with("3 entries of Main are buried"), "{}", found[1].1);
        let soon = [count(EntryKind::Clear, EntryState::Pending, 3, 0)];
        assert!(of_entries(&soon, &[callers(EntryState::Pending, 3, 41)], now).is_empty());
    }
}
