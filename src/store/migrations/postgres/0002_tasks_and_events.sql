-- Webex's tasks that have ended, with what their events told until then.
CREATE TABLE tasks (
    task_id TEXT COLLATE "C" PRIMARY KEY,
    -- Events that were folded, without numbers.
    timeline TEXT COLLATE "C",
    -- When it is to be looked at; NULL: nothing is left to do.
    due_at BIGINT,
    -- Counts what was told since the task ended: who has looked at it sees whether there is more.
    news BIGINT NOT NULL DEFAULT 0,
    claim_owner TEXT COLLATE "C",
    claim_until BIGINT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX tasks_due ON tasks (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX tasks_by_age ON tasks (updated_at);

-- What was told of tasks since. An event is here once, however often it comes.
CREATE TABLE events (
    task_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    arrived_at BIGINT NOT NULL,
    -- When its task is to be looked at, if this ends the task, or comes after its end.
    due_at BIGINT NOT NULL,
    is_end BIGINT NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    -- Phone numbers, only while the call may have to be logged.
    numbers TEXT COLLATE "C",
    PRIMARY KEY (task_id, event_id)
);
CREATE INDEX events_by_age ON events (arrived_at);
