-- Object versions about one business date, of one store if it is named, the newest first.
SELECT
    object_key, version, source, store_id, bus_dt, state, error_code, records, quarantined,
    event_time, committed_at
FROM ingested_objects
WHERE
    bus_dt = %(day)s
    AND (%(store)s::text IS NULL OR store_id = %(store)s)
    AND starts_with(object_key, %(key)s)
ORDER BY event_order DESC
LIMIT %(most)s
