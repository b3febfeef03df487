//! Why a call is as it is, in a sentence: a pure decision.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::super::outbox::{Wait, ahead, duration};
use super::super::redact;
use crate::domain::{
    Call, CallReference, CallTimeline, Exchange, ExchangeOrigin, ExchangeRecord, RouteResult,
    SalesforceExchange,
};
use crate::salesforce::Operation;
use crate::store::{Entry, EntryKind, EntryState};

/// How long after a hang-up nobody would call it late.
const SOON: SignedDuration = SignedDuration::from_secs(5);

/// What is known of the call: what the sentence is made of.
pub(super) struct CallEvidence<'a> {
    /// Its VoiceCalls, the first first.
    pub(super) calls: &'a [&'a Call],
    /// Webex's events of the last of them.
    pub(super) timeline: Option<&'a CallTimeline>,
    /// What was asked and answered, in order.
    pub(super) exchanges: &'a [Exchange],
    /// Its entries of the outbox.
    pub(super) entries: &'a [Entry],
    /// What of them waits for more than its time.
    pub(super) waits: &'a BTreeMap<i64, Wait>,
    pub(super) now: Timestamp,
}

/// The sentence: what is not done comes before what was late, and that before what went well. A late clear waits by design,
/// and is told behind it.
pub(super) fn why(known: &CallEvidence<'_>) -> String {
    let sentence = known
        .buried()
        .or_else(|| known.owed())
        .or_else(|| known.without_voice_call())
        .or_else(|| known.late())
        .unwrap_or_else(|| known.in_order());
    let sentence = match known.late_clear() {
        Some(waits) => format!("{sentence} {waits}"),
        None => sentence,
    };
    let sentence = match known.calls.len() {
        0 | 1 => sentence,
        several => format!("{sentence} There are {several} VoiceCalls: the call was transferred."),
    };
    match known.twice() {
        Some(twice) => format!("{sentence} {twice}"),
        None => sentence,
    }
}

