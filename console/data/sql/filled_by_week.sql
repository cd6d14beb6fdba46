-- How many of the records on a level filled a field, week by week (from Monday), in the twelve weeks
-- up to the newest business date that is loaded.
WITH span AS (
    SELECT date_trunc('week', max(bus_dt))::date - 77 AS first, max(bus_dt) AS last
    FROM store_days
    WHERE bus_dt <= %(today)s
),
asked AS (
    SELECT *
    FROM unnest(%(sources)s::text[], %(paths)s::text[], %(levels)s::text[])
        AS a (source, path, level)
),
weeks AS (
    -- Each store-day is read once, whatever the number of fields.
    SELECT
        d.source, date_trunc('week', d.bus_dt)::date AS week, d.record_counts, d.field_counts
    FROM span AS s
    JOIN store_days AS d ON d.bus_dt BETWEEN s.first AND s.last
    WHERE d.source IN (SELECT source FROM asked) AND d.record_counts IS NOT NULL
),
counts AS MATERIALIZED (
    -- Numbers are taken out before anything is sorted: with the documents' counts, a hundred fields
    -- sorted hundreds of megabytes.
    SELECT
        a.source, a.path, w.week,
        (w.record_counts ->> a.level)::bigint AS records,
        (w.field_counts ->> a.path)::bigint AS filled
    FROM weeks AS w
    JOIN asked AS a USING (source)
)
SELECT
    source, path, week, coalesce(sum(records), 0) AS records, coalesce(sum(filled), 0) AS filled
FROM counts
GROUP BY source, path, week
