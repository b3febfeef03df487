//! What is learned of a call, and how two things learned become one.

use jiff::Timestamp;

use super::row::{fingerprint_text, route_number};
use super::sql::insert;
use crate::domain::{Call, CallId, CallName, Fingerprint, RouteResult, StoredJson, VoiceCallId};

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

/// Something learned of a call. Notes merge: the earliest of two times counts, but of routings and clears the latest, of two texts a fixed one, and what is known
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
    /// When its create was deferred.
    pub deferred_at: Option<Timestamp>,
    /// When a flow asked for its queue or agent.
    pub routed_at: Option<Timestamp>,
    /// What became of that.
    pub route_result: Option<RouteResult>,
    /// When Salesforce had routed it, or may have. Of this and the next two the latest time counts: a call can be routed again.
    pub route_at: Option<Timestamp>,
    /// When Salesforce had cleared its routing.
    pub cleared_at: Option<Timestamp>,
    /// When Salesforce had no routing of it to clear.
    pub nothing_to_clear_at: Option<Timestamp>,
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
            create_body: CreateBody::Keep,
        }
    }

    /// Takes in what `other` says of the same call, as the statements of the store do with a row.
    pub(crate) fn merge(&mut self, other: &Self) {
        let id = |id: &Option<VoiceCallId>| id.as_ref().map(|id| id.as_ref().to_owned());
        let made = |note: &Self| id(&note.voice_call_id).map(|id| (note.created_at, id));
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
        self.route_result = self.route_result.max(other.route_result);
        self.route_at = self.route_at.max(other.route_at);
        self.cleared_at = self.cleared_at.max(other.cleared_at);
        self.nothing_to_clear_at = self.nothing_to_clear_at.max(other.nothing_to_clear_at);
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
            route_result: self.route_result,
            route_at: self.route_at,
            cleared_at: self.cleared_at,
            nothing_to_clear_at: self.nothing_to_clear_at,
            answered_at: self.answered_at,
            answered_by: self.answered_by,
            ended_at: self.ended_at,
            closed_at: self.closed_at,
            create_lease_until: None,
            create_body: match &self.create_body {
                CreateBody::Set(body) => Some(body.clone()),
                CreateBody::Keep | CreateBody::Done => None,
            },
            updated_at: self.at,
        }
    }

    /// Whether it says how a create ended: that Salesforce has made the VoiceCall, or that nobody knows.
    pub(super) fn tells_how_create_ended(&self) -> bool {
        self.voice_call_id.is_some() || self.created_at.is_some() || self.create_unknown_at.is_some()
    }

    /// As the statement reads it.
    pub(super) fn row(&self) -> NoteRow {
        let done = self.closed_at.is_some() || self.create_body == CreateBody::Done;
        let number = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
        NoteRow {
            call_center: self.call.call_center().to_string(),
            vendor_call_key: self.call.vendor_call_key().to_string(),
            parent: self.call.parent().to_owned(),
            voice_call_id: self.voice_call_id.as_ref().map(ToString::to_string),
            fingerprint: self.fingerprint.and_then(fingerprint_text),
            start_time: number(self.start_time),
            created_at: number(self.created_at),
            create_unknown_at: number(self.create_unknown_at),
            deferred_at: number(self.deferred_at),
            routed_at: number(self.routed_at),
            route_result: self.route_result.map(route_number),
            route_at: number(self.route_at),
            cleared_at: number(self.cleared_at),
            nothing_to_clear_at: number(self.nothing_to_clear_at),
            answered_at: number(self.answered_at),
            answered_by: self.answered_by.and_then(fingerprint_text),
            ended_at: number(self.ended_at),
            closed_at: number(self.closed_at),
            create_body: match &self.create_body {
                CreateBody::Set(body) if !done => Some(body.expose().to_owned()),
                _ => None,
            },
            body_done: i64::from(done),
            updated_at: self.at.as_millisecond(),
        }
    }
}

/// Whether the VoiceCall of a note takes the place of the one that the journal has: it was made later, and the flow was told
/// of it last.
macro_rules! is_newer_voice_call {
    () => {
        "excluded.voice_call_id IS NOT NULL AND (calls.voice_call_id IS NULL
            OR (coalesce(excluded.created_at, 0), excluded.voice_call_id)
                > (coalesce(calls.created_at, 0), calls.voice_call_id))"
    };
}

/// Whether a note tells that the VoiceCall is made: then nobody needs to create it any more, whoever was about to. A create
/// that failed tells nothing of the one of another process, which ends its lease by itself.
macro_rules! tells_of_voice_call {
    () => {
        "coalesce(excluded.voice_call_id, CAST(excluded.created_at AS TEXT)) IS NOT NULL"
    };
}

/// What a column becomes: the earliest of two times, or of two texts any fixed choice.
macro_rules! merged {
    ($which:literal: $($column:literal)*) => {
        concat!($($column, " = {", $which, " calls.", $column, ", excluded.", $column, "}, "),*)
    };
}

/// Merges notes into the journal.
macro_rules! merge {
    () => {
    concat!(
        "INSERT INTO calls ({columns}) SELECT * FROM {values} AS j WHERE true
        ON CONFLICT (call_center, vendor_call_key, parent) DO UPDATE SET
            created_at = CASE WHEN ", is_newer_voice_call!(), " THEN excluded.created_at
                WHEN calls.voice_call_id IS NOT NULL THEN calls.created_at
                ELSE {earliest calls.created_at, excluded.created_at} END,
            voice_call_id = CASE WHEN ", is_newer_voice_call!(), " THEN excluded.voice_call_id
                ELSE calls.voice_call_id END,
            lease_owner = CASE WHEN ", tells_of_voice_call!(), " THEN NULL ELSE calls.lease_owner END,
            lease_until = CASE WHEN ", tells_of_voice_call!(), " THEN NULL ELSE calls.lease_until END, ",
        merged!("earliest": "start_time" "create_unknown_at" "deferred_at" "routed_at" "answered_at"
            "ended_at" "closed_at"),
        merged!("latest": "fingerprint" "route_result" "route_at" "cleared_at" "nothing_to_clear_at" "answered_by" "body_done" "updated_at"),
        "create_body = CASE WHEN {latest calls.body_done, excluded.body_done} = 1 THEN NULL
            ELSE {latest calls.create_body, excluded.create_body} END"
    )
    };
}

insert! {
    /// A note on its way to the database: [`Note::merge`] in the words of SQL.
    NoteRow {
        call_center: String,
        vendor_call_key: String,
        parent: String,
        voice_call_id: Option<String>,
        fingerprint: Option<String>,
        start_time: Option<i64>,
        created_at: Option<i64>,
        create_unknown_at: Option<i64>,
        deferred_at: Option<i64>,
        routed_at: Option<i64>,
        route_result: Option<i64>,
        route_at: Option<i64>,
        cleared_at: Option<i64>,
        nothing_to_clear_at: Option<i64>,
        answered_at: Option<i64>,
        answered_by: Option<String>,
        ended_at: Option<i64>,
        closed_at: Option<i64>,
        create_body: Option<String>,
        body_done: i64,
        updated_at: i64,
    }
    merge!()
}

/// The same, to be given the calls.
pub(super) const AND_GIVE: &str = concat!(merge!(), " RETURNING {text {call calls}}");