impl CallEvidence<'_> {
    fn buried(&self) -> Option<String> {
        let mut buried = self.entries.iter().filter(|entry| entry.state == EntryState::Buried);
        let entry = buried.next()?;
        let rest = buried.map(|entry| format!(" {}", entry.id.0)).collect::<String>();
        let what = asked_by(entry);
        let reason = [entry.reason.as_deref(), entry.last_words.as_deref()];
        let reason = redact::text(&reason.into_iter().flatten().collect::<Vec<_>>().join(": "));
        Some(format!(
            "{what} is buried and not sent any more: {reason}. Mend the cause, then: scv-bridge outbox retry {}{rest}.",
            entry.id.0
        ))
    }

    fn owed(&self) -> Option<String> {
        // A clear of what Salesforce has not routed changes nothing; what is behind it does.
        let is_idle = |entry: &Entry| {
            let is_known = |call: &Call| !call.may_wait_in_queue();
            entry.kind == EntryKind::Clear && entry.call.as_ref().is_some_and(is_known)
        };
        let mut owed = self
            .entries
            .iter()
            .filter(|entry| entry.state == EntryState::Pending && entry.kind != EntryKind::LateClear);
        let first = owed.clone().next()?;
        let entry = owed.find(|entry| !is_idle(entry)).unwrap_or(first);
        let (what, next) = (asked_by(entry), self.next(entry));
        let since = duration(entry.created_at, self.now);
        let cause = self.failures(entry.kind, entry.id.0).unwrap_or_else(|| {
            entry.last_words.as_deref().map_or_else(|| "it was not tried yet".to_owned(), redact::text)
        });
        let no_voice_call = self.not_created_yet(entry);
        Some(format!(
            "{what} is owed to Salesforce for {since}: {cause}; next attempt {next}.{no_voice_call}"
        ))
    }

    /// Where there is no VoiceCall yet that an update or clear could mean.
    fn not_created_yet(&self, entry: &Entry) -> String {
        let is_there = |call: &&Call| call.is_created() || call.is_create_unknown();
        if entry.kind == EntryKind::Create || self.calls.is_empty() || self.calls.iter().any(is_there) {
            return String::new();
        }
        let create = match self.last_create() {
            Some((status, _)) => format!("createVoiceCall was answered {status}"),
            None => "the bridge knows of no createVoiceCall for this call".to_owned(),
        };
        format!(" There is no VoiceCall yet: {create}; the final update makes it.")
    }

    /// The late clear that waits: nothing that is owed, as long as nobody knows of a routing that it would remove.
    fn late_clear(&self) -> Option<String> {
        let entry = self.pending(|kind| kind == EntryKind::LateClear)?;
        let (id, next) = (entry.id.0, self.next(entry));
        let is_routed = |entry: &Entry| {
            entry.call.as_ref().is_some_and(|call| call.route_result == Some(RouteResult::Routed))
        };
        let told = entry.last_words.as_deref().map(redact::text);
        Some(match told {
            Some(words) => format!("Its late clear (entry {id}) is sent once more {next}: {words}."),
            None if is_routed(entry) => format!(
                "A late clear (entry {id}) waits on purpose and removes the routing if the caller is gone by then: when \
                 executeOmniFlow was answered, the bridge could not see whether they were. It looks {next}."
            ),
            None => format!(
                "Salesforce gave executeOmniFlow no answer and may still route the call: a late clear (entry {id}) waits on \
                 purpose and removes that if the caller is gone by then. It looks {next}."
            ),
        })
    }

    /// The first entry of such a kind that is still tried.
    fn pending(&self, is_meant: impl Fn(EntryKind) -> bool) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.state == EntryState::Pending && is_meant(entry.kind))
    }

    /// When an entry is tried next.
    fn next(&self, entry: &Entry) -> String {
        match self.waits.get(&entry.id.0) {
            Some(wait) => wait.words(self.now),
            None if entry.next_at > self.now => format!("in {}", ahead(self.now, entry.next_at)),
            None => "now".to_owned(),
        }
    }

    fn without_voice_call(&self) -> Option<String> {
        if self.calls.iter().any(|call| call.is_created()) {
            return None;
        }
        let is_unknown = self.calls.iter().any(|call| call.is_create_unknown());
        let create = self.last_create().map(|(status, error)| {
            let error = error.map_or_else(String::new, |error| format!(": {}", redact::text(error)));
            format!("createVoiceCall was answered {status}{error}")
        });
        // The final update of a call makes its record where there is none.
        if self.made_by_its_end() {
            let create = match (create, is_unknown) {
                (Some(create), _) => format!("{create}; the"),
                (None, true) => "Salesforce's answer to the create never came; its".to_owned(),
                (None, false) => "The bridge knows of no createVoiceCall for this call; its".to_owned(),
            };
            let unless = if is_unknown { ", unless the create had" } else { "" };
            let late = self.late().map_or_else(|| self.without_id(), |late| format!(" {late}"));
            return Some(format!("{create} final update has made the VoiceCall{unless}.{late}"));
        }
        Some(match create {
            Some(create) if is_unknown => format!(
                "Nobody knows whether there is a VoiceCall: {create}; look for the vendorCallKey in Salesforce."
            ),
            Some(create) => format!("There is no VoiceCall: {create}."),
            None if is_unknown => {
                "Nobody knows whether there is a VoiceCall: Salesforce's answer to the create never came.".to_owned()
            }
            None if self.calls.is_empty() && self.is_named_by_id() => {
                "The bridge has not created this VoiceCall: flows have only named it by its id, and below is what they asked."
                    .to_owned()
            }
            None => "There is no VoiceCall: the bridge knows of no createVoiceCall for this call, only of what is below."
                .to_owned(),
        })
    }

    /// What the last createVoiceCall of a flow was answered: the status and the error.
    fn last_create(&self) -> Option<(u16, Option<&str>)> {
        self.exchanges.iter().rev().find_map(|exchange| match &exchange.record.origin {
            ExchangeOrigin::Flow { route, status, .. } if *route == *Operation::Create.name() => {
                Some((*status, exchange.record.error.as_deref()))
            }
            _ => None,
        })
    }

    /// Whether its final update was delivered, which makes the VoiceCall where there is none.
    fn made_by_its_end(&self) -> bool {
        self.calls.iter().any(|call| call.closed_at.is_some())
    }

    /// Whether a flow has named a VoiceCall.
    fn is_named_by_id(&self) -> bool {
        let is_id = |call: &CallReference| matches!(call, CallReference::Id(_));
        self.exchanges
            .iter()
            .any(|exchange| is_id(&exchange.call) || exchange.also.as_ref().is_some_and(is_id))
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
            const ASKED: &str = "the flow had asked";
            let ended = self.ended_at().filter(|ended| *ended <= done).map(|ended| (ended, "the hang-up"));
            let (what, (since, after), kind) = match kind.as_ref() {
                "clear" if self.was_routed() => (self.cleared(&exchange.record), ended?, EntryKind::Clear),
                "update" => {
                    let since = ended.or_else(|| Some((self.deferred_update_at(done)?, ASKED)));
                    let what = match self.calls.iter().any(|call| call.is_created()) {
                        true => "The VoiceCall was updated",
                        false => "That was done",
                    };
                    (what, since?, EntryKind::Update)
                }
                "create" => ("The VoiceCall was created", (self.deferred_at()?, ASKED), EntryKind::Create),
                _ => return None,
            };
            (done.duration_since(since) > SOON).then(|| (what, duration(since, done), after, (kind, *entry)))
        });
        let (what, delay, after, (kind, entry)) = late?;
        let failures = self.failures(kind, entry).or_else(|| self.failures_ahead(entry));
        let cause = failures.unwrap_or_else(|| NO_FAILURE.to_owned());
        Some(format!("{what} {delay} after {after}: {cause}.{}", self.without_id()))
    }

    /// How Salesforce has failed at an entry of the call that one had to wait for.
    fn failures_ahead(&self, of: i64) -> Option<String> {
        self.exchanges.iter().find_map(|exchange| {
            let ExchangeOrigin::Outbox { kind, entry, .. } = &exchange.record.origin else { return None };
            let kind = match kind.as_ref() {
                "create" => EntryKind::Create,
                "update" => EntryKind::Update,
                "clear" => EntryKind::Clear,
                _ => return None,
            };
            let failures = self.failures(kind, *entry).filter(|_| *entry < of)?;
            Some(format!("it waited for the {} before it, and {failures}", kind.name()))
        })
    }

    /// Whether Salesforce may have held a routing of any of the VoiceCalls.
    fn was_routed(&self) -> bool {
        self.calls.iter().any(|call| match RouteState::of(call) {
            RouteState::NotAsked | RouteState::Known(RouteResult::NotRouted) => false,
            RouteState::Unanswered | RouteState::Known(RouteResult::Unknown | RouteResult::Routed) => true,
        })
    }

    /// What a clear that was delivered has done: Salesforce's refusal means that there was nothing to clear.
    fn cleared(&self, record: &ExchangeRecord) -> &'static str {
        let mut asked = record.salesforce.iter().rev();
        let last = asked.find(|asked| *asked.operation == *Operation::ClearRouting.name());
        match last.is_some_and(|asked| asked.failure.is_some()) {
            true => "Salesforce said that it had no routing to clear",
            false => "Routing was cleared",
        }
    }

    /// When a flow asked for the last update before `done` that had to wait.
    fn deferred_update_at(&self, done: Timestamp) -> Option<Timestamp> {
        let mut earlier = self.exchanges.iter().rev().filter(|exchange| exchange.at <= done);
        let is_meant = |exchange: &&Exchange| {
            self.is_of(exchange, Operation::Update.name()) && exchange.record.outcome == "pending"
        };
        earlier.find(is_meant).map(|exchange| exchange.at)
    }

    /// Where Salesforce has a VoiceCall whose id nobody was told.
    fn without_id(&self) -> String {
        let is_made = |call: &Call| call.created_at.is_some() || call.closed_at.is_some();
        let is_meant = |call: &&&Call| is_made(call) && call.voice_call_id.is_none();
        match self.calls.iter().rev().find(is_meant) {
            Some(call) => format!(
                " The bridge was told no id of the VoiceCall: look for the vendorCallKey {} in Salesforce.",
                redact::text(call.name.vendor_call_key().as_ref())
            ),
            None => String::new(),
        }
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
                let place = match RouteState::of(call) {
                    RouteState::NotAsked => " before it was routed",
                    RouteState::Known(RouteResult::Routed) => " while waiting for an agent",
                    RouteState::Known(RouteResult::NotRouted) => ", and Salesforce had not routed the call",
                    RouteState::Unanswered | RouteState::Known(RouteResult::Unknown) => {
                        ", and Salesforce had not answered the request to route the call"
                    }
                };
                let (lasted, complete) = (lasted(ended), self.completeness(call));
                format!("The caller hung up{lasted}{place}; {complete}{}", self.without_id())
            }
            (None, None) => {
                let since =
                    began.map_or_else(String::new, |began| format!(" since {}", duration(began, self.now)));
                let state = match RouteState::of(call) {
                    _ if call.is_cleared() => {
                        "Salesforce holds no routing of the call any more; no answer or hang-up is known yet."
                            .to_owned()
                    }
                    RouteState::NotAsked => {
                        "The VoiceCall is created; no routing, answer or hang-up is known yet.".to_owned()
                    }
                    RouteState::Known(RouteResult::Routed) => format!("The call waits for an agent{since}."),
                    RouteState::Known(RouteResult::NotRouted) => format!(
                        "Salesforce has not routed the call{}; no answer or hang-up is known yet.",
                        self.routing_failure()
                    ),
                    RouteState::Unanswered | RouteState::Known(RouteResult::Unknown) => {
                        "Salesforce was asked to route the call, and its answer never came; no answer of an agent or hang-up is known yet."
                            .to_owned()
                    }
                };
                format!("{state}{}{}", self.refused(), self.without_id())
            }
        }
    }

    /// What the flow has told last of the call, where the bridge could not take it.
    fn refused(&self) -> String {
        let last = self.exchanges.iter().rev().find_map(|exchange| match &exchange.record.origin {
            ExchangeOrigin::Flow { route, status, .. } => Some((route, *status, &exchange.record.error)),
            ExchangeOrigin::Outbox { .. } => None,
        });
        let asks = |route: &str| [Operation::Create.name(), Operation::OmniFlow.name()].contains(&route);
        match last.filter(|(route, status, _)| *status >= 400 && !asks(route)) {
            Some((route, status, error)) => {
                let error =
                    error.as_deref().map_or_else(String::new, |error| format!(": {}", redact::text(error)));
                format!(
                    " But {route} was answered {status}{error}. Nothing of that is kept, so it is to be sent again."
                )
            }
            None => String::new(),
        }
    }

    /// Why the last request to route failed, where that is kept.
    fn routing_failure(&self) -> String {
        let asked = self.exchanges.iter().flat_map(|exchange| &exchange.record.salesforce);
        let of_routing = asked.filter(|asked| *asked.operation == *Operation::OmniFlow.name());
        let failure = of_routing.filter_map(|asked| asked.failure.as_deref()).next_back();
        failure.map_or_else(String::new, |failure| format!(": {}", redact::text(failure)))
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

    /// How Salesforce has failed at what an entry asks, the last way and how often: "Salesforce answered 503 three times".
    /// What the bridge did not even send tells no cause: it was one of those before.
    fn failures(&self, kind: EntryKind, entry: i64) -> Option<String> {
        let operation = operation(kind);
        let of_entry = |exchange: &&Exchange| match &exchange.record.origin {
            // What the attempt was told that ended it is no cause of the delay: a 404 can mean that it is done.
            ExchangeOrigin::Outbox { entry: of, .. } => {
                *of == entry && exchange.record.outcome != "delivered"
            }
            ExchangeOrigin::Flow { .. } => true,
        };
        let of_operation = |asked: &&SalesforceExchange| *asked.operation == *operation;
        let asked =
            || self.exchanges.iter().filter(of_entry).flat_map(|exchange| &exchange.record.salesforce);
        let own: Vec<FailedRequest> = asked().filter(of_operation).filter_map(failed_request).collect();
        let is_left_alone = |failure: &str| failure.starts_with(LEFT_ALONE);
        let is_left =
            asked().filter(of_operation).any(|asked| asked.failure.as_deref().is_some_and(is_left_alone));
        let left = "the breaker was open, so that Salesforce was left alone";
        if let Some(last) = own.last() {
            let times = own.iter().filter(|request| *request == last).count();
            let failed = match (last.is_answered, times) {
                (true, times) => format!("{} {}", last.words, often(times)),
                (false, 1) => last.words.clone(),
                (false, times) => format!("{} ({})", last.words, often(times)),
            };
            return Some(if is_left { format!("{failed}, and {left}") } else { failed });
        }
        if is_left {
            return Some(left.to_owned());
        }
        // What the entry needs besides, such as a look at the VoiceCall.
        let of_entry =
            asked().filter_map(|asked| Some((failed_request(asked)?, &asked.operation))).next_back();
        of_entry.map(|(request, operation)| format!("{} at {operation}", request.words))
    }

    /// Whether Salesforce may hold two records of one call: a create of which nothing was heard, and after it another, or an
    /// update under the key, which makes a record where there is none yet.
    fn twice(&self) -> Option<String> {
        let is_made = |call: &Call| call.is_created() || call.closed_at.is_some();
        let is_meant = |call: &&&Call| call.create_unknown_at.is_some() && is_made(call);
        let call = self.calls.iter().find(is_meant)?;
        let (unheard, id) = (call.create_unknown_at?, call.voice_call_id.as_ref());
        let makes = |asked: &&SalesforceExchange| {
            let by_update = id.is_none() && *asked.operation == *Operation::Update.name();
            by_update || *asked.operation == *Operation::Create.name()
        };
        let asked = self.exchanges.iter().flat_map(|exchange| &exchange.record.salesforce);
        let asked = asked.filter(makes).filter(|asked| !asked.failure.as_deref().is_some_and(is_not_sent));
        let failed: Vec<bool> = asked.map(|asked| asked.failure.is_some()).collect();
        // One that was only answered late made one record; without exchanges nobody knows.
        let is_again = failed.iter().skip_while(|failed| !**failed).any(|failed| !*failed);
        let is_untold = failed.is_empty() && !call.is_only_promised();
        if !(is_again || is_untold) {
            return None;
        }
        let again = id.map_or_else(
            || {
                "an update under the key was sent after it, which makes one where there is none yet"
                    .to_owned()
            },
            |id| format!("one after it made {id}, which the bridge knows"),
        );
        Some(format!(
            "Salesforce may hold two VoiceCalls of it: a create that was given up at {unheard:.0} may have been done after all, and {again}. Look for the vendorCallKey {} in Salesforce.",
            redact::text(call.name.vendor_call_key().as_ref())
        ))
    }
}

