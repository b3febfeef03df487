//! PostgreSQL's dialect. Replicas share the database: creates are claimed, entries leased past locked rows.

use super::statement::{
    Dialect, broken_off, held_calls, is_newer_voice_call, is_not_held, known_kinds, knows_nothing,
    tells_of_voice_call,
};

/// An entry as JSON, with its call.
macro_rules! entry {
    () => {
        "(to_jsonb(o) || jsonb_build_object('call', (SELECT to_jsonb(c) FROM calls AS c WHERE c.id = o.call_id)))::text"
    };
}

/// A claim is free for `excluded`: the call is not created, and nobody else is creating it. One of the same process is
/// left over: its creates of a call take turns, so none of them is in flight.
macro_rules! is_free {
    () => {
        "calls.voice_call_id IS NULL AND calls.deferred_at IS NULL
        AND (calls.claim_until IS NULL OR calls.claim_until <= excluded.updated_at
            OR calls.claim_owner = excluded.claim_owner)"
    };
}

/// A column of a claim, replaced if the claim is free and how the create ended is not known.
macro_rules! claim {
    ($column:literal) => {
        concat!(
            $column,
            " = CASE WHEN ",
            is_free!(),
            " THEN excluded.",
            $column,
            " ELSE calls.",
            $column,
            " END"
        )
    };
}

/// The input as `j`, with its fields as columns.
macro_rules! records {
    ($columns:literal) => {
        concat!("json_to_recordset($1::json) AS j(", $columns, ")")
    };
}

/// How far ahead times can lie, as `j`.
macro_rules! far {
    () => {
        "json_to_record($1::json) AS j(now bigint, owner text, lease bigint, next bigint, task bigint, told bigint)"
    };
}

/// The condition of a filter on `o`.
macro_rules! filter {
    () => {
        "($1::json->>'id' IS NULL OR o.id = ($1::json->>'id')::bigint)
        AND ($1::json->>'state' IS NULL OR o.state = $1::json->>'state')
        AND ($1::json->>'call_center' IS NULL OR o.call_center = $1::json->>'call_center')
        AND ($1::json->>'kind' IS NULL OR o.kind = $1::json->>'kind')
        AND ($1::json->>'before' IS NULL OR o.created_at < ($1::json->>'before')::bigint)
        AND ($1::json->>'words' IS NULL
            OR strpos(lower(coalesce(o.reason, '') || ' ' || coalesce(o.last_words, '')), lower($1::json->>'words')) > 0)
        ORDER BY o.id LIMIT ($1::json->>'limit')::bigint"
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
    () => {
        "jsonb_build_object('task_id', t.task_id, 'timeline', t.timeline, 'news', t.news, 'events',
            (SELECT coalesce(jsonb_agg(jsonb_build_object('event_id', e.event_id, 'event', e.event,
                'numbers', e.numbers)), '[]') FROM events AS e WHERE e.task_id = t.task_id))::text"
    };
}

