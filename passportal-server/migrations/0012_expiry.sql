-- Which passwords are over is looked for every minute.
CREATE INDEX credentials_by_expiry ON credentials (expires) WHERE expires IS NOT NULL;
