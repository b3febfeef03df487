//! Why a call is as it is, in a sentence: a pure decision.

use jiff::{SignedDuration, Timestamp};

use super::super::outbox::{duration, kind};
use super::super::redact;
use crate::domain::{Call, CallTimeline, Exchange, ExchangeOrigin, SalesforceExchange};
use crate::store::{Entry, EntryKind, EntryState};

/// How long after a hang-up nobody would call it late.
const SOON: SignedDuration = SignedDuration::from_secs(5);

/// What is known of the call.
pub(super) struct Known<'a> {
    /// Its VoiceCalls, the first first.
    pub(super) calls: &'a [&'a Call],
    /// Webex's events of the last of them.
    pub(super) timeline: Option<&'a CallTimeline>,
    /// What was asked and answered, in order.
    pub(super) exchanges: &'a [Exchange],
    /// Its entries of the outbox.
    pub(super) entries: &'a [Entry],
    pub(super) now: Timestamp,
}

/// The sentence: what is not done comes before what was late, and that before what went well.
pub(super) fn why(known: &Known<'_>) -> String {
    let sentence = known
        .buried()
        .or_else(|| known.owed())
        .or_else(|| known.without_voice_call())
        .or_else(|| known.late())
        .unwrap_or_else(|| known.in_order());
    match known.calls.len() {
        0 | 1 => sentence,
        several => format!("{sentence} There are {several} VoiceCalls: the call was transferred."),
    }
}

