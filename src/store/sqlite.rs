//! SQLite's dialect. There is one process, so nothing is locked by hand, and what another process holds is left over: a
//! claim is read by the next one only, to know what this one was about to create.

use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Row as _, Sqlite};

use super::StoreError;
use super::note::NoteRow;
use super::statement::{
    Dialect, broken_off, held_calls, is_newer_voice_call, is_not_held, known_kinds, knows_nothing,
    tells_of_voice_call,
};
use super::task::EventRow;

/// A row as JSON: the columns of the table called `$table`.
macro_rules! object {
    ($table:literal, $($column:literal)*) => {
        concat!("'id',", $table, ".id" $(, ",'", $column, "',", $table, ".", $column)*)
    };
}

/// A call as JSON.
macro_rules! call {
    ($table:literal) => {
        concat!(
            "json_object(",
            object!(
                $table, "call_center" "vendor_call_key" "parent" "voice_call_id" "fingerprint" "start_time"
                "created_at" "create_unknown_at" "deferred_at" "routed_at" "answered_at" "answered_by" "ended_at" "closed_at"
                "create_body" "updated_at"
            ),
            ")"
        )
    };
}

/// An entry as JSON, with its call.
macro_rules! entry {
    ($table:literal) => {
        concat!(
            "json_object(",
            object!(
                $table, "call_center" "kind" "is_final" "body" "state" "attempts" "created_at" "next_at"
                "lease_until" "last_words" "reason" "buried_at"
            ),
            ",'call',json((SELECT ", call!("c"), " FROM calls AS c WHERE c.id = ", $table, ".call_id)))"
        )
    };
}

/// The earliest of two times, of which either may be missing.
macro_rules! earliest {
    ($column:literal) => {
        concat!(
            $column,
            " = min(coalesce(",
            $column,
            ", excluded.",
            $column,
            "), coalesce(excluded.",
            $column,
            ", ",
            $column,
            ")), "
        )
    };
}

/// The greatest of two texts: any fixed choice will do.
macro_rules! greatest {
    ($column:literal) => {
        concat!(
            $column,
            " = max(coalesce(",
            $column,
            ", excluded.",
            $column,
            "), coalesce(excluded.",
            $column,
            ", ",
            $column,
            ")), "
        )
    };
}

/// The condition of a filter on `o`.
macro_rules! filter {
    () => {
        "(?1->>'id' IS NULL OR o.id = ?1->>'id')
        AND (?1->>'state' IS NULL OR o.state = ?1->>'state')
        AND (?1->>'call_center' IS NULL OR o.call_center = ?1->>'call_center')
        AND (?1->>'kind' IS NULL OR o.kind = ?1->>'kind')
        AND (?1->>'before' IS NULL OR o.created_at < ?1->>'before')
        AND (?1->>'words' IS NULL
            OR instr(lower(coalesce(o.reason, '') || ' ' || coalesce(o.last_words, '')), lower(?1->>'words')) > 0)
        ORDER BY o.id LIMIT coalesce(?1->>'limit', -1)"
    };
}

/// No earlier entry of the same call is waiting.
macro_rules! is_first {
    () => {
        "NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.call_key = o.call_key AND e.state = 'pending' AND e.id < o.id)"
    };
}

/// A task as JSON, with its events.
macro_rules! task {
    ($table:literal) => {
        concat!(
            "json_object('task_id', ", $table, ".task_id, 'timeline', ", $table, ".timeline, 'news', ", $table, ".news, 'events', json((SELECT
                json_group_array(json_object('event_id', e.event_id, 'event', e.event, 'numbers', e.numbers))
                FROM events AS e WHERE e.task_id = ", $table, ".task_id)))"
        )
    };
}

/// Before the rows of events.
pub(super) const EVENTS: &str =
    "INSERT INTO events (task_id, event_id, arrived_at, due_at, is_end, event, numbers)
    SELECT * FROM (VALUES ";

/// A row of an event.
pub(super) const EVENT: &str = "(?,?,?,?,?,?,?)";

/// After the rows of events.
pub(super) const KEPT: &str = ") WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING";

/// Reads the names of calls: `{after, limit}`, gives `{id, call_center, vendor_call_key, parent}`.
pub(super) const NAMES: &str = "SELECT json_object('id', id, 'call_center', call_center,
        'vendor_call_key', vendor_call_key, 'parent', parent)
    FROM calls WHERE id > ?1->>'after' ORDER BY id LIMIT ?1->>'limit'";

