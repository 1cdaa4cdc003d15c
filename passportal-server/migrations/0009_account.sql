-- What a person has of their own: a second factor with recovery codes, browsers that are known, and sessions that can be told apart.

-- Goes up with whatever ends all of a person's sessions: one that began under another number is over.
ALTER TABLE admins ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;

-- Of persons' sessions only.
ALTER TABLE tokens ADD COLUMN id TEXT;
ALTER TABLE tokens ADD COLUMN seen TEXT;
ALTER TABLE tokens ADD COLUMN address TEXT;
ALTER TABLE tokens ADD COLUMN program TEXT;
UPDATE tokens SET id = lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-' || hex(randomblob(2)) || '-'
    || hex(randomblob(2)) || '-' || hex(randomblob(6))) WHERE kind = 'person';

CREATE INDEX tokens_by_admin ON tokens (admin);

CREATE TABLE second_factors (
    admin     TEXT PRIMARY KEY REFERENCES admins (id),
    sealed    TEXT NOT NULL,              -- the secret, by server.key
    begun     TEXT NOT NULL,
    confirmed TEXT,                       -- NULL: not asked for yet
    last_step INTEGER NOT NULL DEFAULT 0  -- of the latest code that was taken: none is taken twice
) STRICT;

CREATE TABLE recovery_codes (
    hash  TEXT PRIMARY KEY, -- SHA-256 of 80 random bits
    admin TEXT NOT NULL REFERENCES admins (id),
    made  TEXT NOT NULL,
    used  TEXT
) STRICT;

CREATE INDEX recovery_codes_by_admin ON recovery_codes (admin);

-- Browsers that somebody signed in with. They open nothing: wrong guesses elsewhere do not count against them.
CREATE TABLE known_browsers (
    hash    TEXT PRIMARY KEY,
    admin   TEXT NOT NULL REFERENCES admins (id),
    created TEXT NOT NULL,
    expires TEXT NOT NULL
) STRICT;

CREATE INDEX known_browsers_by_admin ON known_browsers (admin);
