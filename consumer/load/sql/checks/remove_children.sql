-- Marks what an applied check no longer has. A check that was new a moment ago has nothing older.
UPDATE {table} AS t
SET removed_at = gone.as_of
FROM (
    SELECT c.store_id, c.guest_check_id, c.{child_id}, w.as_of
    FROM stage_winners AS w
    CROSS JOIN LATERAL (
        SELECT * FROM {table} AS stored
        WHERE
            (stored.store_id, stored.guest_check_id) = (w.store_id, w.guest_check_id)
            AND stored.removed_at IS NULL
        -- Looks each check up by index: before the table's first ANALYZE, the planner would
        -- rather compare every stored row with every winner.
        OFFSET 0
    ) AS c
    WHERE
        w.applied
        AND w.fresh IS NOT TRUE
        AND NOT EXISTS (
            SELECT FROM {stage} AS s
            WHERE s.doc_no = w.doc_no AND s.pos = w.pos AND s.{child_id} = c.{child_id}
        )
) AS gone
WHERE
    (t.store_id, t.guest_check_id, t.{child_id})
    = (gone.store_id, gone.guest_check_id, gone.{child_id})
