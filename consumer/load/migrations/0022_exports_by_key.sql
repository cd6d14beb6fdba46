-- Exports are found by the beginning of their key, whatever the database's collation: answers of the
-- API are found by the day in theirs.
-- Works with releases from schema 0010 on.

CREATE INDEX ingested_objects_exports ON ingested_objects (object_key text_pattern_ops)
WHERE bus_dt IS NULL;
