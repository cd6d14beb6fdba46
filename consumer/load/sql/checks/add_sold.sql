-- Items sold for the first time, so that lines can refer to them. What is known already is not
-- locked here: all batches of a store sell the same items, and would wait for each other.
INSERT INTO menu_items (store_id, menu_item_id, first_seen, last_seen)
SELECT s.store_id, s.menu_item_id, min(s.first_seen), max(s.last_seen)
FROM stage_sold AS s
LEFT JOIN menu_items AS known USING (store_id, menu_item_id)
WHERE known.menu_item_id IS NULL
GROUP BY s.store_id, s.menu_item_id
ORDER BY s.store_id, s.menu_item_id
ON CONFLICT DO NOTHING
