-- What became of the requests to route a call (1 not routed, 2 unknown, 3 routed), and when Salesforce had no routing of it to
-- clear: so that nobody is told of a caller in a queue whom Salesforce never put there.
ALTER TABLE calls ADD COLUMN route_result INTEGER;
ALTER TABLE calls ADD COLUMN nothing_to_clear_at INTEGER;