impl Known<'_> {
    fn buried(&self) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.state == EntryState::Buried)?;
        let what = asked_by(entry.kind, entry.is_final);
        let reason = [entry.reason.as_deref(), entry.last_words.as_deref()];
        let reason = redact::text(&reason.into_iter().flatten().collect::<Vec<_>>().join(": "));
        Some(format!(
            "{what} is buried and not sent any more: {reason}. Mend the cause, then: scv-bridge outbox retry {}.",
            entry.id.0
        ))
    }

    fn owed(&self) -> Option<String> {
        let entry = self.entries.iter().find(|entry| entry.state == EntryState::Pending)?;
        let what = asked_by(entry.kind, entry.is_final);
        let next = match entry.next_at > self.now {
            true => format!("next attempt in {}", duration(self.now, entry.next_at)),
            false => "next attempt now".to_owned(),
        };
        let since = duration(entry.created_at, self.now);
        let cause = self.failures().unwrap_or_else(|| {
            entry.last_words.as_deref().map_or_else(|| "it was not tried yet".to_owned(), redact::text)
        });
        Some(format!("{what} is owed to Salesforce for {since}: {cause}; {next}."))
    }

    fn without_voice_call(&self) -> Option<String> {
        if self.calls.iter().any(|call| call.is_created()) {
            return None;
        }
        let create = self.exchanges.iter().rev().find(|exchange| self.is_of(exchange, "createVoiceCall"));
        match create.map(|create| &create.record) {
            Some(record) => {
                let status = match record.origin {
                    ExchangeOrigin::Flow { status, .. } => status,
                    ExchangeOrigin::Outbox { .. } => return None,
                };
                let error = record.error.as_deref().map_or_else(String::new, |error| format!(": {}", redact::text(error)));
                // The final update of a call makes its record where there is none.
                Some(match self.calls.iter().any(|call| call.closed_at.is_some()) {
                    true => format!("createVoiceCall was answered {status}{error}; the call was logged by its hang-up."),
                    false => format!("There is no VoiceCall: createVoiceCall was answered {status}{error}."),
                })
            }
            None if self.calls.iter().any(|call| call.is_create_unknown()) => Some(
                "Nobody knows whether there is a VoiceCall: Salesforce's answer to the create never came.".to_owned(),
            ),
            None => Some(
                "There is no VoiceCall: the bridge knows of no createVoiceCall for this call, only of what is below."
                    .to_owned(),
            ),
        }
    }

    fn is_of(&self, exchange: &Exchange, name: &str) -> bool {
        matches!(&exchange.record.origin, ExchangeOrigin::Flow { route, .. } if route == name)
    }

    /// What the outbox delivered long after it was due.
    fn late(&self) -> Option<String> {
        let late = self.exchanges.iter().find_map(|exchange| {
            let ExchangeOrigin::Outbox { kind, entry, .. } = &exchange.record.origin else { return None };
            if exchange.record.outcome != "delivered" {
                return None;
            }
            let done =
                exchange.at + SignedDuration::from_millis(i64::try_from(exchange.record.milliseconds).ok()?);
            let (what, since) = match kind.as_ref() {
                "clear" => ("Routing was cleared", self.ended_at()?),
                "update" => ("The VoiceCall was updated", self.ended_at()?),
                "create" => ("The VoiceCall was created", self.deferred_at()?),
                _ => return None,
            };
            let after = if kind.as_ref() == "create" { "the flow had asked" } else { "the hang-up" };
            (done.duration_since(since) > SOON).then(|| (what, duration(since, done), after, *entry))
        });
        let (what, delay, after, entry) = late?;
        let failures = self.failures_before(Some(entry)).or_else(|| self.failures());
        let cause = failures.map_or_else(String::new, |failures| format!(": {failures}"));
        Some(format!("{what} {delay} after {after}{cause}."))
    }

    fn in_order(&self) -> String {
        let Some(call) = self.calls.last() else {
            return "The bridge knows of no VoiceCall for this call.".to_owned();
        };
        let history = self.timeline.map(CallTimeline::history);
        let began = call.began().or_else(|| history.as_ref()?.started_at());
        let lasted = |until: Timestamp| {
            began.map_or_else(String::new, |began| format!(" after {}", duration(began, until)))
        };
        let answered = call.answered_at.or_else(|| history.as_ref()?.accepted_at());
        let ended = call.ended_at.or_else(|| history.as_ref()?.ended_at);
        match (answered, ended) {
            (Some(answered), Some(ended)) => format!(
                "An agent answered{}, and the call ended{}; {}",
                lasted(answered),
                lasted(ended),
                self.completeness(call)
            ),
            (Some(answered), None) => format!("An agent answered{}; the call goes on.", lasted(answered)),
            (None, Some(ended)) => {
                let place = if call.routed_at.is_some() {
                    "while waiting for an agent"
                } else {
                    "before it was routed"
                };
                format!("The caller hung up{} {place}; {}", lasted(ended), self.completeness(call))
            }
            (None, None) if call.routed_at.is_some() => {
                format!(
                    "The call waits for an agent{}.",
                    began.map_or_else(String::new, |began| format!(" since {}", duration(began, self.now)))
                )
            }
            (None, None) => {
                "The VoiceCall is created; no routing, answer or hang-up was told yet.".to_owned()
            }
        }
    }

    fn completeness(&self, call: &Call) -> &'static str {
        match call.closed_at {
            Some(_) => "Salesforce has all of it.",
            None if call.is_answered() => "nothing is owed: Salesforce completes an answered call itself.",
            None => "nothing is owed to Salesforce.",
        }
    }

    fn ended_at(&self) -> Option<Timestamp> {
        self.calls.iter().rev().find_map(|call| call.ended_at)
    }

    fn deferred_at(&self) -> Option<Timestamp> {
        self.calls.iter().rev().find_map(|call| call.deferred_at)
    }

    /// How Salesforce has failed, the most frequent way: "Salesforce answered 503 three times".
    fn failures(&self) -> Option<String> {
        self.failures_before(None)
    }

    /// The same, of the attempts on one entry.
    fn failures_before(&self, entry: Option<i64>) -> Option<String> {
        let is_meant = |exchange: &&Exchange| match &exchange.record.origin {
            ExchangeOrigin::Outbox { entry: of, .. } => entry.is_none_or(|entry| entry == *of),
            ExchangeOrigin::Flow { .. } => entry.is_none(),
        };
        let asked = self.exchanges.iter().filter(is_meant).flat_map(|exchange| &exchange.record.salesforce);
        let mut ways: Vec<(String, usize)> = Vec::new();
        for way in asked.filter_map(way) {
            match ways.iter_mut().find(|(known, _)| *known == way) {
                Some((_, times)) => *times += 1,
                None => ways.push((way, 1)),
            }
        }
        let (way, times) = ways.into_iter().max_by_key(|(_, times)| *times)?;
        Some(format!("{way} {}", often(times)))
    }
}

/// How a request to Salesforce failed; none if it did not.
fn way(asked: &SalesforceExchange) -> Option<String> {
    let failure = asked.failure.as_deref()?;
    Some(match asked.status {
        Some(status) => format!("Salesforce answered {status}"),
        None => redact::text(failure),
    })
}

fn often(times: usize) -> String {
    match times {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        3 => "three times".to_owned(),
        times => format!("{times} times"),
    }
}

