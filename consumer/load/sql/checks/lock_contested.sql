-- Locks contested lines in key order, so that one transaction at a time settles them; a line that
-- is new gets a bare row.
INSERT INTO detail_lines AS t (
    store_id, guest_check_line_item_id, guest_check_id, removed_at
)
SELECT DISTINCT ON (store_id, child_id) store_id, child_id, guest_check_id, as_of
FROM (
    SELECT store_id, child_id, guest_check_id, as_of
    FROM stage_said
    WHERE table_name = 'detail_lines'
    UNION ALL
    SELECT c.store_id, c.child_id, l.guest_check_id, l.removed_at
    FROM stage_contested AS c
    JOIN detail_lines AS l
        ON l.store_id = c.store_id AND l.guest_check_line_item_id = c.child_id
) AS lines
ORDER BY store_id, child_id
ON CONFLICT (store_id, guest_check_line_item_id) DO UPDATE SET line_num = t.line_num WHERE false
