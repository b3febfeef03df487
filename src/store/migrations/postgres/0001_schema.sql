-- Times are epoch milliseconds.
CREATE TABLE meta (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- What one process at a time may do.
CREATE TABLE turns (
    turn TEXT COLLATE "C" PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    until BIGINT NOT NULL
);

-- What is known of each call.
CREATE TABLE calls (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_center TEXT COLLATE "C" NOT NULL,
    vendor_call_key TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    voice_call_id TEXT COLLATE "C",
    fingerprint TEXT COLLATE "C",
    start_time BIGINT,
    created_at BIGINT,
    -- Since when Salesforce may have made a VoiceCall by a create whose end nobody knows: such a create is not sent again.
    create_unknown_at BIGINT,
    deferred_at BIGINT,
    routed_at BIGINT,
    answered_at BIGINT,
    -- Which agent accepted the call, their id in Webex hashed: a hang-up names the last agent, who may be that of an earlier
    -- VoiceCall of the same interaction.
    answered_by TEXT COLLATE "C",
    ended_at BIGINT,
    closed_at BIGINT,
    -- Which process is about to create it, and until when others leave it alone.
    lease_owner TEXT COLLATE "C",
    lease_until BIGINT,
    create_body TEXT COLLATE "C",
    -- 1: create_body is needed no more, and never comes back.
    body_done BIGINT NOT NULL DEFAULT 0,
    updated_at BIGINT NOT NULL,
    UNIQUE (call_center, vendor_call_key, parent)
);
CREATE INDEX calls_by_voice_call ON calls (call_center, substr(voice_call_id, 1, 15)) WHERE voice_call_id IS NOT NULL;
CREATE INDEX calls_by_start ON calls (call_center, start_time) WHERE start_time IS NOT NULL;
CREATE INDEX calls_by_age ON calls (updated_at);

-- What must still reach Salesforce, and what never will.
CREATE TABLE outbox (
    -- Ascending is the order; an id is never used twice.
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_center TEXT COLLATE "C" NOT NULL,
    -- The entries of one call share it.
    call_key TEXT COLLATE "C" NOT NULL,
    call_id BIGINT,
    kind TEXT COLLATE "C" NOT NULL,
    is_final BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    next_at BIGINT NOT NULL,
    lease_owner TEXT COLLATE "C",
    lease_until BIGINT,
    last_words TEXT COLLATE "C",
    reason TEXT COLLATE "C",
    buried_at BIGINT
);
CREATE UNIQUE INDEX outbox_one_final ON outbox (call_key) WHERE is_final = 1;
CREATE INDEX outbox_by_call ON outbox (call_key, id);
CREATE INDEX outbox_due ON outbox (next_at, id) WHERE state = 'pending';
CREATE INDEX outbox_of_call ON outbox (call_id);
CREATE INDEX outbox_leased ON outbox (lease_owner) WHERE lease_owner IS NOT NULL;

-- Webex's tasks that have ended, with what their events told until then.
CREATE TABLE tasks (
    task_id TEXT COLLATE "C" PRIMARY KEY,
    -- Events that were folded, without numbers.
    timeline TEXT COLLATE "C",
    -- When it is to be looked at; NULL: nothing is left to do.
    due_at BIGINT,
    -- Counts what was told since the task ended: who has looked at it sees whether there is more.
    news BIGINT NOT NULL DEFAULT 0,
    lease_owner TEXT COLLATE "C",
    lease_until BIGINT,
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

-- The end of a task makes it due, and so does what comes afterwards: as soon as anything else would. A mark of our own
-- (is_end = 2) is nothing that somebody would have to look at. By a trigger, so that one statement keeps a batch of events.
-- A task that has ended is changed in every case, so that who folds it meanwhile, on another replica, waits for this or is
-- waited for.
CREATE FUNCTION tell_task() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.is_end = 1 THEN
        INSERT INTO tasks (task_id, due_at, updated_at) VALUES (NEW.task_id, NEW.due_at, NEW.arrived_at)
        ON CONFLICT (task_id) DO UPDATE SET news = tasks.news + 1, due_at = least(tasks.due_at, excluded.due_at),
            updated_at = greatest(tasks.updated_at, excluded.updated_at);
    ELSIF NEW.is_end = 0 THEN
        UPDATE tasks SET news = news + 1, due_at = least(due_at, NEW.due_at) WHERE task_id = NEW.task_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER events_of_tasks AFTER INSERT ON events FOR EACH ROW EXECUTE FUNCTION tell_task();

-- What is kept to fill fields of a VoiceCall with, and what became of them.
CREATE TABLE details (
    vendor_call_key TEXT COLLATE "C" NOT NULL,
    -- Empty: told by a webhook, which does not say which contact center it belongs to.
    call_center TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    -- What tells those of one kind apart.
    source TEXT COLLATE "C" NOT NULL,
    -- When it happened, or was told.
    at BIGINT NOT NULL,
    body TEXT COLLATE "C" NOT NULL,
    -- 1: it may hold phone numbers, and goes long before its call does.
    is_private BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (vendor_call_key, call_center, parent, kind, source)
);
CREATE INDEX details_by_age ON details (updated_at);
