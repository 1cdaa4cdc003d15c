-- All that a credential has: folder, address, expiry, one-time codes. Types and folders are lists that grow when somebody
-- names a new one; names differ by more than their case.

CREATE TABLE credential_types (
    name     TEXT NOT NULL COLLATE NOCASE PRIMARY KEY,
    built_in INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

INSERT INTO credential_types (name, built_in) VALUES ('Azure/Office365 Admin', 1), ('Azure/Office365 User', 1);
INSERT OR IGNORE INTO credential_types (name) SELECT credential_type FROM credentials WHERE credential_type <> '';

CREATE TABLE folders (
    client TEXT NOT NULL REFERENCES clients (id),
    name   TEXT NOT NULL COLLATE NOCASE,
    PRIMARY KEY (client, name)
) STRICT, WITHOUT ROWID;

ALTER TABLE credentials ADD COLUMN folder TEXT NOT NULL DEFAULT '';
ALTER TABLE credentials ADD COLUMN url TEXT NOT NULL DEFAULT '';
-- A date. NULL: never.
ALTER TABLE credentials ADD COLUMN expires TEXT;
-- The secret of one-time codes, sealed as the password is; its version counts on by itself.
ALTER TABLE credentials ADD COLUMN totp_sealed TEXT;
ALTER TABLE credentials ADD COLUMN totp_version INTEGER NOT NULL DEFAULT 0;

-- The user name is authenticated with each version and may change later.
ALTER TABLE password_history ADD COLUMN user_name TEXT NOT NULL DEFAULT '';
UPDATE password_history SET user_name = (SELECT user_name FROM credentials WHERE id = password_history.credential);

-- Search. SQLite may give rows other numbers of its own when it compacts the file, so credentials have one that stays.
ALTER TABLE credentials ADD COLUMN number INTEGER;
UPDATE credentials SET number = rowid;
CREATE UNIQUE INDEX credentials_by_number ON credentials (number);
CREATE INDEX credentials_by_client ON credentials (client, user_name COLLATE NOCASE, id);
CREATE INDEX credentials_in_use ON credentials (client, standing);

CREATE VIRTUAL TABLE credential_search USING fts5 (
    user_name, description, credential_type, folder, client_name,
    tokenize = 'unicode61 remove_diacritics 2', prefix = '1 2 3 4'
);
INSERT INTO credential_search (rowid, user_name, description, credential_type, folder, client_name)
    SELECT p.number, p.user_name, p.description, p.credential_type, p.folder, c.name
    FROM credentials p JOIN clients c ON c.id = p.client;

CREATE TRIGGER a_new_credential_is_found AFTER INSERT ON credentials
BEGIN
    UPDATE credentials SET number = (SELECT COALESCE(MAX(number), 0) + 1 FROM credentials) WHERE id = NEW.id;
    INSERT INTO credential_search (rowid, user_name, description, credential_type, folder, client_name)
        SELECT p.number, p.user_name, p.description, p.credential_type, p.folder, c.name
        FROM credentials p JOIN clients c ON c.id = p.client WHERE p.id = NEW.id;
END;

CREATE TRIGGER a_changed_credential_is_found
AFTER UPDATE OF user_name, description, credential_type, folder ON credentials
WHEN (OLD.user_name, OLD.description, OLD.credential_type, OLD.folder)
    IS NOT (NEW.user_name, NEW.description, NEW.credential_type, NEW.folder)
BEGIN
    UPDATE credential_search SET user_name = NEW.user_name, description = NEW.description,
        credential_type = NEW.credential_type, folder = NEW.folder
    WHERE rowid = NEW.number;
END;

CREATE TRIGGER credentials_of_a_renamed_client_are_found AFTER UPDATE OF name ON clients WHEN OLD.name IS NOT NEW.name
BEGIN
    UPDATE credential_search SET client_name = NEW.name
    WHERE rowid IN (SELECT number FROM credentials WHERE client = NEW.id);
END;
