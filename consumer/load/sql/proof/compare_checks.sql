-- Rows of the checks to compare that stand in the table or in the lake alone, or differ; with the
-- objects that their checks come from.
WITH in_table AS (
    SELECT {told}
    FROM compared_checks AS w
    CROSS JOIN LATERAL (
        SELECT * FROM public.{table} AS r
        WHERE
            (r.store_id, r.guest_check_id) = (w.store_id, w.guest_check_id)
            AND r.removed_at IS NULL
        -- By index, whatever the planner thinks of tables without statistics.
        OFFSET 0
    ) AS t
),
in_lake AS (
    SELECT {told}
    FROM compared_checks AS w
    JOIN pg_temp.{table} AS t USING (store_id, guest_check_id)
    WHERE t.removed_at IS NULL
),
differing AS (
    SELECT
        store_id, guest_check_id,
        to_jsonb(in_table)::text AS stored, to_jsonb(in_lake)::text AS expected
    FROM in_table
    FULL JOIN in_lake USING ({key})
    WHERE in_table IS DISTINCT FROM in_lake
)
SELECT
    d.stored, d.expected, coalesce(sc.opn_bus_dt, c.opn_bus_dt) AS bus_dt,
    o.object_key, coalesce(o.version_id, o.etag), so.object_key, coalesce(so.version_id, so.etag)
FROM differing AS d
LEFT JOIN public.guest_checks AS c USING (store_id, guest_check_id)
LEFT JOIN pg_temp.guest_checks AS sc USING (store_id, guest_check_id)
LEFT JOIN public.ingested_objects AS o ON o.object_id = c.object_id
LEFT JOIN pg_temp.ingested_objects AS so ON so.object_id = sc.object_id
ORDER BY d.store_id, d.guest_check_id
