//! The journal: what is asked and told of calls.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::batch::{Batch, Job};
use super::note::{AND_GIVE, NoteRow};
use super::row::{CallRow, Millis, read};
use super::sql::{Connection, Insert as _, Query, insert};
use super::task::TaskRow;
use super::{Look, Note, Store, StoreError, Subject};
use crate::domain::{Call, CallCenterName, CallName, CallReference, Interaction, VendorCallKey};

/// Asks whether a call may be created.
#[derive(Debug, Clone)]
pub struct OpenCall {
    /// The call.
    pub call: CallName,
    /// Who asks: this process.
    pub owner: String,
    /// Until when others are to leave the call to us.
    pub lease_until: Timestamp,
    /// Where the window begins: what was created earlier is forgotten.
    pub window: Timestamp,
    /// The current time.
    pub now: Timestamp,
}

/// Whether it may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    /// Yes, and nobody else will until the lease ends. With what is known of it from elsewhere, if anything.
    New(Option<Box<Call>>),
    /// It has been created or deferred already.
    Known(Box<Call>),
    /// Another replica is creating it.
    Busy,
}

/// A question for a call.
#[derive(Debug, Clone)]
pub(super) struct Find {
    pub(super) call_center: CallCenterName,
    pub(super) call: CallReference,
}

/// A lease is free for `excluded`: the call is not created, and nobody else is creating it. One of the same process is
/// left over: its creates of a call take turns, so none of them is in flight.
macro_rules! is_free {
    () => {
        "calls.voice_call_id IS NULL AND calls.deferred_at IS NULL
        AND (calls.lease_until IS NULL OR calls.lease_until <= excluded.updated_at
            OR calls.lease_owner = excluded.lease_owner)"
    };
}

/// Whether nothing is known of a call but perhaps its lease.
macro_rules! knows_nothing {
    () => {
        "calls.body_done = 0
            AND coalesce(calls.voice_call_id, calls.fingerprint, calls.create_body, calls.answered_by) IS NULL
            AND coalesce(calls.start_time, calls.created_at, calls.create_unknown_at, calls.deferred_at,
                calls.routed_at, calls.answered_at, calls.ended_at, calls.closed_at) IS NULL"
    };
}

insert! {
    /// Looks whether creates are known, and leases those that are not. One whose lease another process has left behind is
    /// of unknown end.
    OpenRow {
        call_center: String,
        vendor_call_key: String,
        parent: String,
        lease_owner: String,
        lease_until: i64,
        updated_at: i64,
    }
    concat!(
        "INSERT INTO calls ({columns}) SELECT * FROM {values} AS j WHERE true
        ON CONFLICT (call_center, vendor_call_key, parent) DO UPDATE SET
            lease_owner = CASE WHEN ", is_free!(), " THEN excluded.lease_owner ELSE calls.lease_owner END,
            lease_until = CASE WHEN ", is_free!(), " THEN excluded.lease_until ELSE calls.lease_until END,
            create_unknown_at = CASE WHEN ", is_free!(), " AND calls.lease_owner <> excluded.lease_owner
                THEN coalesce(calls.create_unknown_at, excluded.updated_at) ELSE calls.create_unknown_at END"
    )
}

/// The calls of which more is known now than the lease that was just taken. Nearly every call is new, and costs no more than
/// a look.
const OPENED: &str = concat!(
    "SELECT {text {call calls}} FROM {values} AS j JOIN calls ON calls.call_center = j.call_center
        AND calls.vendor_call_key = j.vendor_call_key AND calls.parent = j.parent
    WHERE NOT (calls.lease_owner = j.lease_owner AND calls.lease_until = j.lease_until AND ",
    knows_nothing!(),
    ") OR calls.lease_owner IS NULL"
);

/// Forgets calls for which nothing is waiting.
#[derive(Serialize)]
struct Forget {
    calls: Vec<i64>,
}

impl Query for Forget {
    type Row = ();
    const SQL: &'static str = "DELETE FROM calls WHERE id IN {each calls int}
            AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.call_id = calls.id AND o.state = 'pending')";
}

/// A call of which nothing but its lease is known.
#[derive(Serialize)]
struct ForgetLeased<'a> {
    call_center: &'a str,
    vendor_call_key: &'a str,
    parent: &'a str,
    owner: &'a str,
}

impl Query for ForgetLeased<'_> {
    type Row = ();
    const SQL: &'static str = concat!(
        "DELETE FROM calls WHERE call_center = {call_center}
            AND vendor_call_key = {vendor_call_key} AND parent = {parent} AND lease_owner = {owner}
            AND ",
        knows_nothing!(),
        " AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.call_id = calls.id)"
    );
}

