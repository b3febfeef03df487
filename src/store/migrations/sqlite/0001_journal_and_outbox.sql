-- Times are epoch milliseconds.
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
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
    deferred_at INTEGER,
    routed_at INTEGER,
    answered_at INTEGER,
    ended_at INTEGER,
    closed_at INTEGER,
    claim_owner TEXT,
    claim_until INTEGER,
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
