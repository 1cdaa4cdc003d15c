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

-- A person's clearing may be for a time only, with a reason. NULL: until the fact changes.
ALTER TABLE flag_clearings ADD COLUMN reason TEXT;
ALTER TABLE flag_clearings ADD COLUMN until TEXT;