/// What an entry asks, as the subject of a sentence.
fn asked_by(entry: EntryKind, is_final: bool) -> String {
    match entry {
        EntryKind::Create => "The create of the VoiceCall".to_owned(),
        EntryKind::Clear => "Clearing the routing".to_owned(),
        EntryKind::Update if is_final => "The final update".to_owned(),
        EntryKind::Update => "An update".to_owned(),
        EntryKind::LateClear => format!("Clearing the routing once more ({})", kind(entry)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{CallCenterName, CallId, CallName, CallReference, ExchangeRecord, VendorCallKey};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn call() -> Call {
        let center = CallCenterName::parse("Main").unwrap();
        Call {
            id: CallId(1),
            name: CallName::new(center, VendorCallKey::parse("wxcc_1").unwrap(), None),
            voice_call_id: None,
            fingerprint: None,
            start_time: Some(at(0)),
            created_at: Some(at(1)),
            create_unknown_at: None,
            deferred_at: None,
            routed_at: None,
            answered_at: None,
            answered_by: None,
            ended_at: None,
            closed_at: None,
            create_lease_until: None,
            create_body: None,
            updated_at: at(1),
        }
    }

    fn told(calls: &[&Call], exchanges: &[Exchange]) -> String {
        why(&Known { calls, timeline: None, exchanges, entries: &[], now: at(90) })
    }

    fn attempt(kind: &'static str, second: i64, outcome: &'static str, status: Option<u16>) -> Exchange {
        let failure = Some("Salesforce cannot do this now".to_owned()).filter(|_| status != Some(204));
        let asked = SalesforceExchange { operation: "x".into(), after: 0, milliseconds: 1, status, failure };
        let record = ExchangeRecord {
            origin: ExchangeOrigin::Outbox { kind: kind.into(), entry: 7, attempt: 1 },
            outcome: outcome.into(),
            milliseconds: 0,
            error: None,
            salesforce: vec![asked],
        };
        let call = CallReference::parse("wxcc_1").unwrap();
        Exchange { call_center: CallCenterName::parse("Main").unwrap(), call, at: at(second), record }
    }

    #[test]
    fn a_call_in_order_is_told_by_how_far_it_has_come() {
        let created = call();
        let routed = Call { routed_at: Some(at(2)), ..call() };
        let answered = Call { answered_at: Some(at(42)), ..routed.clone() };
        let over = Call { ended_at: Some(at(80)), ..answered.clone() };
        let abandoned = Call { ended_at: Some(at(70)), closed_at: Some(at(71)), ..routed.clone() };
        for (call, expected) in [
            (&created, "The VoiceCall is created; no routing, answer or hang-up was told yet."),
            (&routed, "The call waits for an agent since 1m 30s."),
            (&answered, "An agent answered after 42s; the call goes on."),
            (
                &over,
                "An agent answered after 42s, and the call ended after 1m 20s; nothing is owed: Salesforce completes an \
                 answered call itself.",
            ),
            (
                &abandoned,
                "The caller hung up after 1m 10s while waiting for an agent; Salesforce has all of it.",
            ),
        ] {
            assert_eq!(told(&[call], &[]), expected);
        }
        let several = told(&[&over, &abandoned], &[]);
        assert!(several.ends_with("There are 2 VoiceCalls: the call was transferred."), "{several}");
    }

    #[test]
    fn what_was_late_is_told_with_its_cause() {
        let call = Call { ended_at: Some(at(10)), closed_at: Some(at(60)), ..call() };
        let mut exchanges: Vec<Exchange> =
            (0..3).map(|number| attempt("clear", 20 + number, "later", Some(503))).collect();
        exchanges.push(attempt("clear", 73, "delivered", Some(204)));
        let sentence = "Routing was cleared 1m 3s after the hang-up: Salesforce answered 503 three times.";
        assert_eq!(told(&[&call], &exchanges), sentence);
        let unanswered =
            [attempt("update", 20, "later", None), attempt("update", 30, "delivered", Some(204))];
        let sentence = "The VoiceCall was updated 20s after the hang-up: Salesforce cannot do this now once.";
        assert_eq!(told(&[&call], &unanswered), sentence);
        let soon = [attempt("clear", 11, "delivered", Some(204))];
        assert!(told(&[&call], &soon).starts_with("The caller hung up"));
    }

    #[test]
    fn a_call_whose_create_failed_and_whose_hang_up_was_taken_is_logged() {
        let mut create = attempt("create", 1, "down", None);
        create.record.origin =
            ExchangeOrigin::Flow { route: "createVoiceCall".into(), status: 503, request_id: "r".to_owned() };
        let open = Call { created_at: None, voice_call_id: None, ..call() };
        let closed = Call { closed_at: Some(at(60)), ..open.clone() };
        let told = |call: &Call| told(&[call], std::slice::from_ref(&create));
        assert!(
            told(&open).starts_with("There is no VoiceCall: createVoiceCall was answered 503"),
            "{}",
            told(&open)
        );
        assert!(told(&closed).ends_with("; the call was logged by its hang-up."), "{}", told(&closed));
    }

    #[test]
    fn without_any_voice_call_it_says_so() {
        let unknown = Call { created_at: None, create_unknown_at: Some(at(1)), ..call() };
        assert!(told(&[&unknown], &[]).starts_with("Nobody knows whether there is a VoiceCall"));
        assert!(told(&[], &[]).starts_with("There is no VoiceCall"));
    }
}
