-- What was asked and answered for calls, for people who look into one.
CREATE TABLE exchanges (
    id INTEGER PRIMARY KEY,
    call_center TEXT NOT NULL,
    -- Its vendorCallKey, or the first 15 characters of its VoiceCall's id: as it was named.
    call TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- JSON, without bodies and numbers.
    record TEXT NOT NULL
);
CREATE INDEX exchanges_by_call ON exchanges (call, at);
CREATE INDEX exchanges_by_age ON exchanges (at);
