//! What is learned of a call, and how two things learned become one.

use jiff::Timestamp;
use serde::Serialize;

use super::row::millisecond;
use crate::domain::{Call, CallId, CallName, Fingerprint, StoredJson, VoiceCallId};

/// What becomes of the create's request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum CreateBody {
    /// Nothing is said of it.
    #[default]
    Keep,
    /// It failed or was deferred, and may be needed. Of two the store keeps one.
    Set(StoredJson),
    /// It is needed no more and never again.
    Done,
}

/// Something learned of a call. Notes merge: the earliest of two times counts, of two texts a fixed one, and what is known
/// never becomes unknown. Of two VoiceCalls, which should not be, the one counts that was made last, because a flow was told
/// of that last; `created_at` is its own. Of the two forms of one id it is the longer. So notes may come in any order, and
/// more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The call.
    pub call: CallName,
    /// When it was learned.
    pub at: Timestamp,
    /// Its record in Salesforce.
    pub voice_call_id: Option<VoiceCallId>,
    /// What its create said, hashed.
    pub fingerprint: Option<Fingerprint>,
    /// When it began.
    pub start_time: Option<Timestamp>,
    /// When Salesforce made its record, by whatever request.
    pub created_at: Option<Timestamp>,
    /// Since when Salesforce may have made its record by a create whose end nobody knows.
    pub create_unknown_at: Option<Timestamp>,
    /// Who is about to send its create; a note of the VoiceCall takes it back. Written on SQLite only: on
    /// PostgreSQL, where replicas compete for it, [`Store::open_call`](super::Store::open_call) writes it.
    pub claim: Option<Claim>,
    /// When its create was deferred.
    pub deferred_at: Option<Timestamp>,
    /// When it was given a queue or an agent.
    pub routed_at: Option<Timestamp>,
    /// When an agent accepted it.
    pub answered_at: Option<Timestamp>,
    /// Which agent, their id in Webex hashed.
    pub answered_by: Option<Fingerprint>,
    /// When the caller was gone.
    pub ended_at: Option<Timestamp>,
    /// When nothing was left to send. Removes the create's request.
    pub closed_at: Option<Timestamp>,
    /// The create's request.
    pub create_body: CreateBody,
}

/// A create that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// By this process.
    pub owner: String,
    /// Until when it counts as in flight.
    pub until: Timestamp,
}

impl Note {
    /// A note that says nothing yet.
    #[must_use]
    pub fn of(call: CallName, at: Timestamp) -> Self {
        Self {
            call,
            at,
            voice_call_id: None,
            fingerprint: None,
            start_time: None,
            created_at: None,
            create_unknown_at: None,
            claim: None,
            deferred_at: None,
            routed_at: None,
            answered_at: None,
            answered_by: None,
            ended_at: None,
            closed_at: None,
            create_body: CreateBody::Keep,
        }
    }

    /// Takes in what `other` says of the same call, as the statements of the store do with a row.
    pub(crate) fn merge(&mut self, other: &Self) {
        let id = |id: &Option<VoiceCallId>| id.as_ref().map(|id| id.as_ref().to_owned());
        let made = |note: &Self| id(&note.voice_call_id).map(|id| (note.created_at, id));
        self.claim = match self.tells_of_voice_call() || other.tells_of_voice_call() {
            true => None,
            false => self.claim.take().max(other.claim.clone()),
        };
        match (made(self), made(other)) {
            (None, None) => {
                self.created_at = [self.created_at, other.created_at].into_iter().flatten().min();
            }
            (mine, theirs) if theirs > mine => {
                self.voice_call_id.clone_from(&other.voice_call_id);
                self.created_at = other.created_at;
            }
            _ => {}
        }
        self.fingerprint = self.fingerprint.max(other.fingerprint);
        self.answered_by = self.answered_by.max(other.answered_by);
        for (mine, theirs) in [
            (&mut self.start_time, other.start_time),
            (&mut self.create_unknown_at, other.create_unknown_at),
            (&mut self.deferred_at, other.deferred_at),
            (&mut self.routed_at, other.routed_at),
            (&mut self.answered_at, other.answered_at),
            (&mut self.ended_at, other.ended_at),
            (&mut self.closed_at, other.closed_at),
        ] {
            *mine = [*mine, theirs].into_iter().flatten().min();
        }
        self.create_body = match (std::mem::take(&mut self.create_body), &other.create_body) {
            (CreateBody::Done, _) | (_, CreateBody::Done) => CreateBody::Done,
            (CreateBody::Set(mine), CreateBody::Set(theirs)) => CreateBody::Set(mine.max(theirs.clone())),
            (CreateBody::Keep, theirs) => theirs.clone(),
            (mine, CreateBody::Keep) => mine,
        };
        self.at = self.at.max(other.at);
    }

