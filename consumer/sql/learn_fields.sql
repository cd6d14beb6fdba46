-- Adds to what is known of how often a field comes filled.
INSERT INTO schema_fields AS t (source, path, filled, records)
VALUES (%s, %s, %s, %s)
ON CONFLICT (source, path) DO UPDATE SET
    filled = t.filled + excluded.filled,
    records = t.records + excluded.records
