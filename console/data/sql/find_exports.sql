-- Versions of exports, and of whatever has no business date, whose key begins with some text; keys
-- backwards, as they often end with a time. The order makes sure of the index.
SELECT
    object_key, version, source, store_id, bus_dt, state, error_code, records, quarantined,
    event_time, committed_at
FROM ingested_objects
WHERE bucket = %(bucket)s AND bus_dt IS NULL AND object_key ^@ %(key)s
ORDER BY object_key USING ~>~, event_order DESC
LIMIT %(most)s
