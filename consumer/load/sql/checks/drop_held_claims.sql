-- Who holds a line needs no claim to it.
DELETE FROM line_claims AS c
USING stage_contested AS l, detail_lines AS t
WHERE
    c.store_id = l.store_id
    AND c.guest_check_line_item_id = l.child_id
    AND t.store_id = c.store_id
    AND t.guest_check_line_item_id = c.guest_check_line_item_id
    AND t.guest_check_id = c.guest_check_id
    AND t.removed_at IS NULL