/// How far the routing of a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RouteState {
    /// No flow has asked for it.
    NotAsked,
    /// It was asked for; what came of it was not written down.
    Unanswered,
    /// It was asked for, with this result.
    Known(RouteResult),
}

impl RouteState {
    /// Of a call.
    pub(super) fn of(call: &Call) -> Self {
        match (call.routed_at, call.route_result) {
            (None, _) => Self::NotAsked,
            (Some(_), None) => Self::Unanswered,
            (Some(_), Some(result)) => Self::Known(result),
        }
    }
}

/// What an entry asks, as exchanges call it.
fn operation(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Create => Operation::Create.name(),
        EntryKind::Clear | EntryKind::LateClear => Operation::ClearRouting.name(),
        EntryKind::Update => Operation::Update.name(),
    }
}

/// Why something was late of which no attempt has failed.
const NO_FAILURE: &str = "none of its attempts has failed, so it waited for its turn, or no service ran";

/// How the failures begin of what was not sent while the breaker was open.
const LEFT_ALONE: &str = "Salesforce is not asked now";
/// How those begin of what was not sent because the time was over.
const NO_TIME: &str = "no time was left to ask Salesforce";

/// Whether the bridge has sent nothing: its breaker was open, or no time was left.
pub(super) fn is_not_sent(failure: &str) -> bool {
    [LEFT_ALONE, NO_TIME].iter().any(|begins| failure.starts_with(begins))
}