/// A lease that is over before its time.
#[derive(Serialize)]
#[serde(transparent)]
struct EndCreateLease<'a>(ForgetLeased<'a>);

impl Query for EndCreateLease<'_> {
    type Row = ();
    const SQL: &'static str =
        "UPDATE calls SET lease_owner = NULL, lease_until = NULL WHERE call_center = {call_center}
            AND vendor_call_key = {vendor_call_key} AND parent = {parent} AND lease_owner = {owner}";
}

/// Ends all leases of a process: how the creates that it leased ended is not known.
#[derive(Serialize)]
pub(super) struct EndCreateLeases<'a> {
    pub(super) owner: &'a str,
}

impl Query for EndCreateLeases<'_> {
    type Row = ();
    const SQL: &'static str = "UPDATE calls SET create_unknown_at = coalesce(create_unknown_at, updated_at),
            lease_owner = NULL, lease_until = NULL
        WHERE lease_owner = {owner}";
}

/// Creates that were in flight in a process that is gone, or goes: how they ended is not known, but for those of which the
/// journal knows a record.
#[derive(Serialize)]
#[serde(transparent)]
struct EndInFlight(Vec<InFlightRow>);

#[derive(Serialize)]
struct InFlightRow {
    call_center: CallCenterName,
    vendor_call_key: VendorCallKey,
    parent: String,
    at: Millis,
}

impl Query for EndInFlight {
    type Row = ();
    const SQL: &'static str =
        "INSERT INTO calls (call_center, vendor_call_key, parent, create_unknown_at, updated_at)
        SELECT call_center, vendor_call_key, parent, at, at
        FROM {rows call_center, vendor_call_key, parent, at int} AS j
        WHERE NOT EXISTS (SELECT 1 FROM calls AS c WHERE c.call_center = j.call_center
            AND c.vendor_call_key = j.vendor_call_key AND c.parent = j.parent
            AND coalesce(c.voice_call_id, CAST(c.created_at AS TEXT)) IS NOT NULL)
        ON CONFLICT (call_center, vendor_call_key, parent) DO UPDATE
            SET create_unknown_at = coalesce(calls.create_unknown_at, excluded.create_unknown_at)";
}

/// Calls by id or by key, the newest of each: for all who ask at once.
#[derive(Serialize)]
#[serde(transparent)]
struct Finds<'a>(Vec<FindRow<'a>>);

#[derive(Serialize)]
struct FindRow<'a> {
    at: usize,
    call_center: &'a str,
    key: Option<&'a str>,
    short: Option<&'a str>,
}

/// Its answer.
#[derive(Deserialize)]
struct FoundRow {
    at: usize,
    call: CallRow,
}

impl Query for Finds<'_> {
    type Row = FoundRow;
    const SQL: &'static str = "SELECT {text {object 'at', j.at, 'call', {call c}}}
        FROM {rows at int, call_center, key, short} AS j JOIN calls AS c ON c.id = CASE WHEN j.key IS NOT NULL
            THEN (SELECT max(k.id) FROM calls AS k WHERE k.call_center = j.call_center AND k.vendor_call_key = j.key)
            ELSE (SELECT max(v.id) FROM calls AS v WHERE v.call_center = j.call_center
                AND v.voice_call_id IS NOT NULL AND substr(v.voice_call_id, 1, 15) = j.short) END";
}

/// All calls of a key.
#[derive(Serialize)]
struct OfKey<'a> {
    call_center: &'a str,
    key: &'a str,
}

impl Query for OfKey<'_> {
    type Row = CallRow;
    const SQL: &'static str = "SELECT {text {call c}} FROM calls AS c
        WHERE c.call_center = {call_center} AND c.vendor_call_key = {key} ORDER BY c.id";
}

/// All that is known of an interaction.
#[derive(Serialize)]
struct InteractionOf<'a> {
    call_center: &'a str,
    key: Option<&'a str>,
    short: Option<&'a str>,
}

#[derive(Deserialize)]
struct InteractionRow {
    calls: Vec<CallRow>,
    task: Option<TaskRow>,
}

