-- The end state of an object that no batch loads: outdated, or refused as a whole. An event that
-- does not name the version speaks of the one that the same event turned out to be about before.
WITH known AS (
    SELECT version_id, etag
    FROM ingested_objects
    WHERE
        bucket = %(bucket)s
        AND object_key = %(object_key)s
        AND version <> ''
        AND %(version_id)s::text IS NULL
        AND (%(etag)s::text IS NULL OR etag = %(etag)s)
        AND sequencer IS NOT DISTINCT FROM %(sequencer)s
        AND (%(event_time)s::timestamptz IS NULL OR event_time = %(event_time)s)
    ORDER BY event_order DESC
    LIMIT 1
)
INSERT INTO ingested_objects AS t (
    bucket, object_key, version_id, etag, sequencer, size_bytes, source, store_id, bus_dt,
    state, error_code, error_message, error_log_key, attempts, event_time, received_at
)
VALUES (
    %(bucket)s, %(object_key)s,
    coalesce(%(version_id)s, (SELECT version_id FROM known)),
    coalesce(%(etag)s, (SELECT etag FROM known)),
    %(sequencer)s, %(size_bytes)s,
    %(source)s, %(store_id)s, %(bus_dt)s, %(state)s, %(error_code)s, %(error_message)s,
    %(error_log_key)s, %(attempts)s, %(event_time)s, %(received_at)s
)
ON CONFLICT (bucket, object_key, version) DO UPDATE SET
    state = excluded.state,
    error_code = excluded.error_code,
    error_message = excluded.error_message,
    error_log_key = excluded.error_log_key,
    attempts = excluded.attempts,
    committed_at = clock_timestamp()
-- What was loaded stays loaded when its event comes again after the object was overwritten or
-- deleted.
WHERE NOT (
    t.state = 'loaded'
    AND (excluded.state = 'superseded' OR excluded.error_code = 'object_missing')
)
RETURNING object_id
