-- After an outage tens of thousands of entries wait for one contact center: what is due for the others is found without reading
-- past them.
DROP INDEX outbox_due;
CREATE INDEX outbox_due ON outbox (call_center, next_at, id) WHERE state = 'pending';
