-- Where the ledger stands on these objects, and whether it learnt that since a moment.
SELECT
    bucket,
    object_key,
    version_id,
    etag,
    state,
    error_code,
    error_message,
    error_log_key,
    committed_at >= %(since)s AS is_new
FROM ingested_objects
WHERE (bucket, object_key) IN (
    SELECT w.bucket, w.object_key
    FROM unnest(%(buckets)s::text[], %(keys)s::text[]) AS w (bucket, object_key)
)
ORDER BY committed_at
