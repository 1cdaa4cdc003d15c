-- The longest time, in seconds, after which an agent is heard again. NULL: an agent that does not tell.
ALTER TABLE agents ADD COLUMN interval_seconds INTEGER;
