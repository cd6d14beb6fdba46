-- Stores whose name holds some text, and the newest business date that each was loaded for. Names are
-- found by skipping through the key, so that days cost nothing.
WITH RECURSIVE pairs AS (
    (SELECT source, store_id FROM store_days ORDER BY source, store_id LIMIT 1)
    UNION ALL
    SELECT n.source, n.store_id
    FROM pairs AS p
    CROSS JOIN LATERAL (
        SELECT d.source, d.store_id
        FROM store_days AS d
        WHERE (d.source, d.store_id) > (p.source, p.store_id)
        ORDER BY d.source, d.store_id
        LIMIT 1
    ) AS n
),
names AS (
    SELECT store_id FROM pairs
    UNION
    SELECT store_id FROM expected_stores
),
matching AS (
    SELECT store_id
    FROM names
    WHERE strpos(lower(store_id), lower(%(words)s)) > 0
    ORDER BY lower(store_id) = lower(%(words)s) DESC, store_id
    LIMIT %(most)s
)
SELECT
    m.store_id,
    (
        SELECT max(newest.bus_dt)
        FROM pairs AS p
        CROSS JOIN LATERAL (
            SELECT d.bus_dt
            FROM store_days AS d
            WHERE d.source = p.source AND d.store_id = p.store_id AND d.bus_dt <= %(today)s
            ORDER BY d.bus_dt DESC
            LIMIT 1
        ) AS newest
        WHERE p.store_id = m.store_id
    ) AS bus_dt
FROM matching AS m
