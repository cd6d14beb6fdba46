-- The object versions about one store-day, the newest first, each with all its ends; an export is
-- about many days and found as the newest that one of its checks came from.
WITH found AS (
    (
        SELECT object_id
        FROM ingested_objects
        WHERE bus_dt = %(day)s AND store_id = %(store)s
        ORDER BY event_order DESC
        LIMIT %(most)s
    )
    UNION
    SELECT object_id
    FROM store_days
    WHERE bus_dt = %(day)s AND store_id = %(store)s
)
SELECT
    o.object_id, o.source, o.object_key, o.version, o.size_bytes, o.state, o.error_code, o.cause,
    o.error_message, o.error_log_key, o.records, o.quarantined, o.event_time,
    o.committed_at,
    (
        SELECT
            jsonb_agg(
                jsonb_build_object(
                    'state', e.state,
                    'ended_at', e.ended_at,
                    'attempts', e.attempts,
                    'error_code', e.error_code
                )
                ORDER BY e.event_id
            )
        FROM object_events AS e
        WHERE e.object_id = o.object_id
    ) AS ends
FROM found AS f
JOIN ingested_objects AS o USING (object_id)
ORDER BY o.source, o.event_order DESC
