-- By field and week, the documents without a field that was usual before: with what came in the
-- half year before and in the month from then on. Of one week, documents without the field come
-- after those with it unless they began earlier.
WITH placed AS (
    SELECT
        *,
        week::timestamp + CASE
            WHEN came THEN interval '1 day'
            WHEN (first_day, first_seen) < (
                min(first_day) FILTER (WHERE came) OVER same_week,
                min(first_seen) FILTER (WHERE came) OVER same_week
            ) THEN interval '0'
            ELSE interval '2 days'
        END AS place
    FROM schema_fields
    WHERE json_type IS NULL
    WINDOW same_week AS (PARTITION BY source, path, week)
),
seen_beside AS (
    SELECT
        source, path, week, came, objects, records, first_day, first_seen,
        coalesce(sum(records) OVER before, 0)::bigint AS records_before,
        coalesce(sum(filled) OVER before, 0)::bigint AS filled_before,
        coalesce(sum(records) FILTER (WHERE NOT came) OVER before, 0)::bigint AS absent_before,
        (sum(records) OVER since)::bigint AS records_since,
        (sum(records) FILTER (WHERE NOT came) OVER since)::bigint AS absent_since,
        (sum(objects) FILTER (WHERE NOT came) OVER since)::bigint AS absent_objects_since
    FROM placed
    WINDOW
        before AS (
            PARTITION BY source, path ORDER BY place
            RANGE BETWEEN interval '180 days' PRECEDING AND interval '1 hour' PRECEDING
        ),
        since AS (
            PARTITION BY source, path ORDER BY place
            RANGE BETWEEN CURRENT ROW AND interval '30 days' FOLLOWING
        )
)
SELECT
    source, path, week, first_day, first_seen, records, records_before, filled_before, absent_before,
    records_since, absent_since, absent_objects_since
FROM seen_beside
WHERE
    NOT came
    AND records_before >= %(enough_records)s
    AND filled_before * 5 >= records_before * 4
    AND absent_since * records_before > absent_before * records_since
ORDER BY source, path, week
