-- What the ledger says of the versions of some objects.
SELECT
    object_key, version_id, etag, store_id, sequencer, event_time, received_at, state,
    event_order <> '' AS was_read, error_code, error_message, error_log_key
FROM public.ingested_objects
WHERE bucket = %(bucket)s AND object_key = ANY (%(keys)s)
