-- What the batch's full documents say of contested lines, where no partial one had a say.
INSERT INTO stage_said (table_name, store_id, guest_check_id, child_id, said, as_of)
SELECT
    'detail_lines', s.store_id, s.guest_check_id, s.guest_check_line_item_id,
    to_jsonb(jsonb_populate_record(NULL::detail_lines, to_jsonb(s))), w.as_of
FROM (SELECT DISTINCT * FROM stage_contested) AS c
JOIN stage_detail_lines AS s
    ON s.store_id = c.store_id AND s.guest_check_line_item_id = c.child_id
JOIN stage_winners AS w USING (doc_no, pos)
WHERE
    w.applied
    AND NOT EXISTS (
        SELECT FROM stage_said AS p
        WHERE
            p.table_name = 'detail_lines'
            AND p.store_id = s.store_id
            AND p.guest_check_id = s.guest_check_id
            AND p.child_id = s.guest_check_line_item_id
    )
