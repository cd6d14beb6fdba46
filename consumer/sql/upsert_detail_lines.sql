-- The lines of applied checks, in key order. A line that another check holds goes to the check
-- with the newer version; what partial documents of its former check set goes with that check.
INSERT INTO detail_lines AS t ({columns})
SELECT {staged}
FROM (
    SELECT DISTINCT ON (l.store_id, l.guest_check_line_item_id) l.*
    FROM stage_winners AS w
    JOIN stage_detail_lines AS l USING (doc_no, pos)
    WHERE w.applied
    ORDER BY
        l.store_id, l.guest_check_line_item_id,
        w.last_updated_utc DESC, w.as_of DESC, w.guest_check_id DESC
) AS s
ORDER BY s.store_id, s.guest_check_line_item_id
ON CONFLICT (store_id, guest_check_line_item_id) DO UPDATE SET
    {assignments}, removed_at = NULL, patches = NULL
WHERE
    (
        t.guest_check_id = excluded.guest_check_id
        AND t.patches IS NULL
        AND ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
    )
    OR (
        t.guest_check_id <> excluded.guest_check_id
        AND (
            t.removed_at IS NOT NULL
            OR is_newer_check(t.store_id, excluded.guest_check_id, t.guest_check_id)
        )
    )
