//! A call in the journal: everything that is known of it, whoever reported it and in whatever order.

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;

use super::{CallCenterName, CallReference, VendorCallKey, VoiceCallId};

/// Before the beginning of a later flow run, in the place of a parent. No vendor's key looks like it.
const RUN: &str = "run@";

/// Half of a fingerprint, in bytes.
const HALF: usize = 16;

/// What tells one VoiceCall from another before Salesforce has given it an id. A Transfer with another parent is
/// a new VoiceCall under the same key; so is a later flow run for the same interaction, which is known by when it
/// began: what it continues may get its id only afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallName {
    call_center: CallCenterName,
    vendor_call_key: VendorCallKey,
    parent: String,
}

impl CallName {
    /// A call that continues `parent`, or none. Both forms of an id name the same parent.
    #[must_use]
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
        Self { call_center, vendor_call_key, parent }
    }

    /// A later flow run for the interaction of `vendor_call_key`, which began at that millisecond.
    #[must_use]
    pub fn later_run(call_center: CallCenterName, vendor_call_key: VendorCallKey, began: Timestamp) -> Self {
        Self { call_center, vendor_call_key, parent: format!("{RUN}{}", began.as_millisecond()) }
    }

    /// When it began, if it is a later flow run.
    #[must_use]
    pub fn run_began(&self) -> Option<Timestamp> {
        Timestamp::from_millisecond(self.parent.strip_prefix(RUN)?.parse().ok()?).ok()
    }

    /// Whether it is the first that its key stood for, as far as its name tells.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.parent.is_empty()
    }

    /// The contact center.
    #[must_use]
    pub fn call_center(&self) -> &CallCenterName {
        &self.call_center
    }

    /// The key of the call.
    #[must_use]
    pub fn vendor_call_key(&self) -> &VendorCallKey {
        &self.vendor_call_key
    }

    /// What tells it from others under its key: the call it continues, or when its flow run began; else empty.
    #[must_use]
    pub fn parent(&self) -> &str {
        &self.parent
    }
}

/// The number of a call in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub i64);

/// A keyed hash over what a create says of a call, so that repeated creates can be compared without keeping a
/// phone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Of a create, one half over all that it says of its call, one over all but the caller's number, which may change
    /// while the call waits.
    #[must_use]
    pub fn of_create(all: Self, without_caller: Self) -> Self {
        let (mut bytes, half) = (all.0, without_caller.0);
        bytes.iter_mut().skip(HALF).zip(half).for_each(|(byte, other)| *byte = other);
        Self(bytes)
    }

    /// Whether two creates say the same of their call, the caller's number left out where `caller_may_differ`.
    #[must_use]
    pub fn is_same_create(self, other: Self, caller_may_differ: bool) -> bool {
        let whole = |of: &Self| of.0.first_chunk::<HALF>().copied();
        let rest = |of: &Self| of.0.last_chunk::<HALF>().copied();
        whole(&self) == whole(&other) || caller_may_differ && rest(&self) == rest(&other)
    }
}

/// JSON that is kept for Salesforce. It holds phone numbers, so it has no printable form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredJson(String);

impl StoredJson {
    /// Keeps `json`.
    #[must_use]
    pub fn new(json: impl Into<String>) -> Self {
        Self(json.into())
    }

    /// The JSON itself: for Salesforce and for an operator who asks for it, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

/// How far a call has come, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallProgress {
    /// We know its key, no more: its create is in flight or failed, or was never ours.
    Unknown,
    /// Salesforce has made its record, or we have promised to.
    Created,
    /// The Omni-Channel flow has given it a queue or an agent.
    Routed,
    /// An agent has accepted it.
    Answered,
    /// The caller is gone.
    Ended,
    /// Its final update is delivered, or nothing is left to send.
    Closed,
}

