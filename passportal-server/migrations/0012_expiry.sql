-- Which passwords are over is looked for every minute.
CREATE INDEX credentials_by_expiry ON credentials (expires) WHERE expires IS NOT NULL;

-- Counts of a span of days are summed by kind in this order.
CREATE INDEX flag_counts_by_kind ON flag_counts (day, kind, client, count);
