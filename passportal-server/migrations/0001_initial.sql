-- One organization's vault. Times are RFC 3339 text with nine decimals in UTC, so that they sort; ids are hyphenated UUIDs;
-- enumerations are the words of the API. No column holds a password or a token in clear.

CREATE TABLE organization (
    only_row       INTEGER PRIMARY KEY CHECK (only_row = 1),
    id             TEXT NOT NULL,
    name           TEXT NOT NULL,
    epoch          TEXT NOT NULL,
    key_parameters TEXT NOT NULL,
    seq            INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE admins (
    id            TEXT PRIMARY KEY,
    email         TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password_hash TEXT NOT NULL,
    created       TEXT NOT NULL
) STRICT;

CREATE TABLE clients (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    company_vault INTEGER NOT NULL DEFAULT 0,
    sync          TEXT NOT NULL,
    default_mode  TEXT NOT NULL,
    mute          TEXT NOT NULL,
    wrapped_key   TEXT NOT NULL,
    created       TEXT NOT NULL,
    seq           INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX one_company_vault ON clients (company_vault) WHERE company_vault = 1;

CREATE TABLE credentials (
    id                TEXT PRIMARY KEY,
    client            TEXT NOT NULL REFERENCES clients (id),
    credential_type   TEXT NOT NULL,
    user_name         TEXT NOT NULL,
    description       TEXT NOT NULL,
    notes             TEXT NOT NULL,
    own_mode          TEXT,
    standing          TEXT NOT NULL,
    version           INTEGER NOT NULL,
    sealed            TEXT NOT NULL,
    changed           TEXT NOT NULL,
    confirmed_version INTEGER,
    confirmed_at      TEXT,
    created           TEXT NOT NULL,
    seq               INTEGER NOT NULL
) STRICT;

CREATE INDEX credentials_by_change ON credentials (client, seq);

CREATE TRIGGER credentials_are_never_deleted BEFORE DELETE ON credentials
BEGIN SELECT RAISE(ABORT, 'a credential is disabled, never deleted'); END;

CREATE TABLE password_history (
    credential TEXT NOT NULL REFERENCES credentials (id),
    version    INTEGER NOT NULL,
    sealed     TEXT NOT NULL,
    changed    TEXT NOT NULL,
    PRIMARY KEY (credential, version)
) STRICT;

CREATE TABLE flags (
    credential TEXT NOT NULL REFERENCES credentials (id),
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    stamp      TEXT,
    why        TEXT NOT NULL,
    raised     TEXT NOT NULL,
    PRIMARY KEY (credential, kind)
) STRICT;

-- What a person cleared: it stays cleared until the fact (version and stamp) is another one.
CREATE TABLE flag_clearings (
    credential TEXT NOT NULL REFERENCES credentials (id),
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    stamp      TEXT,
    cleared    TEXT NOT NULL,
    who        TEXT NOT NULL,
    PRIMARY KEY (credential, kind)
) STRICT;

CREATE TABLE attempts (
    id         TEXT PRIMARY KEY,
    credential TEXT NOT NULL REFERENCES credentials (id),
    object     TEXT NOT NULL,
    version    INTEGER NOT NULL,
    stamp      TEXT,
    at         TEXT NOT NULL,
    state      TEXT NOT NULL
) STRICT;

CREATE INDEX attempts_by_credential ON attempts (credential, at);

CREATE TABLE history (
    line       INTEGER PRIMARY KEY AUTOINCREMENT,
    credential TEXT NOT NULL REFERENCES credentials (id),
    at         TEXT NOT NULL,
    version    INTEGER NOT NULL,
    outcome    TEXT NOT NULL,
    why        TEXT NOT NULL,
    agent      TEXT NOT NULL
) STRICT;

CREATE INDEX history_by_credential ON history (credential, line);

CREATE TABLE agents (
    id        TEXT PRIMARY KEY,
    client    TEXT NOT NULL REFERENCES clients (id),
    host      TEXT NOT NULL,
    version   TEXT NOT NULL,
    state     TEXT,
    enrolled  TEXT NOT NULL,
    last_seen TEXT,
    revoked   TEXT
) STRICT;

CREATE TABLE leases (
    client           TEXT PRIMARY KEY REFERENCES clients (id),
    agent            TEXT NOT NULL REFERENCES agents (id),
    until            TEXT NOT NULL,
    writes_from      TEXT NOT NULL,
    write_timeout_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE reports (
    id    TEXT PRIMARY KEY,
    agent TEXT NOT NULL REFERENCES agents (id),
    taken TEXT NOT NULL
) STRICT;

CREATE TABLE api_keys (
    api_key       TEXT PRIMARY KEY,
    secret_sealed TEXT NOT NULL,
    created       TEXT NOT NULL,
    revoked       TEXT
) STRICT;

CREATE TABLE tokens (
    hash    TEXT PRIMARY KEY,
    kind    TEXT NOT NULL CHECK (kind IN ('person', 'agent', 'client_token', 'refresh')),
    admin   TEXT REFERENCES admins (id),
    agent   TEXT REFERENCES agents (id),
    api_key TEXT REFERENCES api_keys (api_key),
    created TEXT NOT NULL,
    expires TEXT,
    used    TEXT,
    revoked TEXT
) STRICT;

CREATE INDEX tokens_by_agent ON tokens (agent);

CREATE TABLE audit (
    line    INTEGER PRIMARY KEY AUTOINCREMENT,
    at      TEXT NOT NULL,
    who     TEXT NOT NULL,
    what    TEXT NOT NULL,
    subject TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
