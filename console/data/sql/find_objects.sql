-- The versions of one key, the newest first.
SELECT
    object_key, version, source, store_id, bus_dt, state, error_code, records, quarantined,
    event_time, committed_at
FROM ingested_objects
WHERE bucket = %(bucket)s AND object_key = %(key)s
ORDER BY event_order DESC
LIMIT %(most)s