/// What is known of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its number in the journal.
    pub id: CallId,
    /// What tells it from others.
    pub name: CallName,
    /// Its record in Salesforce.
    pub voice_call_id: Option<VoiceCallId>,
    /// What its create said, hashed.
    pub fingerprint: Option<Fingerprint>,
    /// When it began, in the flow's words.
    pub start_time: Option<Timestamp>,
    /// When Salesforce made its record: by a create, or by an update under its key that came before.
    pub created_at: Option<Timestamp>,
    /// Since when Salesforce may have made its record by a create whose end nobody knows.
    pub create_unknown_at: Option<Timestamp>,
    /// When the flow was told its key in the place of an id, because Salesforce could not create it in time.
    pub deferred_at: Option<Timestamp>,
    /// When the Omni-Channel flow gave it a queue or an agent.
    pub routed_at: Option<Timestamp>,
    /// When an agent accepted it.
    pub answered_at: Option<Timestamp>,
    /// Which agent, their id in Webex hashed, if anybody said so.
    pub answered_by: Option<Fingerprint>,
    /// When the caller was gone.
    pub ended_at: Option<Timestamp>,
    /// When nothing was left to send.
    pub closed_at: Option<Timestamp>,
    /// Until when a create of it, of any replica, counts as in flight. Kept on PostgreSQL only.
    pub claimed_until: Option<Timestamp>,
    /// The create that failed or was deferred, only while it may still be needed.
    pub create_body: Option<StoredJson>,
    /// When we last learned something of it.
    pub updated_at: Timestamp,
}

impl Call {
    /// How far it has come.
    #[must_use]
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

    /// Whether it has a record, or we have promised one.
    #[must_use]
    pub fn is_created(&self) -> bool {
        self.voice_call_id.is_some() || self.created_at.is_some() || self.deferred_at.is_some()
    }

    /// Whether its record was promised, and Salesforce has not made it yet, as far as we know.
    #[must_use]
    pub fn is_only_promised(&self) -> bool {
        self.deferred_at.is_some() && self.voice_call_id.is_none() && self.created_at.is_none()
    }

    /// Whether a flow has told of it. Webhooks alone tell that it was answered, and that of calls that no flow has
    /// brought here, too.
    #[must_use]
    pub fn is_of_a_flow(&self) -> bool {
        self.is_created()
            || self.fingerprint.is_some()
            || self.create_body.is_some()
            || self.start_time.is_some()
            || self.routed_at.is_some()
            || self.ended_at.is_some()
            // Its create is in flight, or that of a process that is gone was.
            || self.create_unknown_at.is_some()
            || self.claimed_until.is_some()
    }

    /// When it began: a later flow run is known by it, of others the earliest word counts.
    #[must_use]
    pub fn began(&self) -> Option<Timestamp> {
        self.name.run_began().or(self.start_time)
    }

    /// Whether the caller is known to be gone.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.ended_at.is_some() || self.closed_at.is_some()
    }

    /// Whether an agent is known to have had it.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.answered_at.is_some()
    }

    /// Whether a create of it is in flight at `now`, here or on another replica.
    #[must_use]
    pub fn is_being_created(&self, now: Timestamp) -> bool {
        !self.is_created() && self.claimed_until.is_some_and(|until| until > now)
    }

    /// Whether Salesforce may have made its record without our knowing: another create might make a second one.
    #[must_use]
    pub fn is_create_unknown(&self) -> bool {
        self.create_unknown_at.is_some() && self.voice_call_id.is_none() && self.created_at.is_none()
    }

    /// Whether the caller was gone before there was a record, and no agent had the call: the final update makes the
    /// record, and a create would make a second one that nobody ever completes.
    #[must_use]
    pub fn is_logged_by_its_end(&self) -> bool {
        self.ended_at.is_some() && !self.is_created() && !self.is_answered()
    }

    /// Whether an update under its key has made the record, and no create has said more of it.
    #[must_use]
    pub fn is_made_by_update(&self) -> bool {
        self.created_at.is_some() && self.voice_call_id.is_none() && self.deferred_at.is_none()
    }

    /// How Salesforce knows it: by id where we have one, else by key.
    #[must_use]
    pub fn reference(&self) -> CallReference {
        match &self.voice_call_id {
            Some(id) => CallReference::Id(id.clone()),
            None => CallReference::Key(self.name.vendor_call_key.clone()),
        }
    }
}