pub(super) const DIALECT: Dialect = Dialect {
    open: concat!(
        "INSERT INTO calls (call_center, vendor_call_key, parent, claim_owner, claim_until, updated_at)
        SELECT call_center, vendor_call_key, parent, owner, until, now FROM ",
        records!("call_center text, vendor_call_key text, parent text, owner text, until bigint, now bigint"),
        " ON CONFLICT (call_center, vendor_call_key, parent) DO UPDATE SET ",
        claim!("claim_owner"), ", ", claim!("claim_until"), ",
            create_unknown_at = CASE WHEN ", is_free!(), " AND calls.claim_owner <> excluded.claim_owner
                THEN coalesce(calls.create_unknown_at, excluded.updated_at) ELSE calls.create_unknown_at END",
        " RETURNING to_jsonb(calls.*)::text"
    ),
    forget: "DELETE FROM calls WHERE id IN (SELECT value::bigint FROM json_array_elements_text($1::json))
            AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.call_id = calls.id AND o.state = 'pending')",
    unclaim: &[concat!(
        "WITH ours AS (SELECT id FROM calls WHERE call_center = $1::json->>'call_center'
            AND vendor_call_key = $1::json->>'vendor_call_key' AND parent = $1::json->>'parent'
            AND claim_owner = $1::json->>'owner' FOR UPDATE
        ), gone AS (DELETE FROM calls WHERE id IN (SELECT id FROM ours) AND ", knows_nothing!("calls"), "
            AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.call_id = calls.id) RETURNING id)
        UPDATE calls SET claim_owner = NULL, claim_until = NULL
        WHERE id IN (SELECT id FROM ours) AND id NOT IN (SELECT id FROM gone)"
    )],
    find: concat!(
        "SELECT jsonb_build_object('at', j.at, 'call', to_jsonb(c))::text FROM ",
        records!("at bigint, call_center text, key text, short text"),
        " JOIN calls AS c ON c.id = CASE WHEN j.key IS NOT NULL
            THEN (SELECT max(k.id) FROM calls AS k WHERE k.call_center = j.call_center AND k.vendor_call_key = j.key)
            ELSE (SELECT max(v.id) FROM calls AS v WHERE v.call_center = j.call_center
                AND v.voice_call_id IS NOT NULL AND substr(v.voice_call_id, 1, 15) = j.short) END"
    ),
    calls: "SELECT to_jsonb(c)::text FROM calls AS c WHERE c.call_center = $1::json->>'call_center'
            AND c.vendor_call_key = $1::json->>'key'
        ORDER BY c.id",
    interaction: concat!(
        "SELECT jsonb_build_object('calls', (SELECT coalesce(jsonb_agg(to_jsonb(c)), '[]') FROM calls AS c
                WHERE c.call_center = t.call_center AND c.vendor_call_key = t.key),
            'task', CASE WHEN t.task_id IS NOT NULL THEN ", task!(), "::jsonb END)::text
        FROM (SELECT k.*, 0 AS news, (SELECT w.timeline FROM tasks AS w WHERE w.task_id = k.task_id) AS timeline
            FROM (SELECT call_center, key, CASE WHEN starts_with(key, 'wxcc_') THEN substr(key, 6) END AS task_id
                FROM (SELECT $1::json->>'call_center' AS call_center, coalesce($1::json->>'key',
                    (SELECT v.vendor_call_key FROM calls AS v WHERE v.call_center = $1::json->>'call_center'
                        AND v.voice_call_id IS NOT NULL AND substr(v.voice_call_id, 1, 15) = $1::json->>'short'
                        ORDER BY v.id DESC LIMIT 1)) AS key) AS n
                WHERE key IS NOT NULL) AS k) AS t"
    ),
    find_by_start: "SELECT to_jsonb(c)::text FROM calls AS c WHERE c.call_center = $1::json->>'call_center'
            AND c.start_time = ($1::json->>'start_time')::bigint
        ORDER BY c.id DESC LIMIT 2",
    standing: "SELECT json_build_object('call_key', call_key, 'final', max(is_final),
            'pending', max((state = 'pending')::int),
            'create', max((state = 'pending' AND kind = 'create')::int))::text
        FROM outbox WHERE call_key IN (SELECT value FROM json_array_elements_text($1::json)) GROUP BY call_key",
    insert: concat!(
        "INSERT INTO outbox (call_center, call_key, call_id, kind, is_final, body, state, created_at, next_at,
            lease_owner, lease_until)
        SELECT call_center, call_key, call_id, kind, is_final, body, 'pending', created_at, next_at, lease_owner,
            lease_until
        FROM ",
        records!(
            "at bigint, call_center text, call_key text, call_id bigint, kind text, is_final bigint, body text,
            created_at bigint, next_at bigint, lease_owner text, lease_until bigint"
        ),
        " ORDER BY at RETURNING id::text"
    ),
    forget_bodies: "UPDATE calls SET create_body = NULL, body_done = 1
        WHERE id IN (SELECT value::bigint FROM json_array_elements_text($1::json))",
    close: concat!(
        "UPDATE calls SET closed_at = least(calls.closed_at, j.now), create_body = NULL, body_done = 1,
            updated_at = greatest(calls.updated_at, j.now)
        FROM ", records!("id bigint, now bigint"), " JOIN outbox AS o ON o.id = j.id WHERE calls.id = o.call_id"
    ),
    delete: "DELETE FROM outbox WHERE id IN (SELECT value::bigint FROM json_array_elements_text($1::json))
        RETURNING id::text",
    postpone: concat!(
        "UPDATE outbox SET state = j.state, attempts = attempts + 1, next_at = j.next_at, last_words = j.words,
            reason = j.reason, buried_at = j.buried_at, lease_owner = NULL, lease_until = NULL
        FROM ",
        records!(
            "id bigint, owner text, state text, next_at bigint, words text, reason text, buried_at bigint"
        ),
        " WHERE outbox.id = j.id AND outbox.state = 'pending' AND outbox.lease_owner = j.owner
        RETURNING outbox.id::text"
    ),
    put_back: concat!(
        "UPDATE outbox SET next_at = j.next_at, lease_owner = NULL, lease_until = NULL
        FROM ",
        records!("id bigint, owner text, next_at bigint"),
        " WHERE outbox.id = j.id AND outbox.state = 'pending' AND outbox.lease_owner = j.owner
        RETURNING outbox.id::text"
    ),
    // Replicas see the return at the same time: they lock the rows in the same order.
    make_due: "UPDATE outbox SET next_at = ($1::json->>'now')::bigint
        WHERE id IN (SELECT o.id FROM outbox AS o
            WHERE o.state = 'pending' AND o.next_at > ($1::json->>'now')::bigint AND o.kind <> 'late_clear'
                AND o.created_at < ($1::json->>'before')::bigint
                AND o.call_center IN (SELECT json_array_elements_text($1::json->'centers'))
            ORDER BY o.id FOR UPDATE)
        RETURNING id::text",
    make_one_due: concat!(
        "UPDATE outbox SET next_at = ($1::json->>'now')::bigint
        WHERE next_at > ($1::json->>'now')::bigint AND id = ANY (ARRAY(SELECT o.id FROM outbox AS o
            WHERE o.state = 'pending' AND (o.lease_until IS NULL OR o.lease_until <= ($1::json->>'now')::bigint)
                AND o.created_at < ($1::json->>'before')::bigint AND o.kind IN ", known_kinds!(), "
                AND o.kind <> 'late_clear'
                AND o.call_center IN (SELECT json_array_elements_text($1::json->'centers'))
                AND ", is_first!(), " ORDER BY o.kind = 'create', o.next_at, o.id LIMIT 1 FOR UPDATE SKIP LOCKED))
        RETURNING id::text"
    ),
    lease: concat!(
        "UPDATE outbox AS o SET lease_owner = $1::json->>'owner', lease_until = ($1::json->>'until')::bigint,
            attempts = attempts + (kind = 'create' AND lease_owner IS NOT NULL)::int,
            last_words = CASE WHEN kind = 'create' AND lease_owner IS NOT NULL THEN '", broken_off!(), "'
                ELSE last_words END
        WHERE o.id = ANY (ARRAY(SELECT o.id FROM outbox AS o
            WHERE o.state = 'pending' AND o.next_at <= ($1::json->>'now')::bigint
            AND (o.lease_until IS NULL OR o.lease_until <= ($1::json->>'now')::bigint)
            AND o.kind IN ", known_kinds!(), "
            AND o.call_center NOT IN (SELECT value FROM json_array_elements_text($1::json->'without'))
            AND ", is_first!(), " ORDER BY o.next_at, o.id LIMIT ($1::json->>'limit')::bigint
            FOR UPDATE SKIP LOCKED))
        RETURNING o.id::text"
    ),
    renew: "UPDATE outbox SET lease_until = ($1::json->>'until')::bigint
        WHERE lease_owner = $1::json->>'owner' AND state = 'pending' RETURNING id::text",
    release: concat!(
        "UPDATE outbox SET lease_owner = NULL, lease_until = NULL, attempts = attempts + (kind = 'create')::int,
            last_words = CASE WHEN kind = 'create' THEN '", broken_off!(), "' ELSE last_words END
        WHERE lease_owner = $1::json->>'owner'
        RETURNING id::text"
    ),
    give_back: "UPDATE outbox SET lease_owner = NULL, lease_until = NULL WHERE lease_owner = $1::json->>'owner'
        AND id IN (SELECT value::bigint FROM json_array_elements_text($1::json->'ids'))
        RETURNING id::text",
    unclaim_all: "UPDATE calls SET create_unknown_at = coalesce(create_unknown_at, updated_at), claim_owner = NULL,
            claim_until = NULL
        WHERE claim_owner = $1::json->>'owner'",
    next_due: concat!(
        "SELECT coalesce(min(greatest(o.next_at, o.lease_until))::text, 'null') FROM outbox AS o
        WHERE $1 IS NOT NULL AND o.state = 'pending' AND o.kind IN ", known_kinds!(), " AND ", is_first!()
    ),
    bring_back_entries: concat!(
        "UPDATE outbox SET created_at = least(created_at, j.now),
            next_at = CASE WHEN next_at > j.next OR created_at > j.told THEN least(next_at, j.now) ELSE next_at END,
            lease_owner = CASE WHEN coalesce(lease_until, 0) <= j.lease
                OR substr(lease_owner, 1, length(j.owner)) = j.owner THEN lease_owner END,
            lease_until = CASE WHEN coalesce(lease_until, 0) <= j.lease
                OR substr(lease_owner, 1, length(j.owner)) = j.owner THEN lease_until END
        FROM ", far!(), " WHERE state = 'pending' AND (created_at > j.told OR next_at > j.next
            OR lease_until > j.lease AND substr(lease_owner, 1, length(j.owner)) <> j.owner)
        RETURNING id::text"
    ),
    bring_back_tasks: concat!(
        "UPDATE tasks SET updated_at = least(updated_at, j.now),
            due_at = CASE WHEN due_at > j.task OR updated_at > j.told THEN least(due_at, j.now) ELSE due_at END,
            claim_owner = CASE WHEN coalesce(claim_until, 0) <= j.lease OR claim_owner = j.owner THEN claim_owner END,
            claim_until = CASE WHEN coalesce(claim_until, 0) <= j.lease OR claim_owner = j.owner THEN claim_until END
        FROM ", far!(), " WHERE due_at IS NOT NULL AND (updated_at > j.told OR due_at > j.task
            OR claim_until > j.lease AND claim_owner <> j.owner)
        RETURNING task_id"
    ),
    bring_back_claims: concat!(
        "UPDATE calls SET create_unknown_at = coalesce(create_unknown_at, j.now), claim_owner = NULL, claim_until = NULL
        FROM ", far!(), " WHERE claim_until > j.lease AND claim_owner <> j.owner"
    ),
    count: "SELECT json_build_object('call_center', call_center, 'state', state, 'entries', count(*),
            'oldest', min(created_at))::text
        FROM outbox WHERE $1 IS NOT NULL GROUP BY call_center, state ORDER BY call_center, state",
    entries: concat!(
        "SELECT ", entry!(), " FROM outbox AS o
        WHERE o.id IN (SELECT value::bigint FROM json_array_elements_text($1::json)) ORDER BY o.id"
    ),
    matching: concat!("SELECT o.id::text FROM outbox AS o WHERE ", filter!()),
    retry: "UPDATE outbox SET state = 'pending', attempts = 0, created_at = ($1::json->>'now')::bigint,
            next_at = ($1::json->>'now')::bigint, reason = NULL, buried_at = NULL
        WHERE state = 'buried' AND id IN (SELECT value::bigint FROM json_array_elements_text($1::json->'ids'))
        RETURNING id::text",
    discard: concat!(
        "DELETE FROM outbox WHERE id IN (SELECT o.id FROM outbox AS o WHERE ", filter!(), ") RETURNING id::text"
    ),
    purge_calls: concat!(
        held_calls!(),
        " DELETE FROM calls WHERE id = ANY (ARRAY(SELECT c.id FROM calls AS c
            WHERE c.updated_at < ($1::json->>'before')::bigint AND ", is_not_held!(), "
            LIMIT ($1::json->>'limit')::bigint FOR UPDATE SKIP LOCKED))
        RETURNING id::text"
    ),
    purge_buried: "DELETE FROM outbox WHERE id = ANY (ARRAY(SELECT id FROM outbox
            WHERE state = 'buried' AND buried_at < ($1::json->>'before')::bigint
            LIMIT ($1::json->>'limit')::bigint FOR UPDATE SKIP LOCKED))
        RETURNING id::text",
    claim: concat!(
        "UPDATE tasks AS t SET claim_owner = $1::json->>'owner', claim_until = ($1::json->>'until')::bigint
        WHERE t.task_id = ANY (ARRAY(SELECT t.task_id FROM tasks AS t
            WHERE t.due_at <= ($1::json->>'now')::bigint
            AND (t.claim_until IS NULL OR t.claim_until <= ($1::json->>'now')::bigint)
            AND NOT EXISTS (SELECT 1 FROM json_array_elements_text($1::json->'without') AS w JOIN calls AS c
                ON c.call_center = w.value AND c.vendor_call_key = 'wxcc_' || t.task_id)
            ORDER BY t.due_at LIMIT ($1::json->>'limit')::bigint FOR UPDATE SKIP LOCKED))
        RETURNING ", task!()
    ),
    fold: "UPDATE tasks SET timeline = $1::json->>'timeline', claim_owner = NULL, claim_until = NULL,
            due_at = CASE WHEN news = ($1::json->>'news')::bigint AND NOT EXISTS (SELECT 1 FROM events AS e
                WHERE e.task_id = tasks.task_id
                AND e.event_id NOT IN (SELECT value FROM json_array_elements_text($1::json->'events')
                    UNION ALL SELECT value FROM json_array_elements_text($1::json->'left')))
                THEN ($1::json->>'due_at')::bigint ELSE ($1::json->>'now')::bigint END,
            updated_at = greatest(updated_at, ($1::json->>'now')::bigint)
        WHERE task_id = $1::json->>'task_id' AND claim_owner = $1::json->>'owner' RETURNING task_id",
    folded: "DELETE FROM events WHERE task_id = $1::json->>'task_id'
            AND event_id IN (SELECT value FROM json_array_elements_text($1::json->'events'))",
    left: "UPDATE events SET numbers = NULL WHERE task_id = $1::json->>'task_id'
            AND event_id IN (SELECT value FROM json_array_elements_text($1::json->'left'))",
    put_off: "UPDATE tasks SET due_at = CASE WHEN updated_at > ($1::json->>'long_ago')::bigint
            THEN ($1::json->>'due_at')::bigint END, claim_owner = NULL, claim_until = NULL
        WHERE task_id = $1::json->>'task_id' AND claim_owner = $1::json->>'owner'",
    task: concat!(
        "SELECT ", task!(), " FROM (SELECT $1::json->>'task_id' AS task_id,
            (SELECT timeline FROM tasks WHERE task_id = $1::json->>'task_id') AS timeline, 0 AS news) AS t"
    ),
    next_task: "SELECT coalesce(min(greatest(due_at, claim_until))::text, 'null') FROM tasks
        WHERE $1 IS NOT NULL AND due_at IS NOT NULL",
    unclaim_tasks: "UPDATE tasks SET claim_owner = NULL, claim_until = NULL WHERE due_at IS NOT NULL
        AND claim_owner = $1::json->>'owner'",
    purge_tasks: "DELETE FROM tasks WHERE task_id = ANY (ARRAY(SELECT task_id FROM tasks
            WHERE updated_at < ($1::json->>'before')::bigint AND due_at IS NULL
            LIMIT ($1::json->>'limit')::bigint FOR UPDATE SKIP LOCKED))
        RETURNING task_id",
    purge_events: "DELETE FROM events WHERE (task_id, event_id) IN (SELECT task_id, event_id FROM events
            WHERE arrived_at < ($1::json->>'before')::bigint AND NOT EXISTS (SELECT 1 FROM tasks AS t
                WHERE t.task_id = events.task_id AND t.due_at IS NOT NULL)
            LIMIT ($1::json->>'limit')::bigint FOR UPDATE SKIP LOCKED)
        RETURNING event_id",
    detail: concat!(
        "INSERT INTO details (vendor_call_key, call_center, parent, kind, source, at, body, is_private, updated_at)
        SELECT vendor_call_key, call_center, parent, kind, source, at, body, is_private, updated_at FROM ",
        records!(
            "vendor_call_key text, call_center text, parent text, kind text, source text, at bigint, body text,
            is_private bigint, updated_at bigint"
        ),
        " ON CONFLICT (vendor_call_key, call_center, parent, kind, source) DO UPDATE
        SET body = CASE WHEN excluded.at >= details.at THEN excluded.body ELSE details.body END,
            at = greatest(details.at, excluded.at), updated_at = greatest(details.updated_at, excluded.updated_at)
        RETURNING to_json(kind)::text"
    ),
    details: "SELECT json_build_object('parent', parent, 'kind', kind, 'source', source, 'at', at,
            'updated_at', updated_at, 'body', body)::text
        FROM details WHERE vendor_call_key = $1::json->>'vendor_call_key'
            AND call_center IN ('', $1::json->>'call_center')
        ORDER BY parent, kind, at, source",
    purge_private: "DELETE FROM details WHERE (vendor_call_key, call_center, parent, kind, source) IN (
            SELECT vendor_call_key, call_center, parent, kind, source FROM details
            WHERE is_private = 1 AND updated_at < ($1::json->>'before')::bigint
            LIMIT ($1::json->>'limit')::bigint FOR UPDATE SKIP LOCKED)
        RETURNING to_json(kind)::text",
    purge_details: "DELETE FROM details WHERE (vendor_call_key, call_center, parent, kind, source) IN (
            SELECT vendor_call_key, call_center, parent, kind, source FROM details AS d
            WHERE d.updated_at < ($1::json->>'before')::bigint AND NOT EXISTS (SELECT 1 FROM calls AS c
                WHERE c.call_center = d.call_center AND c.vendor_call_key = d.vendor_call_key
                AND c.parent = d.parent)
            LIMIT ($1::json->>'limit')::bigint FOR UPDATE SKIP LOCKED)
        RETURNING to_json(kind)::text",
    set: "INSERT INTO meta (key, value) VALUES ($1::json->>'key', $1::json->>'value') ON CONFLICT DO NOTHING",
    get: "SELECT to_json(value)::text FROM meta WHERE key = $1::json->>'key'",
    put: "INSERT INTO meta (key, value) VALUES ($1::json->>'key', $1::json->>'value')
        ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING to_json(key)::text",
    swap: "INSERT INTO meta (key, value) SELECT $1::json->>'key', $1::json->>'new' WHERE $1::json->>'old' IS NULL
            OR EXISTS (SELECT 1 FROM meta WHERE key = $1::json->>'key' AND value = $1::json->>'old')
        ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE meta.value = $1::json->>'old'
        RETURNING to_json(key)::text",
    take_turn: "INSERT INTO meta (key, value) VALUES ($1::json->>'key',
            json_build_object('owner', $1::json->>'owner', 'until', ($1::json->>'until')::bigint)::text)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value
            WHERE meta.value::json->>'owner' = $1::json->>'owner'
            OR (meta.value::json->>'until')::bigint <= ($1::json->>'now')::bigint
            OR (meta.value::json->>'until')::bigint > ($1::json->>'far')::bigint
        RETURNING to_json(key)::text",
    end_turn: "DELETE FROM meta WHERE key = $1::json->>'key' AND value::json->>'owner' = $1::json->>'owner'
        RETURNING to_json(key)::text",
    probe: "INSERT INTO meta (key, value) VALUES ('probe', $1)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    begin: "BEGIN",
};

