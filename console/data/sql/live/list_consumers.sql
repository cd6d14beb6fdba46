-- Consumers that told of themselves within the last ten minutes.
SELECT
    host, process_id, version, started_at, beat_at, stopped_at, in_flight, breaker, oldest_sent_at,
    CASE
        WHEN stopped_at IS NOT NULL THEN 'stopped'
        WHEN beat_at < clock_timestamp() - beat_seconds * interval '3 seconds' THEN 'silent'
        WHEN breaker IS NOT NULL THEN 'suspended'
        ELSE 'working'
    END AS state
FROM consumer_heartbeats
WHERE beat_at > clock_timestamp() - interval '10 minutes'
ORDER BY stopped_at IS NOT NULL, host, process_id
LIMIT 50
