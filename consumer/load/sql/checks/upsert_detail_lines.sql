-- The lines of applied checks, in key order, but for those that are contested or turn out to be:
-- another check has the line, or had it.
INSERT INTO detail_lines AS t ({columns})
SELECT {staged}
FROM stage_winners AS w
JOIN stage_detail_lines AS s USING (doc_no, pos)
WHERE
    w.applied
    AND NOT EXISTS (
        SELECT FROM stage_contested AS c
        WHERE c.store_id = s.store_id AND c.child_id = s.guest_check_line_item_id
    )
ORDER BY s.store_id, s.guest_check_line_item_id
ON CONFLICT (store_id, guest_check_line_item_id) DO UPDATE SET
    {assignments}, removed_at = NULL
WHERE
    CASE
        WHEN t.guest_check_id = excluded.guest_check_id
            THEN ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
        ELSE contest_line(t.store_id, t.guest_check_line_item_id)
    END
