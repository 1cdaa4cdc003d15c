-- Channels that are told of what stands, and what each has been told. The secret (SMTP password, signing secret, address of a
-- Teams workflow) is sealed with the server's key.

CREATE TABLE notice_channels (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE COLLATE NOCASE,
    target        TEXT NOT NULL,
    settings      TEXT NOT NULL,
    secret_sealed TEXT,
    created       TEXT NOT NULL,
    sent          TEXT,
    failure       TEXT
) STRICT;

-- A fact that ended is remembered for a while: one that comes and goes is told once.
CREATE TABLE notices_told (
    channel TEXT NOT NULL REFERENCES notice_channels (id) ON DELETE CASCADE,
    fact    TEXT NOT NULL,
    ended   TEXT,
    PRIMARY KEY (channel, fact)
) STRICT, WITHOUT ROWID;

-- What a person may want to be told of. A fact's name holds all that makes it another one.
CREATE VIEW standing_facts (fact, topic, client_name, subject, why, since, path) AS
    SELECT 'flag ' || f.credential || ' ' || f.kind || ' ' || f.version || ' ' || COALESCE(f.stamp, ''), f.kind,
        c.name, p.user_name, f.why, f.raised, '/clients/' || p.client || '/credentials/' || p.id
    FROM flags f JOIN credentials p ON p.id = f.credential JOIN clients c ON c.id = p.client
    UNION ALL
    SELECT 'plan ' || h.id, 'approval', c.name, h.total || ' password changes', 'a mass change waits for approval',
        h.at, '/clients/' || h.client || '/plans/' || h.id
    FROM plans h JOIN clients c ON c.id = h.client
    WHERE h.ended IS NULL AND h.ruling IS NULL AND h.agent_ruling IS NULL;
