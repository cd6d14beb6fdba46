-- Rows of the store-days to compare that stand in the table or in the lake alone, or differ.
WITH in_table AS (
    SELECT {told}
    FROM compared_days AS w
    JOIN public.{table} AS t USING (store_id, bus_dt)
    WHERE t.removed_at IS NULL
),
in_lake AS (
    SELECT {told}
    FROM compared_days AS w
    JOIN pg_temp.{table} AS t USING (store_id, bus_dt)
    WHERE t.removed_at IS NULL
),
differing AS (
    SELECT
        store_id, bus_dt, record_id,
        to_jsonb(in_table)::text AS stored, to_jsonb(in_lake)::text AS expected
    FROM in_table
    FULL JOIN in_lake USING ({key})
    WHERE in_table IS DISTINCT FROM in_lake
)
SELECT
    d.stored, d.expected, d.bus_dt,
    o.object_key, coalesce(o.version_id, o.etag), so.object_key, coalesce(so.version_id, so.etag)
FROM differing AS d
LEFT JOIN public.{table} AS t USING (store_id, bus_dt, record_id)
LEFT JOIN pg_temp.{table} AS s USING (store_id, bus_dt, record_id)
LEFT JOIN public.ingested_objects AS o ON o.object_id = t.object_id
LEFT JOIN pg_temp.ingested_objects AS so ON so.object_id = s.object_id
ORDER BY d.store_id, d.bus_dt, d.record_id
