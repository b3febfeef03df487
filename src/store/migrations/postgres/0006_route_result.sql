-- What became of the requests to route a call (1 not routed, 2 unknown, 3 routed), when Salesforce may last have routed it, and
-- when it last had no routing of it to clear: so that nobody is told of a caller in a queue whom Salesforce never put there, and
-- none is missed who was put there again.
ALTER TABLE calls ADD COLUMN route_result BIGINT;
ALTER TABLE calls ADD COLUMN route_at BIGINT;
ALTER TABLE calls ADD COLUMN nothing_to_clear_at BIGINT;
