-- Times are epoch milliseconds.
CREATE TABLE meta (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
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
    deferred_at BIGINT,
    routed_at BIGINT,
    answered_at BIGINT,
    ended_at BIGINT,
    closed_at BIGINT,
    claim_owner TEXT COLLATE "C",
    claim_until BIGINT,
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
