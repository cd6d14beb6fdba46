-- Objects that ended in each of the last thirty minutes, how many of them failed, and the lag from
-- S3's event to the commit.
SELECT
    extract(epoch FROM date_trunc('minute', now()) - date_trunc('minute', committed_at))::integer / 60
    AS minutes_ago,
    count(*) AS objects,
    count(*) FILTER (WHERE state = 'dead_lettered') AS failed,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY committed_at - event_time) AS lag_half,
    percentile_disc(0.95) WITHIN GROUP (ORDER BY committed_at - event_time) AS lag_most
FROM ingested_objects
WHERE committed_at > date_trunc('minute', now()) - interval '29 minutes'
GROUP BY 1
ORDER BY 1
