-- Lag of the last hour's commits in seconds, from the object's event, of the latest 10,000 if there
-- are more; and the last failure.
SELECT
    (SELECT max(committed_at) FROM ingested_objects) AS last_commit,
    (
        SELECT percentile_cont(0.5) WITHIN GROUP (
            ORDER BY extract(EPOCH FROM l.committed_at - l.event_time)
        )
        FROM (
            SELECT committed_at, event_time
            FROM ingested_objects
            WHERE committed_at > now() - interval '1 hour' AND state = 'loaded'
            ORDER BY committed_at DESC
            LIMIT 10000
        ) AS l
    ) AS median_lag_seconds,
    last.committed_at AS failed_at,
    last.error_code, last.error_message, last.object_key, last.error_log_key
FROM (SELECT) AS always
LEFT JOIN (
    SELECT committed_at, error_code, error_message, object_key, error_log_key
    FROM ingested_objects
    WHERE error_code IS NOT NULL
    ORDER BY committed_at DESC
    LIMIT 1
) AS last ON true