    /// What is known of a call of which nothing but this was ever told. It has no number, because it is in no journal.
    pub(crate) fn as_call(&self) -> Call {
        Call {
            id: CallId(0),
            name: self.call.clone(),
            voice_call_id: self.voice_call_id.clone(),
            fingerprint: self.fingerprint,
            start_time: self.start_time,
            created_at: self.created_at,
            create_unknown_at: self.create_unknown_at,
            deferred_at: self.deferred_at,
            routed_at: self.routed_at,
            answered_at: self.answered_at,
            answered_by: self.answered_by,
            ended_at: self.ended_at,
            closed_at: self.closed_at,
            claimed_until: None,
            create_body: match &self.create_body {
                CreateBody::Set(body) => Some(body.clone()),
                CreateBody::Keep | CreateBody::Done => None,
            },
            updated_at: self.at,
        }
    }

    /// Whether it says that Salesforce has made the VoiceCall.
    fn tells_of_voice_call(&self) -> bool {
        self.voice_call_id.is_some() || self.created_at.is_some()
    }

    /// As the statements read it.
    pub(super) fn row(&self) -> NoteRow<'_> {
        let done = self.closed_at.is_some() || self.create_body == CreateBody::Done;
        NoteRow {
            call_center: self.call.call_center().as_ref(),
            vendor_call_key: self.call.vendor_call_key().as_ref(),
            parent: self.call.parent(),
            voice_call_id: self.voice_call_id.as_ref().map(VoiceCallId::as_ref),
            fingerprint: self.fingerprint.map(|fingerprint| hex::encode(fingerprint.0)),
            start_time: millisecond(self.start_time),
            created_at: millisecond(self.created_at),
            create_unknown_at: millisecond(self.create_unknown_at),
            claim_owner: self.claim.as_ref().map(|claim| claim.owner.as_str()),
            claim_until: millisecond(self.claim.as_ref().map(|claim| claim.until)),
            deferred_at: millisecond(self.deferred_at),
            routed_at: millisecond(self.routed_at),
            answered_at: millisecond(self.answered_at),
            answered_by: self.answered_by.map(|agent| hex::encode(agent.0)),
            ended_at: millisecond(self.ended_at),
            closed_at: millisecond(self.closed_at),
            create_body: match &self.create_body {
                CreateBody::Set(body) if !done => Some(body.expose()),
                _ => None,
            },
            body_done: i64::from(done),
            updated_at: self.at.as_millisecond(),
        }
    }
}

/// A note on its way to the database.
#[derive(Serialize)]
pub(super) struct NoteRow<'a> {
    pub(super) call_center: &'a str,
    pub(super) vendor_call_key: &'a str,
    pub(super) parent: &'a str,
    pub(super) voice_call_id: Option<&'a str>,
    pub(super) fingerprint: Option<String>,
    pub(super) start_time: Option<i64>,
    pub(super) created_at: Option<i64>,
    pub(super) create_unknown_at: Option<i64>,
    pub(super) claim_owner: Option<&'a str>,
    pub(super) claim_until: Option<i64>,
    pub(super) deferred_at: Option<i64>,
    pub(super) routed_at: Option<i64>,
    pub(super) answered_at: Option<i64>,
    pub(super) answered_by: Option<String>,
    pub(super) ended_at: Option<i64>,
    pub(super) closed_at: Option<i64>,
    pub(super) create_body: Option<&'a str>,
    pub(super) body_done: i64,
    pub(super) updated_at: i64,
}
