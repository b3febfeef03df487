-- Since when Salesforce may have made a VoiceCall by a create whose end nobody knows: such a create is not sent again.
ALTER TABLE calls ADD COLUMN create_unknown_at BIGINT;
