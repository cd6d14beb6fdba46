-- Lines to be settled between checks: two of the batch claim them, or one of the batch claims or
-- holds what is claimed already, or partial documents told of them.
INSERT INTO stage_contested (store_id, child_id)
SELECT l.store_id, l.guest_check_line_item_id
FROM stage_winners AS w
JOIN stage_detail_lines AS l USING (doc_no, pos)
WHERE w.applied
GROUP BY l.store_id, l.guest_check_line_item_id
HAVING count(*) > 1
UNION
SELECT c.store_id, c.guest_check_line_item_id
FROM line_claims AS c
JOIN stage_winners AS w USING (store_id, guest_check_id)
WHERE w.applied
UNION
SELECT c.store_id, c.guest_check_line_item_id
FROM line_claims AS c
JOIN detail_lines AS t USING (store_id, guest_check_line_item_id)
JOIN stage_winners AS w ON w.store_id = t.store_id AND w.guest_check_id = t.guest_check_id
WHERE w.applied
UNION
SELECT store_id, child_id FROM stage_said WHERE table_name = 'detail_lines'
