-- The end state of an object that no batch loads: outdated, or refused as a whole.
INSERT INTO ingested_objects AS t (
    bucket, object_key, version_id, etag, sequencer, size_bytes, source, store_id, bus_dt,
    state, error_code, error_message, error_log_key, attempts, event_time, received_at
)
VALUES (
    %(bucket)s, %(object_key)s, %(version_id)s, %(etag)s, %(sequencer)s, %(size_bytes)s,
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