/// Before the rows of notes.
pub(super) const NOTES: &str = "INSERT INTO calls (call_center, vendor_call_key, parent, voice_call_id, fingerprint,
        start_time, created_at, create_unknown_at, claim_owner, claim_until, deferred_at, routed_at, answered_at, answered_by, ended_at, closed_at, create_body,
        body_done, updated_at)
    SELECT * FROM (VALUES ";

/// A row of a note.
pub(super) const NOTED: &str = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";

/// After the rows of notes: merges them into the journal.
pub(super) const MERGED: &str = concat!(
    ") WHERE column1 IS NOT NULL ON CONFLICT (call_center, vendor_call_key, parent) DO UPDATE SET ",
    "created_at = CASE WHEN ", is_newer_voice_call!(), " THEN excluded.created_at
        WHEN calls.voice_call_id IS NOT NULL THEN calls.created_at
        ELSE min(coalesce(calls.created_at, excluded.created_at), coalesce(excluded.created_at, calls.created_at)) END,
    voice_call_id = CASE WHEN ", is_newer_voice_call!(), " THEN excluded.voice_call_id ELSE calls.voice_call_id END,
    claim_owner = CASE WHEN ", tells_of_voice_call!(), " THEN NULL
        ELSE coalesce(excluded.claim_owner, calls.claim_owner) END,
    claim_until = CASE WHEN ", tells_of_voice_call!(), " THEN NULL
        ELSE coalesce(excluded.claim_until, calls.claim_until) END, ",
    greatest!("fingerprint"), earliest!("start_time"), earliest!("create_unknown_at"),
    earliest!("deferred_at"), earliest!("routed_at"), earliest!("answered_at"),
    greatest!("answered_by"), earliest!("ended_at"), earliest!("closed_at"),
    "create_body = CASE WHEN max(body_done, excluded.body_done) = 1 THEN NULL
        ELSE max(coalesce(create_body, excluded.create_body), coalesce(excluded.create_body, create_body)) END,
    body_done = max(body_done, excluded.body_done),
    updated_at = max(updated_at, excluded.updated_at)"
);

/// After that, to be given the calls.
pub(super) const TOLD: &str = concat!(" RETURNING ", call!("calls"));

/// What an earlier process was about to create is of unknown end.
pub(super) const LEFT_CLAIMS: &str =
    "UPDATE calls SET create_unknown_at = coalesce(create_unknown_at, updated_at),
        claim_owner = NULL, claim_until = NULL
    WHERE claim_owner IS NOT NULL";

/// What an earlier process was trying is due for this one.
pub(super) const LEFT_LEASES: &str = concat!(
    "UPDATE outbox SET lease_owner = NULL, lease_until = NULL, attempts = attempts + (kind = 'create'),
        last_words = CASE WHEN kind = 'create' THEN '",
    broken_off!(),
    "' ELSE last_words END
    WHERE lease_owner IS NOT NULL"
);

pub(super) const DIALECT: Dialect = Dialect {
    open: concat!(
        "SELECT ", call!("c"), " FROM json_each(?1) AS j JOIN calls AS c ON c.call_center = j.value->>'call_center'
            AND c.vendor_call_key = j.value->>'vendor_call_key' AND c.parent = j.value->>'parent'"
    ),
    forget: "DELETE FROM calls WHERE id IN (SELECT value FROM json_each(?1))
            AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.call_id = calls.id AND o.state = 'pending')",
    unclaim: &[concat!(
        "DELETE FROM calls WHERE call_center = ?1->>'call_center' AND vendor_call_key = ?1->>'vendor_call_key'
            AND parent = ?1->>'parent' AND claim_owner = ?1->>'owner' AND ", knows_nothing!("calls"), "
            AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.call_id = calls.id)"
    ), "UPDATE calls SET claim_owner = NULL, claim_until = NULL
        WHERE call_center = ?1->>'call_center' AND vendor_call_key = ?1->>'vendor_call_key'
            AND parent = ?1->>'parent' AND claim_owner = ?1->>'owner'"],
    find: concat!(
        "SELECT json_object('at', j.value->>'at', 'call', ", call!("c"), ")
        FROM json_each(?1) AS j JOIN calls AS c ON c.id = CASE WHEN j.value->>'key' IS NOT NULL
            THEN (SELECT max(k.id) FROM calls AS k
                WHERE k.call_center = j.value->>'call_center' AND k.vendor_call_key = j.value->>'key'
                AND (k.claim_owner IS NULL OR NOT (", knows_nothing!("k"), ")))
            ELSE (SELECT max(v.id) FROM calls AS v WHERE v.call_center = j.value->>'call_center'
                AND v.voice_call_id IS NOT NULL AND substr(v.voice_call_id, 1, 15) = j.value->>'short') END"
    ),
    calls: concat!(
        "SELECT ", call!("c"), " FROM calls AS c
        WHERE c.call_center = ?1->>'call_center' AND c.vendor_call_key = ?1->>'key' ORDER BY c.id"
    ),
    interaction: concat!(
        "SELECT json_object('calls', json((SELECT json_group_array(", call!("c"), ") FROM calls AS c
                WHERE c.call_center = i.call_center AND c.vendor_call_key = i.key)),
            'task', CASE WHEN i.task_id IS NOT NULL THEN ", task!("i"), " END)
        FROM (SELECT k.*, 0 AS news, (SELECT t.timeline FROM tasks AS t WHERE t.task_id = k.task_id) AS timeline
            FROM (SELECT call_center, key, CASE WHEN substr(key, 1, 5) = 'wxcc_' THEN substr(key, 6) END AS task_id
                FROM (SELECT ?1->>'call_center' AS call_center, coalesce(?1->>'key', (SELECT v.vendor_call_key
                    FROM calls AS v WHERE v.call_center = ?1->>'call_center' AND v.voice_call_id IS NOT NULL
                    AND substr(v.voice_call_id, 1, 15) = ?1->>'short' ORDER BY v.id DESC LIMIT 1)) AS key)
                WHERE key IS NOT NULL) AS k) AS i"
    ),
    find_by_start: concat!(
        "SELECT ", call!("c"), " FROM calls AS c
        WHERE c.call_center = ?1->>'call_center' AND c.start_time = ?1->>'start_time' ORDER BY c.id DESC LIMIT 2"
    ),
    standing: "SELECT json_object('call_key', call_key, 'final', max(is_final), 'pending', max(state = 'pending'),
            'create', max(state = 'pending' AND kind = 'create'))
        FROM outbox WHERE call_key IN (SELECT value FROM json_each(?1)) GROUP BY call_key",
    insert: "INSERT INTO outbox (call_center, call_key, call_id, kind, is_final, body, state, created_at, next_at,
            lease_owner, lease_until)
        SELECT value->>'call_center', value->>'call_key', value->>'call_id', value->>'kind', value->>'is_final',
            value->>'body', 'pending', value->>'created_at', value->>'next_at', value->>'lease_owner',
            value->>'lease_until'
        FROM json_each(?1) WHERE true ORDER BY key
        RETURNING CAST(id AS TEXT)",
    forget_bodies: "UPDATE calls SET create_body = NULL, body_done = 1 WHERE id IN (SELECT value FROM json_each(?1))",
    close: "UPDATE calls SET closed_at = min(coalesce(closed_at, j.now), j.now), create_body = NULL, body_done = 1,
            updated_at = max(updated_at, j.now)
        FROM (SELECT value->>'id' AS id, value->>'now' AS now FROM json_each(?1)) AS j
        WHERE calls.id = (SELECT o.call_id FROM outbox AS o WHERE o.id = j.id)",
    delete: "DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?1)) RETURNING CAST(id AS TEXT)",
    postpone: "UPDATE outbox SET state = j.state, attempts = attempts + 1, next_at = j.next_at, last_words = j.words,
            reason = j.reason, buried_at = j.buried_at, lease_owner = NULL, lease_until = NULL
        FROM (SELECT value->>'id' AS id, value->>'owner' AS owner, value->>'state' AS state,
            value->>'next_at' AS next_at, value->>'words' AS words, value->>'reason' AS reason,
            value->>'buried_at' AS buried_at FROM json_each(?1)) AS j
        WHERE outbox.id = j.id AND outbox.state = 'pending' AND outbox.lease_owner = j.owner
        RETURNING CAST(outbox.id AS TEXT)",
    put_back: "UPDATE outbox SET next_at = j.next_at, lease_owner = NULL, lease_until = NULL
        FROM (SELECT value->>'id' AS id, value->>'owner' AS owner, value->>'next_at' AS next_at
            FROM json_each(?1)) AS j
        WHERE outbox.id = j.id AND outbox.state = 'pending' AND outbox.lease_owner = j.owner
        RETURNING CAST(outbox.id AS TEXT)",
    make_due: "UPDATE outbox SET next_at = ?1->>'now'
        WHERE state = 'pending' AND next_at > ?1->>'now' AND created_at < ?1->>'before' AND kind <> 'late_clear'
            AND call_center IN (SELECT value FROM json_each(?1, '$.centers'))
        RETURNING CAST(id AS TEXT)",
    make_one_due: concat!(
        "UPDATE outbox SET next_at = ?1->>'now'
        WHERE next_at > ?1->>'now' AND id IN (SELECT o.id FROM outbox AS o WHERE o.state = 'pending'
            AND (o.lease_until IS NULL OR o.lease_until <= ?1->>'now') AND o.created_at < ?1->>'before'
            AND o.kind IN ", known_kinds!(), " AND o.kind <> 'late_clear'
            AND o.call_center IN (SELECT value FROM json_each(?1, '$.centers'))
            AND ", is_first!(), " ORDER BY o.kind = 'create', o.next_at, o.id LIMIT 1)
        RETURNING CAST(id AS TEXT)"
    ),
    lease: concat!(
        "UPDATE outbox SET lease_owner = ?1->>'owner', lease_until = ?1->>'until',
            attempts = attempts + (kind = 'create' AND lease_owner IS NOT NULL),
            last_words = CASE WHEN kind = 'create' AND lease_owner IS NOT NULL THEN '", broken_off!(), "'
                ELSE last_words END
        WHERE id IN (SELECT o.id FROM outbox AS o WHERE o.state = 'pending' AND o.next_at <= ?1->>'now'
            AND (o.lease_until IS NULL OR o.lease_until <= ?1->>'now')
            AND o.kind IN ", known_kinds!(), "
            AND o.call_center NOT IN (SELECT value FROM json_each(?1, '$.without'))
            AND ", is_first!(), " ORDER BY o.next_at, o.id LIMIT ?1->>'limit')
        RETURNING CAST(id AS TEXT)"
    ),
    renew: "UPDATE outbox SET lease_until = ?1->>'until' WHERE lease_owner = ?1->>'owner' AND state = 'pending'
        RETURNING CAST(id AS TEXT)",
    release: concat!(
        "UPDATE outbox SET lease_owner = NULL, lease_until = NULL, attempts = attempts + (kind = 'create'),
            last_words = CASE WHEN kind = 'create' THEN '", broken_off!(), "' ELSE last_words END
        WHERE lease_owner = ?1->>'owner'
        RETURNING CAST(id AS TEXT)"
    ),
    give_back: "UPDATE outbox SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = ?1->>'owner'
        AND id IN (SELECT value FROM json_each(?1, '$.ids'))
        RETURNING CAST(id AS TEXT)",
    unclaim_all: "UPDATE calls SET create_unknown_at = coalesce(create_unknown_at, updated_at), claim_owner = NULL,
            claim_until = NULL
        WHERE claim_owner = ?1->>'owner'",
    next_due: concat!(
        "SELECT json_quote(min(max(o.next_at, coalesce(o.lease_until, o.next_at)))) FROM outbox AS o
        WHERE ?1 IS NOT NULL AND o.state = 'pending' AND o.kind IN ", known_kinds!(), " AND ", is_first!()
    ),
    bring_back_entries: "UPDATE outbox SET created_at = min(created_at, ?1->>'now'),
            next_at = CASE WHEN next_at > ?1->>'next' OR created_at > ?1->>'told'
                THEN min(next_at, ?1->>'now') ELSE next_at END,
            lease_owner = CASE WHEN coalesce(lease_until, 0) <= ?1->>'lease'
                OR substr(lease_owner, 1, length(?1->>'owner')) = ?1->>'owner' THEN lease_owner END,
            lease_until = CASE WHEN coalesce(lease_until, 0) <= ?1->>'lease'
                OR substr(lease_owner, 1, length(?1->>'owner')) = ?1->>'owner' THEN lease_until END
        WHERE state = 'pending' AND (created_at > ?1->>'told' OR next_at > ?1->>'next'
            OR lease_until > ?1->>'lease' AND substr(lease_owner, 1, length(?1->>'owner')) <> ?1->>'owner')
        RETURNING CAST(id AS TEXT)",
    bring_back_tasks: "UPDATE tasks SET updated_at = min(updated_at, ?1->>'now'),
            due_at = CASE WHEN due_at > ?1->>'task' OR updated_at > ?1->>'told'
                THEN min(due_at, ?1->>'now') ELSE due_at END,
            claim_owner = CASE WHEN coalesce(claim_until, 0) <= ?1->>'lease' OR claim_owner = ?1->>'owner'
                THEN claim_owner END,
            claim_until = CASE WHEN coalesce(claim_until, 0) <= ?1->>'lease' OR claim_owner = ?1->>'owner'
                THEN claim_until END
        WHERE due_at IS NOT NULL AND (updated_at > ?1->>'told' OR due_at > ?1->>'task'
            OR claim_until > ?1->>'lease' AND claim_owner <> ?1->>'owner')
        RETURNING task_id",
    // Nobody waits for a claim here.
    bring_back_claims: "UPDATE calls SET claim_until = NULL WHERE ?1 IS NULL",
    count: "SELECT json_object('call_center', call_center, 'state', state, 'entries', count(*),
            'oldest', min(created_at))
        FROM outbox WHERE ?1 IS NOT NULL GROUP BY call_center, state ORDER BY call_center, state",
    entries: concat!(
        "SELECT ", entry!("o"), " FROM outbox AS o WHERE o.id IN (SELECT value FROM json_each(?1)) ORDER BY o.id"
    ),
    matching: concat!("SELECT CAST(o.id AS TEXT) FROM outbox AS o WHERE ", filter!()),
    retry: "UPDATE outbox SET state = 'pending', attempts = 0, created_at = ?1->>'now', next_at = ?1->>'now',
            reason = NULL, buried_at = NULL
        WHERE state = 'buried' AND id IN (SELECT value FROM json_each(?1, '$.ids'))
        RETURNING CAST(id AS TEXT)",
    discard: concat!(
        "DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox AS o WHERE ", filter!(), ")
        RETURNING CAST(id AS TEXT)"
    ),
    purge_calls: concat!(
        held_calls!(),
        " DELETE FROM calls WHERE id IN (SELECT c.id FROM calls AS c WHERE c.updated_at < ?1->>'before'
            AND ", is_not_held!(), " LIMIT ?1->>'limit')
        RETURNING CAST(id AS TEXT)"
    ),
    purge_buried: "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox
            WHERE state = 'buried' AND buried_at < ?1->>'before' LIMIT ?1->>'limit')
        RETURNING CAST(id AS TEXT)",
    claim: concat!(
        "UPDATE tasks SET claim_owner = ?1->>'owner', claim_until = ?1->>'until'
        WHERE task_id IN (SELECT t.task_id FROM tasks AS t WHERE t.due_at <= ?1->>'now'
            AND (t.claim_until IS NULL OR t.claim_until <= ?1->>'now')
            AND NOT EXISTS (SELECT 1 FROM json_each(?1, '$.without') AS w JOIN calls AS c
                ON c.call_center = w.value AND c.vendor_call_key = 'wxcc_' || t.task_id)
            ORDER BY t.due_at LIMIT ?1->>'limit')
        RETURNING ", task!("tasks")
    ),
    fold: "UPDATE tasks SET timeline = ?1->>'timeline', claim_owner = NULL, claim_until = NULL,
            due_at = CASE news WHEN ?1->>'news' THEN ?1->>'due_at' ELSE ?1->>'now' END,
            updated_at = max(updated_at, ?1->>'now')
        WHERE task_id = ?1->>'task_id' AND claim_owner = ?1->>'owner' RETURNING task_id",
    folded: "DELETE FROM events WHERE task_id = ?1->>'task_id'
            AND event_id IN (SELECT value FROM json_each(?1, '$.events'))",
    left: "UPDATE events SET numbers = NULL WHERE task_id = ?1->>'task_id'
            AND event_id IN (SELECT value FROM json_each(?1, '$.left'))",
    put_off: "UPDATE tasks SET due_at = CASE WHEN updated_at > ?1->>'long_ago' THEN ?1->>'due_at' END, claim_owner = NULL, claim_until = NULL
        WHERE task_id = ?1->>'task_id' AND claim_owner = ?1->>'owner'",
    task: concat!(
        "SELECT ", task!("t"), " FROM (SELECT ?1->>'task_id' AS task_id,
            (SELECT timeline FROM tasks WHERE task_id = ?1->>'task_id') AS timeline, 0 AS news) AS t"
    ),
    next_task: "SELECT json_quote(min(max(due_at, coalesce(claim_until, due_at)))) FROM tasks
        WHERE ?1 IS NOT NULL AND due_at IS NOT NULL",
    unclaim_tasks: "UPDATE tasks SET claim_owner = NULL, claim_until = NULL WHERE due_at IS NOT NULL
        AND claim_owner = ?1->>'owner'",
    purge_tasks: "DELETE FROM tasks WHERE task_id IN (SELECT task_id FROM tasks
            WHERE updated_at < ?1->>'before' AND due_at IS NULL LIMIT ?1->>'limit')
        RETURNING task_id",
    purge_events: "DELETE FROM events WHERE (task_id, event_id) IN (SELECT task_id, event_id FROM events
            WHERE arrived_at < ?1->>'before' AND NOT EXISTS (SELECT 1 FROM tasks AS t
                WHERE t.task_id = events.task_id AND t.due_at IS NOT NULL) LIMIT ?1->>'limit')
        RETURNING event_id",
    detail: "INSERT INTO details (vendor_call_key, call_center, parent, kind, source, at, body, is_private, updated_at)
        SELECT value->>'vendor_call_key', value->>'call_center', value->>'parent', value->>'kind', value->>'source',
            value->>'at', value->>'body', value->>'is_private', value->>'updated_at'
        FROM json_each(?1) WHERE true
        ON CONFLICT DO UPDATE SET body = CASE WHEN excluded.at >= at THEN excluded.body ELSE body END,
            at = max(at, excluded.at), updated_at = max(updated_at, excluded.updated_at)",
    details: "SELECT json_object('parent', parent, 'kind', kind, 'source', source, 'at', at, 'updated_at', updated_at,
            'body', body)
        FROM details WHERE vendor_call_key = ?1->>'vendor_call_key' AND call_center IN ('', ?1->>'call_center')
        ORDER BY parent, kind, at, source",
    purge_private: "DELETE FROM details WHERE (vendor_call_key, call_center, parent, kind, source) IN (
            SELECT vendor_call_key, call_center, parent, kind, source FROM details
            WHERE is_private = 1 AND updated_at < ?1->>'before' LIMIT ?1->>'limit')
        RETURNING json_quote(kind)",
    purge_details: "DELETE FROM details WHERE (vendor_call_key, call_center, parent, kind, source) IN (
            SELECT vendor_call_key, call_center, parent, kind, source FROM details AS d
            WHERE d.updated_at < ?1->>'before' AND NOT EXISTS (SELECT 1 FROM calls AS c
                WHERE c.call_center = d.call_center AND c.vendor_call_key = d.vendor_call_key
                AND c.parent = d.parent) LIMIT ?1->>'limit')
        RETURNING json_quote(kind)",
    set: "INSERT INTO meta (key, value) VALUES (?1->>'key', ?1->>'value') ON CONFLICT DO NOTHING",
    get: "SELECT json_quote(value) FROM meta WHERE key = ?1->>'key'",
    put: "INSERT INTO meta (key, value) SELECT ?1->>'key', ?1->>'value' WHERE true
        ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    swap: "INSERT INTO meta (key, value) SELECT ?1->>'key', ?1->>'new' WHERE ?1->>'old' IS NULL
            OR EXISTS (SELECT 1 FROM meta WHERE key = ?1->>'key' AND value = ?1->>'old')
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.value = ?1->>'old'
        RETURNING json_quote(key)",
    take_turn: "INSERT INTO meta (key, value)
        SELECT ?1->>'key', json_object('owner', ?1->>'owner', 'until', ?1->>'until') WHERE true
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
            WHERE meta.value->>'owner' = ?1->>'owner' OR meta.value->>'until' <= ?1->>'now'
                OR meta.value->>'until' > ?1->>'far'
        RETURNING json_quote(key)",
    end_turn: "DELETE FROM meta WHERE key = ?1->>'key' AND value->>'owner' = ?1->>'owner' RETURNING json_quote(key)",
    probe: "INSERT INTO meta (key, value) SELECT 'probe', ?1 WHERE true
        ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    begin: "BEGIN IMMEDIATE",
};

