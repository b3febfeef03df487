-- Exchanges are found by a number. What was kept under names is of no version that was released, and is for people only: it goes.
DROP TABLE exchanges;
-- What was asked and answered for calls, for people who look into one.
CREATE TABLE exchanges (
    id INTEGER PRIMARY KEY,
    call_center TEXT NOT NULL,
    -- Its vendorCallKey, or the first 15 characters of its VoiceCall's id: as it was named.
    call TEXT NOT NULL,
    -- FNV-1a of it: an index of the names themselves would be three times as large, and each call changes
    -- another page of it.
    call_hash INTEGER NOT NULL,
    at INTEGER NOT NULL,
    -- JSON, without bodies and numbers.
    record TEXT NOT NULL
);
CREATE INDEX exchanges_by_call ON exchanges (call_hash);
CREATE INDEX exchanges_by_age ON exchanges (at);