impl Query for InteractionOf<'_> {
    type Row = InteractionRow;
    const SQL: &'static str = "SELECT {text {object 'calls', {json SELECT {array {call c}} FROM calls AS c
                WHERE c.call_center = i.call_center AND c.vendor_call_key = i.key},
            'task', CASE WHEN i.task_id IS NOT NULL THEN {task i} END}}
        FROM (SELECT k.*, 0 AS news, (SELECT t.timeline FROM tasks AS t WHERE t.task_id = k.task_id) AS timeline
            FROM (SELECT call_center, key, CASE WHEN substr(key, 1, 5) = 'wxcc_' THEN substr(key, 6) END AS task_id
                FROM (SELECT {call_center} AS call_center, coalesce({key}, (SELECT v.vendor_call_key
                    FROM calls AS v WHERE v.call_center = {call_center} AND v.voice_call_id IS NOT NULL
                    AND substr(v.voice_call_id, 1, 15) = {short} ORDER BY v.id DESC LIMIT 1)) AS key) AS n
                WHERE key IS NOT NULL) AS k) AS i";
}

/// The contact centers of the calls with one of these keys, or ids in their short form. It looks at all calls: for people.
#[derive(Serialize)]
struct CentersOf<'a> {
    names: Vec<&'a str>,
}

impl Query for CentersOf<'_> {
    type Row = String;
    const SQL: &'static str = "SELECT DISTINCT {quoted call_center} FROM calls
        WHERE vendor_call_key IN {each names} OR substr(voice_call_id, 1, 15) IN {each names}";
}

/// The keys of the newest calls that continue one of these. It looks at all calls: for people.
#[derive(Serialize)]
struct ContinuationsOf<'a> {
    names: Vec<&'a str>,
    limit: usize,
}

impl Query for ContinuationsOf<'_> {
    type Row = String;
    const SQL: &'static str = "SELECT {quoted vendor_call_key} FROM calls
        WHERE parent <> '' AND parent IN {each names} ORDER BY id DESC LIMIT {limit int}";
}

/// The calls that began at a time, at most two.
#[derive(Serialize)]
struct BeganAt<'a> {
    call_center: &'a str,
    start_time: Millis,
}

impl Query for BeganAt<'_> {
    type Row = CallRow;
    const SQL: &'static str = "SELECT {text {call c}} FROM calls AS c
        WHERE c.call_center = {call_center} AND c.start_time = {start_time int} ORDER BY c.id DESC LIMIT 2";
}

/// The calls of rows of which anything is known: a lease may have left one behind that knows nothing.
fn known(rows: Vec<CallRow>) -> Result<Vec<Call>, StoreError> {
    let calls: Result<Vec<Call>, _> = rows.into_iter().map(CallRow::call).collect();
    let mut calls = calls?;
    calls.retain(|call| call.is_of_a_flow() || call.is_answered() || call.create_lease_until.is_some());
    Ok(calls)
}

impl OpenCall {
    fn row(&self) -> OpenRow {
        OpenRow {
            call_center: self.call.call_center().to_string(),
            vendor_call_key: self.call.vendor_call_key().to_string(),
            parent: self.call.parent().to_owned(),
            lease_owner: self.owner.clone(),
            lease_until: self.lease_until.as_millisecond(),
            updated_at: self.now.as_millisecond(),
        }
    }

    /// Whether `call` was created before the window.
    fn is_too_old(&self, call: &Call) -> bool {
        let created = [call.created_at, call.deferred_at].into_iter().flatten().min();
        call.is_created() && created.unwrap_or(call.updated_at) < self.window
    }
}

impl Find {
    fn row(&self, at: usize) -> FindRow<'_> {
        let call_center = self.call_center.as_ref();
        match &self.call {
            CallReference::Id(id) => FindRow { at, call_center, key: None, short: Some(id.short()) },
            CallReference::Key(key) => FindRow { at, call_center, key: Some(key.as_ref()), short: None },
        }
    }
}

/// Calls by name, with who leases them.
pub(super) type Calls = HashMap<CallName, (Call, Option<String>)>;

fn by_name(rows: Vec<CallRow>) -> Result<Calls, StoreError> {
    let call = |mut row: CallRow| {
        let owner = row.lease_owner.take();
        let call = row.call()?;
        Ok((call.name.clone(), (call, owner)))
    };
    rows.into_iter().map(call).collect()
}

