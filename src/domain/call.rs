//! A call in the journal: everything that flows, webhooks and Salesforce have reported of it, in whatever order.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use super::{CallCenterName, CallReference, VendorCallKey, VoiceCallId};

/// Stands before the beginning of a later flow run, in the place of a parent. No vendorCallKey looks like it.
const RUN: &str = "run@";

/// Half of a fingerprint, in bytes.
const HALF: usize = 16;

/// The identity of a VoiceCall before Salesforce has given it an id. A Transfer with another parent is a new VoiceCall
/// under the same key; so is a later flow run of the same interaction, which is identified by when it began, because the
/// call it continues may get its id only afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallName(Arc<CallNameParts>);

/// What a [`CallName`] consists of. It is shared, because every step of a request keeps the name of its call.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct CallNameParts {
    call_center: CallCenterName,
    vendor_call_key: VendorCallKey,
    parent: String,
}

impl CallName {
    /// A call that continues `parent`, or none. Both forms of an id name the same parent.
    pub fn new(
        call_center: CallCenterName,
        vendor_call_key: VendorCallKey,
        parent: Option<&CallReference>,
    ) -> Self {
        let parent = match parent {
            Some(CallReference::Id(id)) => id.short().to_owned(),
            Some(CallReference::Key(key)) => key.as_ref().to_owned(),
            None => String::new(),
        };
        Self(Arc::new(CallNameParts { call_center, vendor_call_key, parent }))
    }

    /// A later flow run for the interaction of `vendor_call_key`, which began at that millisecond.
    pub fn later_run(call_center: CallCenterName, vendor_call_key: VendorCallKey, began: Timestamp) -> Self {
        let parent = format!("{RUN}{}", began.as_millisecond());
        Self(Arc::new(CallNameParts { call_center, vendor_call_key, parent }))
    }

    /// When it began, if it is a later flow run.
    pub fn run_began(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.0.parent.strip_prefix(RUN)?.parse().ok()?).ok()
    }

    /// Whether the name has neither a parent nor a flow run: the first VoiceCall of its key.
    pub fn is_plain(&self) -> bool {
        self.0.parent.is_empty()
    }

    /// The contact center.
    pub fn call_center(&self) -> &CallCenterName {
        &self.0.call_center
    }

    /// The key of the call.
    pub fn vendor_call_key(&self) -> &VendorCallKey {
        &self.0.vendor_call_key
    }

    /// The call it continues, or when its flow run began; else empty.
    pub fn parent(&self) -> &str {
        &self.0.parent
    }
}

/// The number of a call in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub i64);

/// A keyed hash over the content of a create, so that repeated creates can be compared without storing a phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a create: one half over the whole content, one over everything but the caller's number, which
    /// may change while the call waits.
    pub fn of_create(all: Self, without_caller: Self) -> Self {
        let (mut bytes, half) = (all.0, without_caller.0);
        bytes.iter_mut().skip(HALF).zip(half).for_each(|(byte, other)| *byte = other);
        Self(bytes)
    }

    /// Whether two creates have the same content, the caller's number left out where `caller_may_differ`.
    #[must_use]
    pub fn is_same_create(self, other: Self, caller_may_differ: bool) -> bool {
        let whole = |of: &Self| of.0.first_chunk::<HALF>().copied();
        let rest = |of: &Self| of.0.last_chunk::<HALF>().copied();
        whole(&self) == whole(&other) || caller_may_differ && rest(&self) == rest(&other)
    }
}

/// JSON that is stored for Salesforce. It contains phone numbers, so it has no printable form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredJson(String);

impl StoredJson {
    /// Keeps `json`.
    pub fn new(json: impl Into<String>) -> Self {
        Self(json.into())
    }

    /// The JSON itself: for Salesforce and for an operator who asks for it, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredJson({} bytes)", self.0.len())
    }
}

/// How far a call has come, by the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallProgress {
    /// Only its key is known: its create is in flight or failed, or there was none.
    Unknown,
    /// Salesforce has created its VoiceCall, or the bridge has promised to.
    Created,
    /// The Omni-Channel flow has given it a queue or an agent.
    Routed,
    /// An agent has accepted it.
    Answered,
    /// The caller has hung up.
    Ended,
    /// Its final update is delivered, or nothing is left to send.
    Closed,
}

/// What became of the requests to route a call. Of several the greatest counts: what one has left in Salesforce, a later one
/// that fails does not remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RouteResult {
    /// Salesforce refused, failed or was not asked: it holds no routing.
    NotRouted,
    /// Salesforce's answer never came: it may hold a routing.
    Unknown,
    /// Salesforce gave a queue or an agent.
    Routed,
}

