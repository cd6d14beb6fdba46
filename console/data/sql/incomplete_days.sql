-- Store-days whose checks are not whole: records were refused, the answer was taken before the day
-- ended, or an answer is expected and there is none. A day before the roster begins is none of them.
WITH seen AS (
    SELECT store_id, bus_dt, state, as_of
    FROM store_days
    WHERE source = 'getGuestChecks' AND bus_dt BETWEEN %(first)s AND %(last)s
),
refused AS (
    SELECT DISTINCT store_id, bus_dt
    FROM ingested_objects AS o
    WHERE
        state = 'dead_lettered' AND source = 'getGuestChecks'
        AND bus_dt BETWEEN %(first)s AND %(last)s
        AND NOT EXISTS (
            SELECT FROM store_days AS d
            JOIN ingested_objects AS k USING (object_id)
            WHERE
                (d.source, d.store_id, d.bus_dt) = (o.source, o.store_id, o.bus_dt)
                AND coalesce(k.event_time, k.received_at) >= coalesce(o.event_time, o.received_at)
        )
),
expected AS (
    SELECT DISTINCT r.store_id, g.day::date AS bus_dt
    FROM expected_stores AS r
    CROSS JOIN LATERAL generate_series(
        greatest(r.valid_from, %(first)s)::timestamp,
        least(coalesce(r.valid_to, %(last)s), %(last)s)::timestamp,
        interval '1 day'
    ) AS g (day)
    WHERE r.source = 'getGuestChecks'
)
SELECT
    store_id, bus_dt,
    CASE
        WHEN r.store_id IS NOT NULL OR s.state = 'dead_lettered' THEN 'records were refused'
        WHEN s.store_id IS NULL THEN 'not loaded'
        ELSE 'asked for before the day was over'
    END AS reason
FROM seen AS s
FULL JOIN expected AS e USING (store_id, bus_dt)
FULL JOIN refused AS r USING (store_id, bus_dt)
WHERE
    r.store_id IS NOT NULL
    OR s.store_id IS NULL
    OR s.state = 'dead_lettered'
    OR s.as_of < bus_dt::timestamptz + %(ends)s * interval '1 hour'