/// How a request to Salesforce failed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct FailedRequest {
    words: String,
    /// Whether the words say what Salesforce answered, so that they can be counted in the same breath.
    is_answered: bool,
}

/// How a request to Salesforce failed; none if it did not, or was not sent.
fn failed_request(asked: &SalesforceExchange) -> Option<FailedRequest> {
    let failure = asked.failure.as_deref().filter(|failure| !is_not_sent(failure))?;
    Some(match asked.status {
        Some(status) => FailedRequest { words: format!("Salesforce answered {status}"), is_answered: true },
        None => FailedRequest { words: redact::text(failure), is_answered: false },
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
fn asked_by(entry: &Entry) -> String {
    let waits = entry.call.as_ref().is_some_and(Call::may_wait_in_queue);
    match entry.kind {
        EntryKind::Create => "The create of the VoiceCall".to_owned(),
        EntryKind::Clear => "Clearing the routing".to_owned(),
        EntryKind::Update if entry.is_final && waits => {
            "The final update, which alone would clear the routing now,".to_owned()
        }
        EntryKind::Update if entry.is_final => "The final update".to_owned(),
        EntryKind::Update => "An update".to_owned(),
        EntryKind::LateClear => {
            "The late clear, of a routing that Salesforce may have made after the caller was gone,".to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{CallCenterName, CallId, CallName, StoredJson, VendorCallKey, VoiceCallId};
    use crate::salesforce::Failure;
    use crate::store::{EntryId, NewEntry};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn call() -> Call {
        let center = CallCenterName::parse("Main").unwrap();
        Call {
            id: CallId(1),
            name: CallName::new(center, VendorCallKey::parse("wxcc_1").unwrap(), None),
            voice_call_id: VoiceCallId::parse("0LQ5g000000abcDGAQ").ok(),
            fingerprint: None,
            start_time: Some(at(0)),
            created_at: Some(at(1)),
            create_unknown_at: None,
            deferred_at: None,
            routed_at: None,
            route_result: None,
            route_at: None,
            cleared_at: None,
            nothing_to_clear_at: None,
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
        why(&CallEvidence {
            calls,
            timeline: None,
            exchanges,
            entries: &[],
            waits: &BTreeMap::new(),
            now: at(90),
        })
    }

    fn attempt(kind: &'static str, second: i64, outcome: &'static str, status: Option<u16>) -> Exchange {
        let failure = Some("Salesforce cannot do this now".to_owned()).filter(|_| status != Some(204));
        let operation = match kind {
            "clear" => "clearRouting",
            "create" => "createVoiceCall",
            _ => "updateVoiceCall",
        };
        let operation = operation.into();
        let asked = SalesforceExchange { operation, after: 0, milliseconds: 1, status, failure };
        let record = ExchangeRecord {
            origin: ExchangeOrigin::Outbox { kind: kind.into(), entry: 7, attempt: Some(1) },
            outcome: outcome.into(),
            milliseconds: 0,
            error: None,
            salesforce: vec![asked],
        };
        let call = CallReference::parse("wxcc_1").unwrap();
        let call_center = CallCenterName::parse("Main").unwrap();
        Exchange { call_center, call, also: None, at: at(second), record }
    }

    #[test]
    fn a_call_in_order_is_told_by_how_far_it_has_come() {
        let created = call();
        let asked = Call { routed_at: Some(at(2)), ..call() };
        let routed = Call { route_result: Some(RouteResult::Routed), ..asked.clone() };
        let refused = Call { route_result: Some(RouteResult::NotRouted), ..asked.clone() };
        let gone = Call { ended_at: Some(at(70)), ..refused.clone() };
        let without_id =
            "The bridge was told no id of the VoiceCall: look for the vendorCallKey wxcc_1 in Salesforce.";
        assert_eq!(
            told(&[&Call { voice_call_id: None, ..gone }], &[]),
            format!(
                "The caller hung up after 1m 10s, and Salesforce had not routed the call; nothing is owed to Salesforce. \
                 {without_id}"
            )
        );
        let answered = Call { answered_at: Some(at(42)), ..routed.clone() };
        let over = Call { ended_at: Some(at(80)), ..answered.clone() };
        let abandoned = Call { ended_at: Some(at(70)), closed_at: Some(at(71)), ..routed.clone() };
        for (call, expected) in [
            (&created, "The VoiceCall is created; no routing, answer or hang-up is known yet."),
            (&routed, "The call waits for an agent since 1m 30s."),
            (
                &asked,
                "Salesforce was asked to route the call, and its answer never came; no answer of an agent or hang-up is known yet.",
            ),
            (&refused, "Salesforce has not routed the call; no answer or hang-up is known yet."),
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
    fn a_hang_up_that_the_bridge_could_not_take_is_told() {
        let mut hang_up = flow(5, &[]);
        let origin = |status| ExchangeOrigin::Flow {
            route: "phoneContactEnded".into(),
            status,
            request_id: "r".to_owned(),
        };
        hang_up.record.origin = origin(503);
        hang_up.record.error = Some("the bridge cannot write to its own database now".to_owned());
        let sentence = "The VoiceCall is created; no routing, answer or hang-up is known yet. But phoneContactEnded was answered \
                        503: the bridge cannot write to its own database now. Nothing of that is kept, so it is to be sent again.";
        assert_eq!(told(&[&call()], std::slice::from_ref(&hang_up)), sentence);
        hang_up.record.origin = origin(200);
        assert!(!told(&[&call()], &[hang_up]).contains("But"));
    }

    #[test]
    fn what_was_late_is_told_with_its_cause() {
        let call = Call { routed_at: Some(at(2)), ended_at: Some(at(10)), closed_at: Some(at(60)), ..call() };
        let mut exchanges: Vec<Exchange> =
            (0..3).map(|number| attempt("clear", 20 + number, "later", Some(503))).collect();
        exchanges.push(attempt("clear", 73, "delivered", Some(204)));
        let sentence = "Routing was cleared 1m 3s after the hang-up: Salesforce answered 503 three times.";
        assert_eq!(told(&[&call], &exchanges), sentence);
        let unanswered =
            [attempt("update", 20, "later", None), attempt("update", 30, "delivered", Some(204))];
        let sentence = "The VoiceCall was updated 20s after the hang-up: Salesforce cannot do this now.";
        assert_eq!(told(&[&call], &unanswered), sentence);
        let twice = [attempt("update", 19, "later", None), unanswered[0].clone(), unanswered[1].clone()];
        assert!(told(&[&call], &twice).ends_with(": Salesforce cannot do this now (twice)."));
        let mut behind = attempt("update", 30, "delivered", Some(204));
        behind.record.origin = ExchangeOrigin::Outbox { kind: "update".into(), entry: 8, attempt: Some(1) };
        let behind = [attempt("clear", 9, "later", Some(503)), behind];
        let sentence = "The VoiceCall was updated 20s after the hang-up: it waited for the clear before it, and Salesforce \
                        answered 503 once.";
        assert_eq!(told(&[&call], &behind), sentence);
        let alone = told(&[&call], &behind[1..]);
        assert!(
            alone.ends_with(
                "hang-up: none of its attempts has failed, so it waited for its turn, or no service ran."
            ),
            "{alone}"
        );
        let soon = [attempt("clear", 11, "delivered", Some(204))];
        assert!(told(&[&call], &soon).starts_with("The caller hung up"));
    }

    /// What a flow asked, of which Salesforce was asked this.
    fn flow(second: i64, asked: &[(&'static str, Option<u16>, Option<&str>)]) -> Exchange {
        let mut exchange = attempt("clear", second, "pending", None);
        let request_id = "r".to_owned();
        exchange.record.origin =
            ExchangeOrigin::Flow { route: "phoneContactEnded".into(), status: 200, request_id };
        let asked = asked.iter().map(|(operation, status, failure)| SalesforceExchange {
            operation: (*operation).into(),
            after: 0,
            milliseconds: 1,
            status: *status,
            failure: failure.map(str::to_owned),
        });
        exchange.record.salesforce = asked.collect();
        exchange
    }

    fn owed(kind: EntryKind, id: i64, exchanges: &[Exchange]) -> String {
        let new = NewEntry { kind, is_final: false, body: StoredJson::new("{}"), next_at: at(60) };
        let center = CallCenterName::parse("Main").unwrap();
        let entries = [Entry::fresh(EntryId(id), new, center, None)];
        let waits = BTreeMap::from([(9, Wait::Breaker { until: Some(at(95)) })]);
        let (call, entries) = (call(), &entries[..]);
        why(&CallEvidence { calls: &[&call], timeline: None, exchanges, entries, waits: &waits, now: at(90) })
    }

    #[test]
    fn a_failure_counts_for_what_failed_and_the_breaker_is_no_cause() {
        let down = Some("Salesforce cannot do this now: HTTP 503");
        let open = Failure::NotAsked { after: Duration::from_secs(1), words: "it is left alone".to_owned() };
        let (open, late) = (open.to_string(), Failure::NoTime.to_string());
        let (open, late) = (Some(open.as_str()), Some(late.as_str()));
        let create = flow(1, &[("createVoiceCall", Some(503), down); 4]);
        let both = flow(2, &[("clearRouting", Some(500), down), ("updateVoiceCall", Some(503), down)]);
        let again = flow(3, &[("clearRouting", Some(503), down), ("clearRouting", None, open)]);
        let exchanges = [create.clone(), both, again, attempt("clear", 4, "later", Some(503))];
        let told = owed(EntryKind::Clear, 7, &exchanges);
        assert_eq!(
            told,
            "Clearing the routing is owed to Salesforce for 30s: Salesforce answered 503 twice, and the breaker was open, so that \
             Salesforce was left alone; next attempt now."
        );
        assert!(owed(EntryKind::Update, 8, &exchanges).contains(": Salesforce answered 503 once;"));
        let left = [create, flow(2, &[("clearRouting", None, late), ("clearRouting", None, open)])];
        assert_eq!(
            owed(EntryKind::Clear, 9, &left),
            "Clearing the routing is owed to Salesforce for 30s: the breaker was open, so that Salesforce was left alone; next \
             attempt in 5s at the earliest: the breaker is open until \
             2026-11-18T11:08:15Z, and Salesforce is left alone."
        );
        let alone = flow(2, &[("clearRouting", None, open)]);
        let told = owed(EntryKind::Clear, 7, &[alone]);
        assert!(told.contains(": the breaker was open, so that Salesforce was left alone;"), "{told}");
        let over = flow(2, &[("clearRouting", None, late)]);
        assert!(!owed(EntryKind::Clear, 7, &[over]).contains("breaker"), "only its time was over");
    }

    #[test]
    fn a_final_update_says_that_it_alone_would_clear_the_routing() {
        let told = |call: Call| {
            let new = NewEntry {
                kind: EntryKind::Update,
                is_final: true,
                body: StoredJson::new("{}"),
                next_at: at(60),
            };
            let center = CallCenterName::parse("Main").unwrap();
            let entries = &[Entry::fresh(EntryId(1), new, center, Some(call.clone()))][..];
            let (calls, exchanges, waits) = (&[&call][..], &[][..], BTreeMap::new());
            why(&CallEvidence { calls, timeline: None, exchanges, entries, waits: &waits, now: at(90) })
        };
        let routed = Call { routed_at: Some(at(2)), ended_at: Some(at(60)), ..call() };
        let alone = told(routed.clone());
        assert!(
            alone.starts_with("The final update, which alone would clear the routing now, is owed"),
            "{alone}"
        );
        let cleared = told(Call { cleared_at: Some(at(59)), ..routed });
        assert!(cleared.starts_with("The final update is owed"), "{cleared}");
        assert!(cleared.ends_with("next attempt now."), "{cleared}");
        let none = told(Call { ended_at: Some(at(60)), created_at: None, voice_call_id: None, ..call() });
        let sentence = " There is no VoiceCall yet: the bridge knows of no createVoiceCall for this call; the final update makes it.";
        assert!(none.ends_with(sentence), "{none}");
    }

    #[test]
    fn a_late_clear_that_waits_is_no_clear_that_is_owed() {
        let center = CallCenterName::parse("Main").unwrap();
        let entry = |id, kind| {
            let new = NewEntry { kind, is_final: false, body: StoredJson::new("{}"), next_at: at(98) };
            Entry::fresh(EntryId(id), new, center.clone(), None)
        };
        let route_result = Some(RouteResult::Routed);
        let (ended_at, closed_at) = (Some(at(70)), Some(at(71)));
        let call = Call { routed_at: Some(at(2)), route_result, ended_at, closed_at, ..call() };
        let told = |entries: &[Entry]| {
            let waits = BTreeMap::new();
            let (calls, exchanges) = (&[&call][..], &[][..]);
            why(&CallEvidence { calls, timeline: None, exchanges, entries, waits: &waits, now: at(90) })
        };
        let late = entry(3, EntryKind::LateClear);
        assert_eq!(
            told(std::slice::from_ref(&late)),
            "The caller hung up after 1m 10s while waiting for an agent; Salesforce has all of it. Salesforce gave \
             executeOmniFlow no answer and may still route the call: a late clear (entry 3) waits on purpose and removes that if \
             the caller is gone by then. It looks in 8s."
        );
        let unseen = told(&[Entry { call: Some(call.clone()), ..late.clone() }]);
        assert!(
            unseen.contains(" A late clear (entry 3) waits on purpose and removes the routing if"),
            "{unseen}"
        );
        let both = told(&[late.clone(), entry(4, EntryKind::Clear)]);
        assert!(both.starts_with("Clearing the routing is owed to Salesforce for "), "{both}");
        assert!(both.contains(" a late clear (entry 3) waits on purpose"), "{both}");
        let done = Entry { attempts: 1, last_words: Some("its routing was cleared".to_owned()), ..late };
        let told = told(&[done]);
        assert!(
            told.ends_with("Its late clear (entry 3) is sent once more in 8s: its routing was cleared."),
            "{told}"
        );
    }

    #[test]
    fn a_voice_call_that_only_flows_have_named_is_none_that_the_bridge_has_lost() {
        let mut update = flow(2, &[("updateVoiceCall", Some(200), None)]);
        update.call = CallReference::parse("0LQ5g000000abcDGAQ").unwrap();
        let told = told(&[], &[update]);
        assert!(
            told.starts_with("The bridge has not created this VoiceCall: flows have only named it"),
            "{told}"
        );
    }

    #[test]
    fn all_buried_entries_are_named_and_an_attempt_that_ended_it_is_no_cause() {
        let center = CallCenterName::parse("Main").unwrap();
        let buried = |id| {
            let kind = EntryKind::Clear;
            let new = NewEntry { kind, is_final: false, body: StoredJson::new("{}"), next_at: at(60) };
            let mut entry = Entry::fresh(EntryId(id), new, center.clone(), None);
            entry.state = EntryState::Buried;
            entry
        };
        let (call, entries) = (call(), [buried(1), buried(2), buried(3)]);
        let waits = BTreeMap::new();
        let told = why(&CallEvidence {
            calls: &[&call],
            timeline: None,
            exchanges: &[],
            entries: &entries,
            waits: &waits,
            now: at(90),
        });
        assert!(told.ends_with("scv-bridge outbox retry 1 2 3."), "{told}");
        let ended = Call { routed_at: Some(at(2)), ended_at: Some(at(10)), ..self::call() };
        let late = [attempt("clear", 20, "later", Some(503)), attempt("clear", 80, "delivered", Some(404))];
        let sentence = self::told(&[&ended], &late);
        assert!(sentence.contains("Salesforce answered 503 once"), "{sentence}");
    }

    #[test]
    fn two_records_of_one_call_are_told_where_a_create_may_have_been_done_unheard() {
        let unheard = Call { create_unknown_at: Some(at(3)), voice_call_id: None, ..call() };
        let late = Some("Salesforce did not answer before the deadline of this route passed");
        let first = flow(1, &[("createVoiceCall", None, late)]);
        let second = flow(5, &[("createVoiceCall", Some(200), None)]);
        let told = |call: &Call, exchanges: &[Exchange]| told(&[call], exchanges);
        let both = told(&unheard, &[first.clone(), second.clone()]);
        assert!(
            both.contains("Salesforce may hold two VoiceCalls of it: a create that was given up at "),
            "{both}"
        );
        assert!(both.ends_with("Look for the vendorCallKey wxcc_1 in Salesforce."), "{both}");
        assert!(told(&unheard, &[]).contains("may hold two"), "without exchanges nobody knows better");
        assert!(
            !told(&unheard, std::slice::from_ref(&first)).contains("may hold two"),
            "its answer came late"
        );
        assert!(!told(&call(), &[second]).contains("may hold two"));
        let ended =
            Call { created_at: None, ended_at: Some(at(4)), closed_at: Some(at(8)), ..unheard.clone() };
        let both = told(&ended, &[first.clone(), attempt("update", 8, "delivered", Some(204))]);
        assert!(both.contains("and an update under the key was sent after it"), "its final update: {both}");
        let deferred = Call { created_at: None, deferred_at: Some(at(5)), ..unheard };
        let update = flow(6, &[("updateVoiceCall", Some(200), None)]);
        let both = told(&deferred, &[first.clone(), update]);
        assert!(both.contains("and an update under the key was sent after it"), "{both}");
        assert!(!told(&deferred, &[first]).contains("may hold two"), "nothing was sent after it");
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
        assert!(told(&closed).contains("; the final update has made the VoiceCall."), "{}", told(&closed));
        let closed = Call { ended_at: Some(at(2)), ..closed };
        let late = [
            create,
            attempt("update", 20, "later", Some(503)),
            attempt("update", 60, "delivered", Some(204)),
        ];
        let late = self::told(&[&closed], &late);
        let sentence = " has made the VoiceCall. That was done 58s after the hang-up: Salesforce answered 503 once. The bridge was told no id";
        assert!(late.contains(sentence), "{late}");
    }

    #[test]
    fn without_any_voice_call_it_says_so() {
        let unknown =
            Call { created_at: None, voice_call_id: None, create_unknown_at: Some(at(1)), ..call() };
        assert!(told(&[&unknown], &[]).starts_with("Nobody knows whether there is a VoiceCall"));
        assert!(told(&[], &[]).starts_with("There is no VoiceCall"));
    }
}