/// A call in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number in the journal.
    pub id: CallId,
    /// Its identity.
    pub name: CallName,
    /// The id of its VoiceCall.
    pub voice_call_id: Option<VoiceCallId>,
    /// The fingerprint of its create.
    pub fingerprint: Option<Fingerprint>,
    /// When it began, by the flow.
    pub start_time: Option<Timestamp>,
    /// When Salesforce created its VoiceCall: by a create, or by an earlier update under its key.
    pub created_at: Option<Timestamp>,
    /// Since when a create with an unknown result may have made its VoiceCall.
    pub create_unknown_at: Option<Timestamp>,
    /// When the flow was answered its key in the place of an id, because Salesforce could not create the VoiceCall in
    /// time.
    pub deferred_at: Option<Timestamp>,
    /// When a flow first asked the Omni-Channel flow for its queue or agent. Flows queue a call after a failure too, so
    /// that counts as routed wherever it is asked what a hang-up means.
    pub routed_at: Option<Timestamp>,
    /// What became of those requests; none where that was not written down.
    pub route_result: Option<RouteResult>,
    /// When Salesforce had routed it for the last time, or may have.
    pub route_at: Option<Timestamp>,
    /// When Salesforce had cleared its routing for the last time.
    pub cleared_at: Option<Timestamp>,
    /// When Salesforce had no routing of it to clear, for the last time.
    pub nothing_to_clear_at: Option<Timestamp>,
    /// When an agent accepted it.
    pub answered_at: Option<Timestamp>,
    /// The agent's id in Webex, hashed, if one was reported.
    pub answered_by: Option<Fingerprint>,
    /// When the caller hung up.
    pub ended_at: Option<Timestamp>,
    /// When nothing was left to send.
    pub closed_at: Option<Timestamp>,
    /// Until when a create of it, of any replica, counts as in flight.
    pub create_lease_until: Option<Timestamp>,
    /// The create that failed or was deferred, only while it may still be needed.
    pub create_body: Option<StoredJson>,
    /// When we last learned something of it.
    pub updated_at: Timestamp,
}

impl Call {
    /// How far it has come.
    pub fn progress(&self) -> CallProgress {
        if self.closed_at.is_some() {
            CallProgress::Closed
        } else if self.ended_at.is_some() {
            CallProgress::Ended
        } else if self.answered_at.is_some() {
            CallProgress::Answered
        } else if self.routed_at.is_some() {
            CallProgress::Routed
        } else if self.is_created() {
            CallProgress::Created
        } else {
            CallProgress::Unknown
        }
    }

    /// Whether it has a VoiceCall, or the bridge has promised one.
    pub fn is_created(&self) -> bool {
        self.voice_call_id.is_some() || self.created_at.is_some() || self.deferred_at.is_some()
    }

    /// Whether its VoiceCall is promised and, as far as is known, not created yet.
    pub fn is_only_promised(&self) -> bool {
        self.deferred_at.is_some() && self.voice_call_id.is_none() && self.created_at.is_none()
    }

    /// Whether a flow has reported it. Calls that no flow has brought here are known from webhooks only.
    pub fn is_of_a_flow(&self) -> bool {
        self.is_created()
            || self.fingerprint.is_some()
            || self.create_body.is_some()
            || self.start_time.is_some()
            || self.routed_at.is_some()
            || self.ended_at.is_some()
            // Its create is in flight, or was in a process that has died.
            || self.create_unknown_at.is_some()
            || self.create_lease_until.is_some()
    }

    /// When it began: a later flow run has the time in its name, of others the earliest reported time counts.
    pub fn began(&self) -> Option<Timestamp> {
        self.name.run_began().or(self.start_time)
    }

    /// Whether the caller is known to have hung up.
    pub fn is_over(&self) -> bool {
        self.ended_at.is_some() || self.closed_at.is_some()
    }

    /// Whether an agent is known to have had it.
    pub fn is_answered(&self) -> bool {
        self.answered_at.is_some()
    }

    /// Whether Salesforce may still offer it to an agent although its caller is gone: it was routed, as far as anybody knows,
    /// and neither answered nor cleared since.
    pub fn may_wait_in_queue(&self) -> bool {
        let was_routed = self.routed_at.is_some() && self.route_result != Some(RouteResult::NotRouted);
        was_routed && !self.is_cleared() && self.answered_at.is_none() && self.closed_at.is_none()
    }

    /// Whether Salesforce is known to hold no routing of it any more, although it may have had one.
    pub fn is_cleared(&self) -> bool {
        let cleared = self.cleared_at.max(self.nothing_to_clear_at);
        cleared.is_some_and(|cleared| self.route_at.or(self.routed_at).is_none_or(|routed| routed <= cleared))
    }

    /// Whether a create of it is in flight at `now`, here or on another replica.
    pub fn is_being_created(&self, now: Timestamp) -> bool {
        !self.is_created() && self.create_lease_until.is_some_and(|until| until > now)
    }

