-- How many flags stood on each day, of each client and kind: the most at once. What is absent of a day that was looked at is none.

CREATE TABLE flag_days (
    day TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE flag_counts (
    day    TEXT NOT NULL REFERENCES flag_days (day) ON DELETE CASCADE,
    client TEXT NOT NULL REFERENCES clients (id),
    kind   TEXT NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (day, client, kind)
) STRICT, WITHOUT ROWID;

-- How long changes took to reach Entra ID is read off the results.
CREATE INDEX history_by_outcome ON history (outcome, at);
