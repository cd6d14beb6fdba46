-- Marks what an applied check no longer has. A check that was new a moment ago has nothing older.
UPDATE {table} AS t
SET removed_at = w.as_of
FROM stage_winners AS w
WHERE
    w.applied
    AND NOT w.fresh
    AND t.store_id = w.store_id
    AND t.guest_check_id = w.guest_check_id
    AND t.removed_at IS NULL
    AND t.patches IS NULL
    AND NOT EXISTS (
        SELECT FROM {stage} AS s
        WHERE
            s.doc_no = w.doc_no
            AND s.pos = w.pos
            AND s.store_id = t.store_id
            AND s.{child_id} = t.{child_id}
    )
