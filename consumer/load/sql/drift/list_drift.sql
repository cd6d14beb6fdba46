-- What documents show by themselves, the latest first. The last day of an export is that of most
-- of its checks. Of root fields also how many of the objects were refused whole.
SELECT
    d.source, d.path, d.kind, d.detail, d.occurrences, d.objects, r.refused,
    d.first_seen, d.last_seen, d.first_object_key, d.last_object_key, d.last_store_id,
    coalesce(d.last_bus_dt, e.bus_dt) AS last_bus_dt
FROM schema_drift AS d
JOIN drift_findings AS f USING (source, path, kind)
CROSS JOIN LATERAL (
    SELECT count(*) AS refused
    FROM object_findings AS x
    JOIN ingested_objects AS o USING (object_id)
    WHERE
        strpos(f.path, '.') = 0
        AND x.finding_id = f.finding_id
        AND o.state = 'dead_lettered'
        AND o.error_code <> 'records_invalid'
) AS r
LEFT JOIN LATERAL (
    SELECT s.bus_dt
    FROM object_findings AS x
    JOIN ingested_objects AS o USING (object_id)
    JOIN store_days AS s ON (s.source, s.store_id) = (o.source, o.store_id)
    WHERE
        d.last_bus_dt IS NULL
        AND x.finding_id = f.finding_id
        AND x.event_time = d.last_seen
        AND s.counted_object_id = o.object_id
    ORDER BY o.event_order DESC
    LIMIT 1
) AS e ON TRUE
ORDER BY d.last_seen DESC, d.source, d.path
