//! PostgreSQL's statements that merge notes into the journal, and keep events.

use super::postgres::records;
use super::statement::{is_newer_voice_call, tells_of_voice_call};

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
