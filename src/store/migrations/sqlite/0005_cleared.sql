-- When Salesforce had cleared the routing of a call, so that a final update that is owed is told apart from one that alone clears it.
ALTER TABLE calls ADD COLUMN cleared_at INTEGER;
