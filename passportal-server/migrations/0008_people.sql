-- What each person may do, and at which clients. Whoever was there before has run the vault and goes on doing so.

ALTER TABLE admins ADD COLUMN role TEXT NOT NULL DEFAULT 'organization_admin'
    CHECK (role IN ('organization_admin', 'manager', 'technician'));
ALTER TABLE admins ADD COLUMN access TEXT NOT NULL DEFAULT 'all' CHECK (access IN ('all', 'assigned'));
ALTER TABLE admins ADD COLUMN set_up_sync INTEGER NOT NULL DEFAULT 0;
-- When. NULL: active.
ALTER TABLE admins ADD COLUMN disabled TEXT;

CREATE TABLE assigned_clients (
    person TEXT NOT NULL REFERENCES admins (id),
    client TEXT NOT NULL REFERENCES clients (id),
    PRIMARY KEY (person, client)
) STRICT, WITHOUT ROWID;

-- Search within assigned clients.
CREATE INDEX credentials_numbers ON credentials (client, number);

CREATE TABLE invitations (
    id          TEXT PRIMARY KEY,
    hash        TEXT NOT NULL UNIQUE, -- SHA-256 of the link's token
    email       TEXT NOT NULL COLLATE NOCASE,
    authority   TEXT NOT NULL,        -- JSON, as the API has it
    invited_by  TEXT NOT NULL,
    created     TEXT NOT NULL,
    expires     TEXT NOT NULL,
    ended       TEXT                  -- accepted or withdrawn
) STRICT;
