-- The schema of the tables, and of the oldest release that works with them; NULL in tables of a
-- release that did not know this column yet.
SELECT
    version_num,
    to_jsonb(v) ->> 'oldest_schema' AS oldest_schema
FROM alembic_version AS v