    /// Whether Salesforce may have created its VoiceCall unnoticed: another create might make a second one.
    pub fn is_create_unknown(&self) -> bool {
        self.create_unknown_at.is_some() && self.voice_call_id.is_none() && self.created_at.is_none()
    }

    /// Whether the caller hung up before there was a VoiceCall, and no agent had the call: the final update makes the
    /// record, and a create would make a second one that is never completed.
    pub fn is_logged_by_its_end(&self) -> bool {
        self.ended_at.is_some() && !self.is_created() && !self.is_answered()
    }

    /// Whether an update under its key has made the VoiceCall, and no create has added to it.
    pub fn is_made_by_update(&self) -> bool {
        self.created_at.is_some() && self.voice_call_id.is_none() && self.deferred_at.is_none()
    }

    /// How Salesforce knows it: by id where there is one, else by key.
    pub fn reference(&self) -> CallReference {
        match &self.voice_call_id {
            Some(id) => CallReference::Id(id.clone()),
            None => CallReference::Key(self.name.vendor_call_key().clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(parent: Option<&str>) -> CallName {
        let parent = parent.map(|text| CallReference::parse(text).unwrap());
        CallName::new(
            CallCenterName::parse("Sales").unwrap(),
            VendorCallKey::parse("wxcc_1").unwrap(),
            parent.as_ref(),
        )
    }

    #[test]
    fn both_forms_of_an_id_name_the_same_parent_and_another_parent_is_another_call() {
        assert_eq!(name(Some("0LQ5g000000abcD")), name(Some("0LQ5g000000abcDGAQ")));
        assert_ne!(name(Some("0LQ5g000000abcD")), name(Some("0LQ5g000000abcd")));
        assert_ne!(name(Some("wxcc_0")), name(None));
    }

    #[test]
    fn a_later_run_is_known_by_when_it_began_and_reads_back_from_its_text() {
        let (center, key) =
            (CallCenterName::parse("Sales").unwrap(), VendorCallKey::parse("wxcc_1").unwrap());
        let began = Timestamp::from_millisecond(1_795_255_200_123).unwrap();
        let run = CallName::later_run(center.clone(), key.clone(), began);
        assert_eq!(run.run_began(), Some(began));
        let read = CallReference::parse(run.parent()).unwrap();
        assert_eq!(CallName::new(center, key, Some(&read)), run);
        for other in [name(None), name(Some("wxcc_1")), name(Some("0LQ5g000000abcD"))] {
            assert_eq!((other.run_began(), other == run), (None, false));
        }
    }

    #[test]
    fn only_the_callers_number_may_differ_in_creates_of_one_call_and_only_where_it_may() {
        let print = |byte| Fingerprint([byte; 32]);
        let first = Fingerprint::of_create(print(1), print(9));
        for (other, differs, same) in [
            (first, false, true),
            (Fingerprint::of_create(print(2), print(9)), false, false),
            (Fingerprint::of_create(print(2), print(9)), true, true),
            (Fingerprint::of_create(print(2), print(8)), true, false),
            // As an earlier version has kept it.
            (print(1), false, true),
            (print(2), true, false),
        ] {
            assert_eq!(first.is_same_create(other, differs), same, "{other:?} {differs}");
            assert_eq!(other.is_same_create(first, differs), same, "{other:?} {differs}");
        }
    }

    #[test]
    fn the_stage_is_the_furthest_that_is_known_in_whatever_order_it_was_learned() {
        let at = |second| Some(Timestamp::from_second(second).unwrap());
        let mut call = Call {
            id: CallId(1),
            name: name(None),
            voice_call_id: None,
            fingerprint: None,
            start_time: at(1),
            created_at: None,
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
            create_lease_until: at(10),
            create_body: Some(StoredJson::new("{\"from\":\"+4930123456\"}")),
            updated_at: Timestamp::from_second(1).unwrap(),
        };
        assert_eq!(call.progress(), CallProgress::Unknown);
        assert!(call.is_being_created(Timestamp::from_second(9).unwrap()));
        assert!(!call.is_being_created(Timestamp::from_second(10).unwrap()));
        assert_eq!(call.reference(), CallReference::parse("wxcc_1").unwrap());
        assert!(!format!("{call:?}").contains("4930123456"));
        call.ended_at = at(5);
        assert_eq!(call.progress(), CallProgress::Ended);
        call.answered_at = at(3);
        assert_eq!(call.progress(), CallProgress::Ended);
        call.closed_at = at(7);
        assert_eq!(call.progress(), CallProgress::Closed);
        (call.ended_at, call.closed_at) = (None, None);
        assert_eq!(call.progress(), CallProgress::Answered);
        call.deferred_at = at(2);
        assert!(!call.is_being_created(Timestamp::from_second(9).unwrap()));
    }
}
