-- Takes over the roster: which stores answer which endpoints from now on. A store that is new is
-- expected since its first answer, if it has one, else since today; one that left is no longer expected
-- today, and one that comes again is from today on.
WITH roster AS (
    SELECT s.store_id, e.source
    FROM unnest(%(stores)s::text[]) AS s (store_id)
    CROSS JOIN unnest(%(sources)s::text[]) AS e (source)
),
gone AS (
    UPDATE expected_stores AS t
    SET valid_to = greatest(t.valid_from, current_date - 1), announced_at = now()
    WHERE
        t.valid_to IS NULL
        AND NOT EXISTS (
            SELECT FROM roster AS r WHERE (r.store_id, r.source) = (t.store_id, t.source)
        )
),
still_there AS (
    UPDATE expected_stores AS t
    SET announced_at = now()
    FROM roster AS r
    WHERE t.valid_to IS NULL AND (t.store_id, t.source) = (r.store_id, r.source)
    RETURNING t.store_id, t.source
)
INSERT INTO expected_stores (store_id, source, valid_from, announced_at)
SELECT
    r.store_id, r.source,
    CASE
        WHEN EXISTS (
            SELECT FROM expected_stores AS t WHERE (t.store_id, t.source) = (r.store_id, r.source)
        ) THEN current_date
        ELSE least(
            current_date,
            (
                SELECT min(d.bus_dt) FROM store_days AS d
                WHERE (d.source, d.store_id) = (r.source, r.store_id)
            )
        )
    END,
    now()
FROM roster AS r
WHERE NOT EXISTS (
    SELECT FROM still_there AS t WHERE (t.store_id, t.source) = (r.store_id, r.source)
)
ORDER BY r.store_id, r.source
-- It left and came on one day; or another process was as fast.
ON CONFLICT (store_id, source, valid_from) DO UPDATE
SET valid_to = NULL, announced_at = excluded.announced_at
