-- How each of these objects ended since a moment, by its place in the lists. Once the queue is
-- empty, what was loaded before counts too: the event was outdated.
SELECT DISTINCT ON (w.place)
    w.place::integer - 1 AS place,
    o.object_key, o.state, o.error_code, o.error_message, o.error_log_key
FROM unnest(%(buckets)s::text[], %(keys)s::text[], %(versions)s::text[], %(etags)s::text[])
    WITH ORDINALITY AS w (bucket, object_key, version_id, etag, place)
JOIN ingested_objects AS o USING (bucket, object_key)
WHERE (o.committed_at >= %(since)s OR (%(is_drained)s AND o.state = 'loaded'))
    -- An event without version and ETag means whatever lay there when it was read.
    AND CASE
        WHEN w.version_id IS NOT NULL THEN o.version_id = w.version_id
        ELSE w.etag IS NULL OR o.etag = w.etag
    END
ORDER BY w.place, o.committed_at DESC
