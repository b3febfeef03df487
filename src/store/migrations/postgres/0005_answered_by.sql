-- Which agent accepted the call, their id in Webex hashed: a hang-up names the last agent, who may be that of an earlier
-- VoiceCall of the same interaction.
ALTER TABLE calls ADD COLUMN answered_by TEXT COLLATE "C";
