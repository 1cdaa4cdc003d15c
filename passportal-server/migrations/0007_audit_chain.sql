-- The audit trail as a chain: each line's hash covers the line and the hash before it. Lines from before are chained when the
-- server first opens the vault. They do not know their client and their caller's address: NULL.

ALTER TABLE audit ADD COLUMN client TEXT;
ALTER TABLE audit ADD COLUMN address TEXT;

CREATE INDEX audit_by_client ON audit (client, line);

CREATE TABLE audit_chain (
    line INTEGER PRIMARY KEY REFERENCES audit (line),
    hash TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_chain_is_never_changed BEFORE UPDATE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_chain_is_never_deleted BEFORE DELETE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

-- How far each syslog server has the audit trail.
CREATE TABLE audit_forwarded (
    target TEXT PRIMARY KEY,
    line   INTEGER NOT NULL
) STRICT;

-- A flag that a person took down for a time only. Its clearing ends with it, and the flag stands again.
CREATE TABLE flag_snoozes (
    credential TEXT NOT NULL REFERENCES credentials (id),
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    stamp      TEXT,
    why        TEXT NOT NULL,
    raised     TEXT NOT NULL,
    reason     TEXT NOT NULL,
    until      TEXT NOT NULL,
    at         TEXT NOT NULL,
    who        TEXT NOT NULL,
    PRIMARY KEY (credential, kind)
) STRICT;
