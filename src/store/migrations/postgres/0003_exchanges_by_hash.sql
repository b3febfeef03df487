-- Exchanges are found by a number. What was kept under names is of no version that was released, and is for people only: it goes.
DROP TABLE exchanges;
-- What was asked and answered for calls, for people who look into one.
CREATE TABLE exchanges (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    call_center TEXT COLLATE "C" NOT NULL,
    -- Its vendorCallKey, or the first 15 characters of its VoiceCall's id: as it was named.
    call TEXT COLLATE "C" NOT NULL,
    -- FNV-1a of it: an index of the names themselves would be three times as large, and each call changes
    -- another page of it.
    call_hash BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- JSON, without bodies and numbers.
    record TEXT COLLATE "C" NOT NULL
);
CREATE INDEX exchanges_by_call ON exchanges (call_hash);
CREATE INDEX exchanges_by_age ON exchanges (at);