/// Writes all notes of a batch, in the order of their names: replicas that lock the same rows then never wait for each
/// other. Gives the calls that somebody asks for: reading rows back costs more than writing them.
pub(super) async fn note(connection: &mut impl Connection, batch: &Batch) -> Result<Calls, StoreError> {
    let subjects = batch.enqueues.questions.iter().filter_map(|enqueue| match &enqueue.subject {
        Subject::Known(note) => Some(&**note),
        Subject::Unknown(..) => None,
    });
    let settled = batch.settles.questions.iter().filter_map(|settle| settle.note.as_deref());
    let given = subjects.map(|note| (note, true));
    let not_given = batch.notes.questions.iter().map(Arc::as_ref).chain(settled).map(|note| (note, false));
    let mut merged: BTreeMap<&CallName, (Cow<'_, Note>, bool)> = BTreeMap::new();
    for (note, is_given) in given.chain(not_given) {
        merged
            .entry(&note.call)
            .and_modify(|(known, _)| known.to_mut().merge(note))
            .or_insert((Cow::Borrowed(note), is_given));
    }
    let rows = |given| {
        let rows = merged.values().filter(move |(_, is_given)| *is_given == given);
        rows.map(|(note, _)| note.row()).collect::<Vec<_>>()
    };
    connection.insert(NoteRow::SQL, &rows(false)).await?;
    by_name(read(&connection.insert(AND_GIVE, &rows(true)).await?)?)
}

/// Looks at all, leases those that are new, and forgets what is older than the window.
pub(super) async fn open(
    connection: &mut impl Connection,
    opens: &[OpenCall],
) -> Result<Vec<Opened>, StoreError> {
    if opens.is_empty() {
        return Ok(Vec::new());
    }
    let first: BTreeMap<&CallName, &OpenCall> = opens.iter().rev().map(|open| (&open.call, open)).collect();
    let rows = || first.values().map(|open| open.row()).collect::<Vec<_>>();
    let mut known = lease(connection, rows()).await?;
    let too_old = |open: &&OpenCall| known.get(&open.call).filter(|(call, _)| open.is_too_old(call));
    let calls: Vec<i64> =
        first.values().copied().filter_map(|open| too_old(&open)).map(|(call, _)| call.id.0).collect();
    if !calls.is_empty() {
        connection.query(&Forget { calls }).await?;
        known = lease(connection, rows()).await?;
    }
    let mut leased = HashSet::new();
    let is_shared = connection.is_shared();
    Ok(opens.iter().map(|open| opened(open, &known, &mut leased, is_shared)).collect())
}

/// Leases what is free where replicas share the database, and gives what is known of the others; of all in the same order,
/// for replicas that lock the same.
async fn lease(connection: &mut impl Connection, rows: Vec<OpenRow>) -> Result<Calls, StoreError> {
    if connection.is_shared() {
        connection.insert(OpenRow::SQL, &rows).await?;
    }
    by_name(read(&connection.insert(OPENED, &rows).await?)?)
}

fn opened<'a>(
    open: &'a OpenCall,
    known: &Calls,
    leased: &mut HashSet<&'a CallName>,
    is_shared: bool,
) -> Opened {
    // Two of one process who ask at once lease as one; one of them has it.
    let Some((call, owner)) = known.get(&open.call) else {
        return if !is_shared || leased.insert(&open.call) { Opened::New(None) } else { Opened::Busy };
    };
    if call.voice_call_id.is_some() || call.deferred_at.is_some() {
        return Opened::Known(Box::new(call.clone()));
    }
    // The database keeps milliseconds.
    let until = call.create_lease_until.map(Timestamp::as_millisecond);
    let is_ours = owner.as_deref() == Some(&open.owner) && until == Some(open.lease_until.as_millisecond());
    if !is_shared || is_ours && leased.insert(&open.call) {
        return Opened::New(Some(Box::new(call.clone())));
    }
    Opened::Busy
}

/// Finds a call for each.
pub(super) async fn find(
    connection: &mut impl Connection,
    finds: &[Find],
) -> Result<Vec<Option<Call>>, StoreError> {
    let mut found: Vec<Option<Call>> = vec![None; finds.len()];
    if finds.is_empty() {
        return Ok(found);
    }
    let query = Finds(finds.iter().enumerate().map(|(at, find)| find.row(at)).collect());
    for row in connection.query(&query).await? {
        if let Some(place) = found.get_mut(row.at) {
            *place = Some(row.call.call()?);
        }
    }
    Ok(found)
}

/// A call as the journal names it: under its key, or under the form of its id that all ids have.
pub(super) fn kept_name(call: &CallReference) -> &str {
    match call {
        CallReference::Id(id) => id.short(),
        CallReference::Key(key) => key.as_ref(),
    }
}

