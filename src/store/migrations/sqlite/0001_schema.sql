-- Times are epoch milliseconds.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

-- What one process at a time may do.
CREATE TABLE turns (
    turn TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    until INTEGER NOT NULL
) WITHOUT ROWID;

-- What is known of each call.
CREATE TABLE calls (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    call_center TEXT NOT NULL,
    vendor_call_key TEXT NOT NULL,
    parent TEXT NOT NULL,
    voice_call_id TEXT,
    fingerprint TEXT,
    start_time INTEGER,
    created_at INTEGER,
    -- Since when Salesforce may have made a VoiceCall by a create whose end nobody knows: such a create is not sent again.
    create_unknown_at INTEGER,
    deferred_at INTEGER,
    routed_at INTEGER,
    answered_at INTEGER,
    -- Which agent accepted the call, their id in Webex hashed: a hang-up names the last agent, who may be that of an earlier
    -- VoiceCall of the same interaction.
    answered_by TEXT,
    ended_at INTEGER,
    closed_at INTEGER,
    -- Which process is about to create it, and until when others leave it alone.
    lease_owner TEXT,
    lease_until INTEGER,
    create_body TEXT,
    -- 1: create_body is needed no more, and never comes back.
    body_done INTEGER NOT NULL DEFAULT 0,
    updated_at INTEGER NOT NULL,
    UNIQUE (call_center, vendor_call_key, parent)
);
CREATE INDEX calls_by_voice_call ON calls (call_center, substr(voice_call_id, 1, 15)) WHERE voice_call_id IS NOT NULL;
CREATE INDEX calls_by_start ON calls (call_center, start_time) WHERE start_time IS NOT NULL;
CREATE INDEX calls_by_age ON calls (updated_at);

-- What must still reach Salesforce, and what never will.
CREATE TABLE outbox (
    -- Ascending is the order; an id is never used twice.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    call_center TEXT NOT NULL,
    -- The entries of one call share it.
    call_key TEXT NOT NULL,
    call_id INTEGER,
    kind TEXT NOT NULL,
    is_final INTEGER NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    next_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_until INTEGER,
    last_words TEXT,
    reason TEXT,
    buried_at INTEGER
);
CREATE UNIQUE INDEX outbox_one_final ON outbox (call_key) WHERE is_final = 1;
CREATE INDEX outbox_by_call ON outbox (call_key, id);
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'pending';
CREATE INDEX outbox_of_call ON outbox (call_id);
CREATE INDEX outbox_leased ON outbox (lease_owner) WHERE lease_owner IS NOT NULL;

-- Webex's tasks that have ended, with what their events told until then.
CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    -- Events that were folded, without numbers.
    timeline TEXT,
    -- When it is to be looked at; NULL: nothing is left to do.
    due_at INTEGER,
    -- Counts what was told since the task ended: who has looked at it sees whether there is more.
    news INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until INTEGER,
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

-- The end of a task makes it due, and so does what comes afterwards: as soon as anything else would. A mark of our own
-- (is_end = 2) is nothing that somebody would have to look at. By triggers, so that one statement keeps a batch of events.
CREATE TRIGGER events_end AFTER INSERT ON events WHEN NEW.is_end = 1 BEGIN
    INSERT INTO tasks (task_id, due_at, updated_at) VALUES (NEW.task_id, NEW.due_at, NEW.arrived_at)
    ON CONFLICT (task_id) DO UPDATE SET news = news + 1, due_at = min(coalesce(due_at, excluded.due_at), excluded.due_at),
        updated_at = max(updated_at, excluded.updated_at);
END;
CREATE TRIGGER events_after_end AFTER INSERT ON events WHEN NEW.is_end = 0 BEGIN
    UPDATE tasks SET news = news + 1, due_at = min(coalesce(due_at, NEW.due_at), NEW.due_at) WHERE task_id = NEW.task_id;
END;

-- What is kept to fill fields of a VoiceCall with, and what became of them.
CREATE TABLE details (
    vendor_call_key TEXT NOT NULL,
    -- Empty: told by a webhook, which does not say which contact center it belongs to.
    call_center TEXT NOT NULL,
    parent TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- What tells those of one kind apart.
    source TEXT NOT NULL,
    -- When it happened, or was told.
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    -- 1: it may hold phone numbers, and goes long before its call does.
    is_private INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (vendor_call_key, call_center, parent, kind, source)
) WITHOUT ROWID;
CREATE INDEX details_by_age ON details (updated_at);