/// The earliest of two times, of which either may be missing.
macro_rules! earliest {
    ($column:literal) => {
        concat!($column, " = least(calls.", $column, ", excluded.", $column, "), ")
    };
}

/// The greatest of two texts: any fixed choice will do.
macro_rules! greatest {
    ($column:literal) => {
        concat!($column, " = greatest(calls.", $column, ", excluded.", $column, "), ")
    };
}

/// Merges notes into the journal: `[note]`.
macro_rules! note {
    () => {
        concat!(
            "INSERT INTO calls (call_center, vendor_call_key, parent, voice_call_id, fingerprint, start_time, created_at,
                create_unknown_at, deferred_at, routed_at, answered_at, answered_by, ended_at, closed_at, create_body,
                body_done,
                updated_at)
            SELECT call_center, vendor_call_key, parent, voice_call_id, fingerprint, start_time, created_at,
                create_unknown_at, deferred_at, routed_at, answered_at, answered_by, ended_at, closed_at, create_body,
                body_done,
                updated_at
            FROM ",
            records!(
                "call_center text, vendor_call_key text, parent text, voice_call_id text, fingerprint text,
                start_time bigint, created_at bigint, create_unknown_at bigint, deferred_at bigint, routed_at bigint, answered_at bigint,
                answered_by text, ended_at bigint, closed_at bigint, create_body text, body_done bigint, updated_at bigint"
            ),
            " ON CONFLICT (call_center, vendor_call_key, parent) DO UPDATE SET ",
            "created_at = CASE WHEN ", is_newer_voice_call!(), " THEN excluded.created_at
                WHEN calls.voice_call_id IS NOT NULL THEN calls.created_at
                ELSE least(calls.created_at, excluded.created_at) END,
            voice_call_id = CASE WHEN ", is_newer_voice_call!(), " THEN excluded.voice_call_id
                ELSE calls.voice_call_id END,
            claim_owner = CASE WHEN ", tells_of_voice_call!(), " THEN NULL ELSE calls.claim_owner END,
            claim_until = CASE WHEN ", tells_of_voice_call!(), " THEN NULL ELSE calls.claim_until END, ",
            greatest!("fingerprint"), earliest!("start_time"), earliest!("create_unknown_at"),
            earliest!("deferred_at"), earliest!("routed_at"), earliest!("answered_at"),
            greatest!("answered_by"), earliest!("ended_at"), earliest!("closed_at"),
            "create_body = CASE WHEN greatest(calls.body_done, excluded.body_done) = 1 THEN NULL
                ELSE greatest(calls.create_body, excluded.create_body) END,
            body_done = greatest(calls.body_done, excluded.body_done),
            updated_at = greatest(calls.updated_at, excluded.updated_at)"
        )
    };
}