impl Store {
    /// Before a create: looks whether the call is known, and leases it if it is not: two replicas never create it both, and
    /// if this process dies before Salesforce answers, the next one knows that the end of the create is unknown. A note of the
    /// VoiceCall ends the lease; else whoever has it gives it back ([`Store::release_create`]). On SQLite one process does all,
    /// and its creates of a call take turns: it knows without the database that a call is new.
    ///
    /// # Errors
    /// When the database does not answer. The caller may create all the same: a lease only prevents doubles.
    pub async fn open_call(&self, question: OpenCall) -> Result<Opened, StoreError> {
        let (call, now) = (question.call.clone(), question.now);
        let opened = match self.known.as_ref().is_some_and(|known| !known.may_hold(&call)) {
            true if self.jobs.is_closed() => return Err(StoreError::Closed),
            true => Opened::New(None),
            false => self.ask(|reply| Job::Open(question, reply)).await?,
        };
        if let (Some(in_flight), Opened::New(_)) = (&self.in_flight, &opened) {
            in_flight.begin(&call, now).await?;
        }
        Ok(opened)
    }

    /// Gives a lease back before its time, when no VoiceCall came of the create, after whatever is noted of that. A call of
    /// which nothing else is known is forgotten.
    ///
    /// # Errors
    /// When the database does not answer; the lease then ends by itself.
    pub async fn release_create(&self, call: &CallName, owner: &str) -> Result<(), StoreError> {
        if let Some(in_flight) = &self.in_flight {
            in_flight.give_up(call);
            return Ok(());
        }
        let leased = ForgetLeased {
            call_center: call.call_center().as_ref(),
            vendor_call_key: call.vendor_call_key().as_ref(),
            parent: call.parent(),
            owner,
        };
        self.write(&leased).await?;
        self.write(&EndCreateLease(leased)).await.map(drop)
    }

    /// Notes of the creates in flight that their end is unknown: the process that has sent them is gone, or goes.
    pub(super) async fn end_in_flight(&self) -> Result<(), StoreError> {
        let Some(in_flight) = &self.in_flight else { return Ok(()) };
        let rows = in_flight.all().into_iter().map(|(call, at)| {
            self.announce(&call);
            InFlightRow {
                call_center: call.call_center().clone(),
                vendor_call_key: call.vendor_call_key().clone(),
                parent: call.parent().to_owned(),
                at,
            }
        });
        let rows: Vec<InFlightRow> = rows.collect();
        if !rows.is_empty() {
            self.write(&EndInFlight(rows)).await?;
        }
        in_flight.forget_all().await
    }

    /// Writes down what was learned of a call; it is durable when this returns.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn note(&self, note: impl Into<Arc<Note>>) -> Result<(), StoreError> {
        let note = note.into();
        self.announce(&note.call);
        let ends_create = self.in_flight.as_ref().filter(|_| note.tells_how_create_ended());
        let ends_create = ends_create.map(|in_flight| (in_flight, note.call.clone()));
        if let Some((in_flight, call)) = &ends_create {
            in_flight.is_being_noted(call);
        }
        self.ask(|reply| Job::Note(note, reply)).await?;
        if let Some((in_flight, call)) = ends_create {
            in_flight.end(&call);
        }
        Ok(())
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
        let query = OfKey { call_center: call_center.as_ref(), key: key.as_ref() };
        let mut calls = known(self.read(&query).await?)?;
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
        let query = InteractionOf { call_center: call_center.as_ref(), key, short };
        let Some(row) = self.read(&query).await?.into_iter().next() else {
            return Ok(Interaction::default());
        };
        // What follows the prefix need not be a task of Webex.
        let task = row.task.filter(TaskRow::is_of_webex).map(TaskRow::task).transpose()?;
        let timeline = task.map(|task| task.timeline).unwrap_or_default();
        Ok(Interaction::new(known(row.calls)?, timeline, |agent| self.fingerprint(&[agent])))
    }

    /// The contact centers that have a call of one of these names. It looks at every call, so it is for people only.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn call_centers_of(&self, names: &[CallReference]) -> Result<Vec<CallCenterName>, StoreError> {
        let centers = self.read(&CentersOf { names: names.iter().map(kept_name).collect() }).await?;
        Ok(centers.into_iter().filter_map(|center| CallCenterName::parse(center).ok()).collect())
    }

    /// The keys of calls that continue one of these, the newest first, at most so many: the journal need not know the call
    /// that is continued. It looks at every call, so it is for people only.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn continuations_of(
        &self,
        names: &[CallReference],
        limit: usize,
    ) -> Result<Vec<CallReference>, StoreError> {
        let keys =
            self.read(&ContinuationsOf { names: names.iter().map(kept_name).collect(), limit }).await?;
        Ok(keys.iter().filter_map(|key| CallReference::parse(key).ok()).collect())
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
        let query = BeganAt { call_center: call_center.as_ref(), start_time: start_time.into() };
        self.read(&query).await?.into_iter().map(CallRow::call).collect()
    }
}
