-- What documents show by themselves, the latest first.
SELECT
    source, path, kind, detail, occurrences, objects,
    first_seen, last_seen, first_object_key, last_object_key, last_store_id, last_bus_dt
FROM schema_drift
ORDER BY last_seen DESC, source, path
