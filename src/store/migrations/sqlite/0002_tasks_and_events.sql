-- Webex's tasks that have ended, with what their events told until then.
CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    -- Events that were folded, without numbers.
    timeline TEXT,
    -- When it is to be looked at; NULL: nothing is left to do.
    due_at INTEGER,
    claim_owner TEXT,
    claim_until INTEGER,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_by_age ON tasks (updated_at);

-- What was told of tasks since. An event is here once, however often it comes.
CREATE TABLE events (
    task_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    arrived_at INTEGER NOT NULL,
    event TEXT NOT NULL,
    -- Phone numbers, only while the call may have to be logged.
    numbers TEXT,
    PRIMARY KEY (task_id, event_id)
) WITHOUT ROWID;
CREATE INDEX events_by_age ON events (arrived_at);