/// Merges notes, one for each call.
pub(super) async fn note(connection: &mut SqliteConnection, notes: &[NoteRow<'_>]) -> Result<(), StoreError> {
    let query = sqlx::query(AssertSqlSafe(over_rows(NOTES, NOTED, notes.len(), &[MERGED])));
    bind(query, notes).execute(connection).await?;
    Ok(())
}

/// Merges notes, one for each call, and gives the calls.
pub(super) async fn learn(
    connection: &mut SqliteConnection,
    notes: &[NoteRow<'_>],
) -> Result<Vec<String>, StoreError> {
    let query = sqlx::query(AssertSqlSafe(over_rows(NOTES, NOTED, notes.len(), &[MERGED, TOLD])));
    let rows = bind(query, notes).fetch_all(connection).await?;
    rows.iter().map(|row| row.try_get(0).map_err(StoreError::from)).collect()
}

/// A statement over `rows` rows, with room for a power of two of them, so that the connection keeps a few prepared
/// statements. A row to which nothing is bound is all NULL, and left out.
fn over_rows(before: &str, row: &str, rows: usize, after: &[&str]) -> String {
    let rows = vec![row; rows.next_power_of_two()].join(",");
    [&[before, &rows], after].concat().concat()
}

fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    notes: &[NoteRow<'_>],
) -> Query<'q, Sqlite, SqliteArguments> {
    notes.iter().fold(query, |query, note| {
        query
            .bind(note.call_center.to_owned())
            .bind(note.vendor_call_key.to_owned())
            .bind(note.parent.to_owned())
            .bind(note.voice_call_id.map(str::to_owned))
            .bind(note.fingerprint.clone())
            .bind(note.start_time)
            .bind(note.created_at)
            .bind(note.create_unknown_at)
            .bind(note.claim_owner.map(str::to_owned))
            .bind(note.claim_until)
            .bind(note.deferred_at)
            .bind(note.routed_at)
            .bind(note.answered_at)
            .bind(note.answered_by.clone())
            .bind(note.ended_at)
            .bind(note.closed_at)
            .bind(note.create_body.map(str::to_owned))
            .bind(note.body_done)
            .bind(note.updated_at)
    })
}

/// Keeps events that are not kept yet.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    events: &[EventRow<'_>],
) -> Result<(), StoreError> {
    let query = sqlx::query(AssertSqlSafe(over_rows(EVENTS, EVENT, events.len(), &[KEPT])));
    let query = events.iter().fold(query, |query, event| {
        query
            .bind(event.task_id.to_owned())
            .bind(event.event_id.to_owned())
            .bind(event.arrived_at)
            .bind(event.due_at)
            .bind(event.is_end)
            .bind(event.event.clone())
            .bind(event.numbers.map(str::to_owned))
    });
    query.execute(connection).await?;
    Ok(())
}
