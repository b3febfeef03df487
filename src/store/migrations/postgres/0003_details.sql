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
