//! The journal: what is asked and told of calls.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::Job;
use super::note::Claim;
use super::row::{CallRow, json, read};
use super::task::TaskRow;
use super::{Look, Note, Store, StoreError};
use crate::domain::{Call, CallCenterName, CallName, CallReference, Interaction, VendorCallKey};

/// Asks whether a call may be created.
#[derive(Debug, Clone)]
pub struct OpenCall {
    /// The call.
    pub call: CallName,
    /// Who asks: this process.
    pub owner: String,
    /// Until when others are to leave the call to us.
    pub claim_until: Timestamp,
    /// Where the window begins: what was created earlier is forgotten.
    pub window: Timestamp,
    /// The current time.
    pub now: Timestamp,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Yes, and on PostgreSQL nobody else will until the claim ends. With what is known of it from elsewhere.
    New(Option<Box<Call>>),
    /// It has been created or deferred already.
    Known(Box<Call>),
    /// Another replica is creating it.
    Busy {
        /// When its claim ends, unless it says sooner what came of it.
        until: Timestamp,
    },
}

/// A question for a call.
#[derive(Debug, Clone)]
pub(super) struct Find {
    pub(super) call_center: CallCenterName,
    pub(super) call: CallReference,
}

/// A question on its way to the database.
#[derive(Serialize)]
pub(super) struct FindRow<'a> {
    at: usize,
    call_center: &'a str,
    key: Option<&'a str>,
    short: Option<&'a str>,
}

impl Find {
    pub(super) fn row(&self, at: usize) -> FindRow<'_> {
        let call_center = self.call_center.as_ref();
        match &self.call {
            CallReference::Id(id) => FindRow { at, call_center, key: None, short: Some(id.short()) },
            CallReference::Key(key) => FindRow { at, call_center, key: Some(key.as_ref()), short: None },
        }
    }
}

/// Its answer.
#[derive(Deserialize)]
pub(super) struct FoundRow {
    pub(super) at: usize,
    pub(super) call: CallRow,
}

/// An interaction on its way from the database.
#[derive(Deserialize)]
struct InteractionRow {
    calls: Vec<CallRow>,
    task: Option<TaskRow>,
}

/// The calls of rows of which anything is known: a claim may have left one behind that knows nothing.
fn known(rows: Vec<CallRow>) -> Result<Vec<Call>, StoreError> {
    let calls: Result<Vec<Call>, _> = rows.into_iter().map(CallRow::call).collect();
    let mut calls = calls?;
    calls.retain(|call| call.is_of_a_flow() || call.is_answered() || call.claimed_until.is_some());
    Ok(calls)
}

/// A claim on its way to the database.
#[derive(Serialize)]
pub(super) struct ClaimRow<'a> {
    call_center: &'a str,
    vendor_call_key: &'a str,
    parent: &'a str,
    owner: &'a str,
    until: i64,
    now: i64,
}

impl OpenCall {
    pub(super) fn row(&self) -> ClaimRow<'_> {
        ClaimRow {
            call_center: self.call.call_center().as_ref(),
            vendor_call_key: self.call.vendor_call_key().as_ref(),
            parent: self.call.parent(),
            owner: &self.owner,
            until: self.claim_until.as_millisecond(),
            now: self.now.as_millisecond(),
        }
    }

    /// Whether `call` was created before the window.
    pub(super) fn is_too_old(&self, call: &Call) -> bool {
        let created = [call.created_at, call.deferred_at].into_iter().flatten().min();
        call.is_created() && created.unwrap_or(call.updated_at) < self.window
    }
}

impl Store {
    /// Before a create: looks whether the call is known. On PostgreSQL also claims it, so that two replicas never create it
    /// both. On SQLite one process does all and joins its own creates by itself; it knows without the database that a call
    /// is new, and claims it by [`Store::claim`].
    ///
    /// # Errors
    /// When the database does not answer. The caller may create all the same: a claim only prevents doubles.
    pub async fn open_call(&self, question: OpenCall) -> Result<Opened, StoreError> {
        if self.known.as_ref().is_some_and(|known| !known.may_hold(&question.call)) {
            return if self.jobs.is_closed() { Err(StoreError::Closed) } else { Ok(Opened::New(None)) };
        }
        self.ask(|reply| Job::Open(question, reply)).await
    }

    /// Claims a call that [`Store::open_call`] gave as new, durably, before its create is sent: if this process dies before
    /// the answer comes, the next one knows that the end of the create is unknown. A note of the VoiceCall ends the claim;
    /// else whoever has it gives it back ([`Store::release_claim`]). On PostgreSQL it is claimed already.
    ///
    /// # Errors
    /// As [`Store::open_call`].
    pub async fn claim(&self, question: OpenCall) -> Result<(), StoreError> {
        if self.is_shared() {
            return Ok(());
        }
        let claim = Claim { owner: question.owner, until: question.claim_until };
        self.note(Note { claim: Some(claim), ..Note::of(question.call, question.now) }).await
    }

