-- Per store, the fields that were filled in four of five of at least twenty records of the half
-- year up to the last day with the field, and came in no document since then. Beside them
-- the documents of the last day with the field and of the first without it.
WITH newest AS MATERIALIZED (
    -- What came on a store's newest day has not stopped, and nearly every field did: in its
    -- records on the newest day that had some, beside them on the newest day of all.
    SELECT
        last.source, last.store_id,
        ARRAY(
            SELECT path FROM jsonb_object_keys(with_records.field_counts) AS path
            WHERE strpos(path, '.') > 0
            UNION ALL
            SELECT path FROM jsonb_object_keys(newest.field_counts) AS path
            WHERE strpos(path, '.') = 0
        ) AS filled
    FROM (
        SELECT
            source, store_id, max(bus_dt) AS day,
            max(bus_dt) FILTER (WHERE record_counts <> '{"": 1}') AS day_with_records
        FROM store_days
        WHERE record_counts IS NOT NULL
        GROUP BY source, store_id
    ) AS last
    JOIN store_days AS newest
        ON (newest.source, newest.store_id, newest.bus_dt) = (last.source, last.store_id, last.day)
    LEFT JOIN store_days AS with_records
        ON (with_records.source, with_records.store_id, with_records.bus_dt)
        = (last.source, last.store_id, last.day_with_records)
),
ended AS (
    SELECT
        d.source, d.store_id, f.path,
        coalesce(substring(f.path FROM '^(.*)\.[^.]*$'), '') AS level,
        max(d.bus_dt) AS last_day
    FROM store_days AS d
    JOIN newest AS n USING (source, store_id)
    CROSS JOIN LATERAL jsonb_object_keys(d.field_counts - n.filled) AS f (path)
    GROUP BY d.source, d.store_id, f.path
)
SELECT
    e.source, e.store_id, e.path, s.since, s.records, s.documents,
    b.records AS records_before, b.filled AS filled_before, b.lacking AS lacking_before,
    last.record_counts AS last_records, last.field_counts AS last_fields,
    first.record_counts AS first_records, first.field_counts AS first_fields,
    coalesce(begun.event_time, begun.received_at) AS first_seen,
    coalesce(newest.event_time, newest.received_at) AS last_seen,
    begun.object_key AS first_object_key, newest.object_key AS last_object_key
FROM ended AS e
CROSS JOIN LATERAL (
    SELECT
        min(d.bus_dt) AS since,
        max(d.bus_dt) AS newest_day,
        sum((d.record_counts ->> e.level)::bigint)::bigint AS records,
        count(*) AS documents
    FROM store_days AS d
    WHERE
        (d.source, d.store_id) = (e.source, e.store_id)
        AND d.bus_dt > e.last_day
        AND d.record_counts ? e.level
) AS s
CROSS JOIN LATERAL (
    SELECT
        sum((d.record_counts ->> e.level)::bigint)::bigint AS records,
        sum((d.field_counts ->> e.path)::bigint)::bigint AS filled,
        count(*) FILTER (WHERE NOT d.field_counts ? e.path) AS lacking
    FROM store_days AS d
    WHERE
        -- Of a field that no document came without since then, this is not asked.
        s.documents > 0
        AND (d.source, d.store_id) = (e.source, e.store_id)
        AND d.bus_dt BETWEEN e.last_day - 180 AND e.last_day
        AND d.record_counts ? e.level
) AS b
-- LIMIT: what is left is little, and looked up by its key.
CROSS JOIN LATERAL (
    SELECT * FROM store_days AS d
    WHERE (d.source, d.store_id, d.bus_dt) = (e.source, e.store_id, e.last_day)
    LIMIT 1
) AS last
CROSS JOIN LATERAL (
    SELECT * FROM store_days AS d
    WHERE (d.source, d.store_id, d.bus_dt) = (e.source, e.store_id, s.since)
    LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT * FROM store_days AS d
    WHERE (d.source, d.store_id, d.bus_dt) = (e.source, e.store_id, s.newest_day)
    LIMIT 1
) AS at_end
JOIN ingested_objects AS begun ON begun.object_id = first.counted_object_id
JOIN ingested_objects AS newest ON newest.object_id = at_end.counted_object_id
WHERE s.documents > 0 AND b.records >= %(enough_records)s AND b.filled * 5 >= b.records * 4
ORDER BY e.source, e.path, s.since, e.store_id
