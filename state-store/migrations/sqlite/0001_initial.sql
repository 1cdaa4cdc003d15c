-- Every row belongs to one client. The JSON columns hold the engine's own types, none of which
-- carries a password.

CREATE TABLE client_memory (
    client_id TEXT PRIMARY KEY,
    memory    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credential_memory (
    client_id     TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    memory        TEXT NOT NULL,
    PRIMARY KEY (client_id, credential_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    sequence      INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id     TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    at            TEXT NOT NULL,
    entry         TEXT NOT NULL
) STRICT;
CREATE INDEX journal_by_client ON journal (client_id, sequence);
CREATE INDEX journal_by_credential ON journal (client_id, credential_id, sequence);

CREATE TRIGGER journal_is_not_rewritten BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER journal_is_not_shortened BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

CREATE TABLE outbox (
    sequence  INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id TEXT NOT NULL,
    report_id TEXT NOT NULL,
    report    TEXT NOT NULL,
    UNIQUE (client_id, report_id)
) STRICT;

CREATE TABLE held_plan (
    client_id TEXT PRIMARY KEY,
    plan      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
