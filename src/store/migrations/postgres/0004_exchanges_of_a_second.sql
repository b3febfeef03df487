-- Exchanges are kept a second's at a time: a row and an index entry for each one cost more than all else about it. What was kept one by
-- one is of no version that was released, and is for people only: it goes.
DROP TABLE exchanges;
-- What was asked and answered for calls, for people who look into one.
CREATE TABLE exchanges (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- When the last of them was.
    at BIGINT NOT NULL,
    -- A JSON array, without bodies and numbers.
    records TEXT COLLATE "C" NOT NULL
);
CREATE INDEX exchanges_by_age ON exchanges (at);
