-- Every row belongs to one client. The JSON columns hold the engine's own types, none of which
-- carries a password. They are TEXT, not JSONB: JSONB refuses the character U+0000, and nothing
-- is asked inside the database about what they hold.

CREATE TABLE client_memory (
    client_id TEXT PRIMARY KEY,
    memory    TEXT NOT NULL
);

CREATE TABLE credential_memory (
    client_id     TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    memory        TEXT NOT NULL,
    PRIMARY KEY (client_id, credential_id)
);

CREATE TABLE journal (
    sequence      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id     TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    at            TEXT NOT NULL,
    entry         TEXT NOT NULL
);
CREATE INDEX journal_by_client ON journal (client_id, sequence);
CREATE INDEX journal_by_credential ON journal (client_id, credential_id, sequence);

CREATE FUNCTION refuse_to_change_the_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only';
END
$$;
CREATE TRIGGER journal_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_journal();

CREATE TABLE outbox (
    sequence  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client_id TEXT NOT NULL,
    report_id TEXT NOT NULL,
    report    TEXT NOT NULL,
    UNIQUE (client_id, report_id)
);

CREATE TABLE held_plans (
    client_id TEXT NOT NULL,
    plan_id   TEXT NOT NULL,
    plan      TEXT NOT NULL,
    PRIMARY KEY (client_id, plan_id)
);

-- Who wrote here last: one row, with an id that is made anew wherever the one before may still live. Whoever
-- finds another's id after a pause must read everything again before it writes.
CREATE TABLE owner (
    only_row BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    agent    TEXT NOT NULL,
    has_left BOOLEAN NOT NULL DEFAULT FALSE
);