/// Merges notes into the journal: `[note]`.
pub(super) const NOTE: &str = note!();

/// The same, and gives the calls.
pub(super) const LEARN: &str = concat!(note!(), " RETURNING to_jsonb(calls.*)::text");

/// Keeps events, makes the tasks due that end by them, and those that ended before: `[event]`. Every task that has ended
/// is changed, so that who folds it meanwhile, on another replica, waits for this or is waited for.
pub(super) const KEEP: &str = concat!(
    "WITH kept AS (
        INSERT INTO events (task_id, event_id, arrived_at, due_at, is_end, event, numbers)
        SELECT task_id, event_id, arrived_at, due_at, is_end, event, numbers FROM ",
    records!(
        "task_id text, event_id text, arrived_at bigint, due_at bigint, is_end bigint, event text, numbers text"
    ),
    " ON CONFLICT DO NOTHING RETURNING task_id, arrived_at, due_at, is_end
    ), told AS (
        SELECT task_id, max(arrived_at) AS now, min(due_at) AS due_at, max(is_end) AS is_end
        FROM kept WHERE is_end < 2 GROUP BY task_id ORDER BY task_id
    ), ended AS (
        INSERT INTO tasks (task_id, due_at, updated_at) SELECT task_id, due_at, now FROM told WHERE is_end = 1
        ON CONFLICT (task_id) DO UPDATE SET news = tasks.news + 1, due_at = least(tasks.due_at, excluded.due_at),
            updated_at = greatest(tasks.updated_at, excluded.updated_at)
    )
    UPDATE tasks SET news = tasks.news + 1, due_at = least(tasks.due_at, told.due_at)
    FROM told WHERE tasks.task_id = told.task_id AND told.is_end = 0"
);
