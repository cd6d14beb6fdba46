-- How many of the objects that ended last could not be loaded, though their like was once: see
-- was_loaded.
SELECT
    count(*) FILTER (
        WHERE
            l.state = 'dead_lettered'
            AND (
                EXISTS (
                    SELECT FROM store_days AS d
                    WHERE d.source = l.source AND d.store_id = l.key_store_id AND d.state = 'loaded'
                )
                OR EXISTS (
                    SELECT FROM ingested_objects AS o
                    WHERE
                        o.bucket = l.bucket
                        AND o.object_key = l.object_key
                        AND o.state = 'loaded'
                )
            )
    )
FROM (
    SELECT
        bucket, object_key, source, state,
        -- An export's store is its document's, not its key's.
        CASE WHEN source <> 'erp' THEN store_id END AS key_store_id
    FROM ingested_objects
    WHERE state IN ('loaded', 'dead_lettered')
    ORDER BY committed_at DESC
    LIMIT %(objects)s
) AS l
