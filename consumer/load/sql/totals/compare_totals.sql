-- Where the totals and v_daily_revenue differ, and what the day stands at. A store-day without checks
-- equals totals of 0. Days that the file lacks between its first and last count, of its stores.
SELECT
    f.*,
    (
        SELECT d.state FROM v_store_days AS d
        WHERE
            d.source = 'getGuestChecks' AND (d.store_id, d.bus_dt) = (f.store_id, f.bus_dt)
    ) AS state
FROM (
    SELECT
        count(*) OVER () AS differences,
        store_id,
        bus_dt,
        t.line IS NOT NULL AS is_told,
        t.net,
        t.tax,
        t.checks,
        r.net,
        r.tax,
        r.checks::numeric
    FROM stage_totals AS t
    FULL JOIN (
        SELECT * FROM v_daily_revenue
        WHERE
            bus_dt BETWEEN %(first)s AND %(last)s
            AND store_id IN (SELECT s.store_id FROM stage_totals AS s)
    ) AS r USING (store_id, bus_dt)
    WHERE
        t.line IS NULL
        OR t.net <> coalesce(r.net, 0)
        OR (t.net IS NOT NULL AND r.checks > 0 AND r.net IS NULL)
        OR t.tax <> coalesce(r.tax, 0)
        OR t.checks <> coalesce(r.checks, 0)
    ORDER BY store_id, bus_dt
    LIMIT %(limit)s
) AS f
ORDER BY f.store_id, f.bus_dt
