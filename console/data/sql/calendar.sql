-- What each store-day of one source stands at, and below (without a store) how many of each state
-- some sources have. A store is expected as EXPECTED_STORES says; without, it
-- is expected of an endpoint from the first day that it was seen in there until a week after the last.
WITH seen AS (
    SELECT source, store_id, bus_dt, object_id, state, records, quarantined, as_of, first_loaded_at
    FROM store_days
    WHERE bus_dt BETWEEN %(first)s AND %(last)s AND source = ANY (%(sources)s)
),
roster AS (
    -- No day twice, were a store announced anew before an earlier period of it had ended.
    SELECT
        store_id, source, valid_from,
        least(valid_to, %(last)s, lead(valid_from) OVER periods - 1) AS valid_to
    FROM expected_stores
    WHERE source = ANY (%(sources)s)
    WINDOW periods AS (PARTITION BY store_id, source ORDER BY valid_from)
    UNION ALL
    SELECT store_id, source, min(bus_dt), max(bus_dt) + 7
    FROM seen
    WHERE source <> 'erp' AND NOT EXISTS (SELECT FROM expected_stores)
    GROUP BY store_id, source
),
expected AS (
    SELECT r.source, r.store_id, g.day::date AS bus_dt
    FROM roster AS r
    CROSS JOIN LATERAL generate_series(
        greatest(r.valid_from, %(first)s)::timestamp,
        least(r.valid_to, %(last)s)::timestamp,
        interval '1 day'
    ) AS g (day)
),
refused AS (
    SELECT
        source, store_id, bus_dt, count(*) AS objects,
        max(coalesce(event_time, received_at)) AS newest
    FROM ingested_objects
    WHERE
        state = 'dead_lettered' AND bus_dt BETWEEN %(first)s AND %(last)s
        AND store_id IS NOT NULL AND source = ANY (%(sources)s)
    GROUP BY source, store_id, bus_dt
),
since AS (
    SELECT source, min(first_loaded_at) AS loading_since
    FROM seen
    GROUP BY source
),
facts AS (
    SELECT
        source, store_id, bus_dt, s.state AS stored, s.records, s.quarantined, s.as_of,
        s.first_loaded_at,
        -- What failed counts while nothing that is newer stands.
        r.newest > coalesce(
            (
                SELECT coalesce(o.event_time, o.received_at)
                FROM ingested_objects AS o
                WHERE o.object_id = s.object_id AND r.newest IS NOT NULL
            ),
            '-infinity'
        ) AS is_refused,
        bus_dt::timestamptz + %(ends)s * interval '1 hour' AS over_at,
        bus_dt::timestamptz + (%(ends)s + %(due)s) * interval '1 hour' AS due_at,
        since.loading_since
    FROM seen AS s
    FULL JOIN expected USING (source, store_id, bus_dt)
    FULL JOIN refused AS r USING (source, store_id, bus_dt)
    LEFT JOIN since USING (source)
),
states AS (
    SELECT
        source, store_id, bus_dt,
        CASE
            WHEN is_refused OR stored = 'dead_lettered' THEN 'dead_lettered'
            WHEN stored IS NULL AND due_at <= %(now)s THEN 'missing'
            WHEN stored IS NULL OR as_of < over_at THEN 'open'
            -- Nobody can have loaded in time what was there before anything was loaded.
            WHEN first_loaded_at > due_at AND loading_since <= due_at THEN 'late'
            WHEN records = 0 THEN 'empty'
            ELSE 'loaded'
        END AS state,
        stored IS NOT NULL AS is_stored, records, quarantined, first_loaded_at
    FROM facts
)
SELECT
    source, store_id, bus_dt, state, is_stored, records, quarantined, first_loaded_at, 1 AS days
FROM states
WHERE source = %(source)s
UNION ALL
SELECT source, NULL, NULL, state, NULL, NULL, NULL, NULL, count(*)
FROM states
GROUP BY source, state
