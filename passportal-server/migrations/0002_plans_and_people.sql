-- Plans that the mass-change breaker held, people's words about them, and who changed or confirmed what.
-- Rows from before do not know who: NULL.

ALTER TABLE credentials ADD COLUMN changed_by TEXT;
ALTER TABLE credentials ADD COLUMN confirmed_by TEXT;
ALTER TABLE password_history ADD COLUMN changed_by TEXT;
ALTER TABLE history ADD COLUMN approved_by TEXT;

CREATE TABLE plans (
    id           TEXT PRIMARY KEY,
    client       TEXT NOT NULL REFERENCES clients (id),
    agent        TEXT NOT NULL REFERENCES agents (id),
    at           TEXT NOT NULL,
    allowed      INTEGER NOT NULL,
    total        INTEGER NOT NULL,
    contents     TEXT NOT NULL, -- SHA-256 of what was shown under this id
    ended        TEXT,          -- when the agent ceased to show it
    ruling       TEXT CHECK (ruling IN ('approve', 'reject')),
    ruled_by     TEXT,
    ruled_at     TEXT,
    heard        TEXT,          -- when its agent heard of the ruling
    agent_ruling TEXT CHECK (agent_ruling IN ('approve', 'reject')), -- what the agent goes by
    agent_by     TEXT,
    agent_at     TEXT
) STRICT;

CREATE INDEX plans_by_client ON plans (client, ended);

CREATE TRIGGER a_plan_never_changes BEFORE UPDATE OF id, client, at, allowed, total, contents ON plans
BEGIN SELECT RAISE(ABORT, 'a held plan never changes: another one has another id'); END;

CREATE TRIGGER a_ruling_never_changes BEFORE UPDATE OF ruling, ruled_by, ruled_at ON plans WHEN OLD.ruling IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a ruling never changes'); END;

CREATE TABLE plan_writes (
    plan       TEXT NOT NULL REFERENCES plans (id),
    place      INTEGER NOT NULL,
    credential TEXT NOT NULL REFERENCES credentials (id),
    user_name  TEXT NOT NULL,
    version    INTEGER NOT NULL,
    mode       TEXT NOT NULL,
    why        TEXT NOT NULL,
    object     TEXT NOT NULL,
    stamp      TEXT,
    PRIMARY KEY (plan, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX plan_writes_by_credential ON plan_writes (credential, version);

CREATE TRIGGER a_planned_write_never_changes BEFORE UPDATE ON plan_writes
BEGIN SELECT RAISE(ABORT, 'a held plan never changes: another one has another id'); END;
