-- A lease belongs to one of the processes that hold an agent's token: a copy of an agent's files has the token, too.
-- NULL: an agent that does not tell.
ALTER TABLE leases ADD COLUMN instance TEXT;
-- The holder's own, because a copy's heartbeats change what the agent's row says.
ALTER TABLE leases ADD COLUMN host TEXT;
