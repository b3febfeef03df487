-- Webex's tasks that have ended, with what their events told until then.
CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    -- Events that were folded, without numbers.
    timeline TEXT,
    -- When it is to be looked at; NULL: nothing is left to do.
    due_at INTEGER,
    -- Counts what was told since the task ended: who has looked at it sees whether there is more.
    news INTEGER NOT NULL DEFAULT 0,
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
    -- When its task is to be looked at, if this ends the task, or comes after its end.
    due_at INTEGER NOT NULL,
    is_end INTEGER NOT NULL,
    event TEXT NOT NULL,
    -- Phone numbers, only while the call may have to be logged.
    numbers TEXT,
    PRIMARY KEY (task_id, event_id)
) WITHOUT ROWID;
CREATE INDEX events_by_age ON events (arrived_at);

-- The end of a task makes it due, and so does what comes afterwards. By triggers, so that one statement keeps a batch of
-- events; PostgreSQL's has parts for it.
CREATE TRIGGER events_end AFTER INSERT ON events WHEN NEW.is_end = 1 BEGIN
    INSERT INTO tasks (task_id, due_at, updated_at) VALUES (NEW.task_id, NEW.due_at, NEW.arrived_at)
    ON CONFLICT (task_id) DO UPDATE SET news = news + 1, due_at = coalesce(due_at, excluded.due_at),
        updated_at = max(updated_at, excluded.updated_at);
END;
CREATE TRIGGER events_after_end AFTER INSERT ON events WHEN NEW.is_end = 0 BEGIN
    UPDATE tasks SET news = news + 1, due_at = coalesce(due_at, NEW.due_at) WHERE task_id = NEW.task_id;
END;