    /// Gives a claim back before its time, when no VoiceCall came of the create, after whatever is noted of that. A call of
    /// which nothing else is known is forgotten.
    ///
    /// # Errors
    /// When the database does not answer; the claim then ends by itself.
    pub async fn release_claim(&self, call: &CallName, owner: &str) -> Result<(), StoreError> {
        let input = json(&serde_json::json!({
            "call_center": call.call_center().as_ref(),
            "vendor_call_key": call.vendor_call_key().as_ref(),
            "parent": call.parent(),
            "owner": owner,
        }))?;
        for statement in self.dialect().unclaim {
            self.write(statement, input.clone()).await?;
        }
        Ok(())
    }

    /// Writes down what was learned of a call; it is durable when this returns.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn note(&self, note: Note) -> Result<(), StoreError> {
        self.announce(&note);
        self.ask(|reply| Job::Note(Box::new(note), reply)).await
    }

    /// Whether something that only an answered call can tell says more than what the journal holds; none if all calls of
    /// the key are known there as answered. Else whoever has looked at them, and noted what was missing, says so by
    /// [`Store::remember_answered`]. On PostgreSQL there is always something to look at: another replica may know more.
    #[must_use]
    pub fn look_for_answer(&self, key: &VendorCallKey) -> Option<Look> {
        match &self.answered {
            Some(answered) => answered.look(key),
            None => Some(Look::default()),
        }
    }

    /// All calls that a look has found are answered, and that is durable.
    pub fn remember_answered(&self, look: &Look) {
        if let Some(answered) = &self.answered {
            answered.found(look);
        }
    }

    /// Finds a call by its id, in either form, or by its key: then the newest of that key.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find(
        &self,
        call_center: &CallCenterName,
        call: &CallReference,
    ) -> Result<Option<Call>, StoreError> {
        let find = Find { call_center: call_center.clone(), call: call.clone() };
        self.ask(|reply| Job::Find(find, reply)).await
    }

    /// All calls of a key in the order of their beginning: more than one where a call was transferred. One whose
    /// beginning nobody has told comes first.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn calls_of(
        &self,
        call_center: &CallCenterName,
        key: &VendorCallKey,
    ) -> Result<Vec<Call>, StoreError> {
        let input = json(&serde_json::json!({ "call_center": call_center.as_ref(), "key": key.as_ref() }))?;
        let rows = self.read(self.dialect().calls, input).await?;
        let mut calls = known(read(&rows)?)?;
        calls.sort_by_key(|call| (call.began(), call.id));
        Ok(calls)
    }

    /// All that is known of an interaction, read at one moment: by its key, or by the id of one of its VoiceCalls in either
    /// form. Nothing where neither is known.
    ///
    /// # Errors
    /// When the database does not answer, or holds what cannot be read.
    pub async fn interaction(
        &self,
        call_center: &CallCenterName,
        call: &CallReference,
    ) -> Result<Interaction, StoreError> {
        let (key, short) = match call {
            CallReference::Key(key) => (Some(key.as_ref()), None),
            CallReference::Id(id) => (None, Some(id.short())),
        };
        let input =
            json(&serde_json::json!({ "call_center": call_center.as_ref(), "key": key, "short": short }))?;
        let rows = self.read(self.dialect().interaction, input).await?;
        let Some(row) = read::<InteractionRow>(&rows)?.into_iter().next() else {
            return Ok(Interaction::default());
        };
        // What follows the prefix need not be a task of Webex.
        let task = row.task.filter(TaskRow::is_of_webex).map(TaskRow::task).transpose()?;
        let timeline = task.map(|task| task.timeline).unwrap_or_default();
        Ok(Interaction::new(known(row.calls)?, timeline, |agent| self.fingerprint(&[agent])))
    }

    /// Finds the calls that began at `start_time`, at most two: one is found, two are ambiguous.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn find_by_start(
        &self,
        call_center: &CallCenterName,
        start_time: Timestamp,
    ) -> Result<Vec<Call>, StoreError> {
        let input = json(&serde_json::json!({
            "call_center": call_center.as_ref(),
            "start_time": start_time.as_millisecond(),
        }))?;
        let rows = self.read(self.dialect().find_by_start, input).await?;
        read::<CallRow>(&rows)?.into_iter().map(CallRow::call).collect()
    }
}
