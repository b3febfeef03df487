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
