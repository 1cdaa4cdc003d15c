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
