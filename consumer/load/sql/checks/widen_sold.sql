-- When items were sold, whether their check won or not; only rows that say something new are
-- touched, in key order, at the end of the transaction. Each is looked up by its key: joined, the
-- planner would rather read all items of all stores.
INSERT INTO menu_items AS t (store_id, menu_item_id, first_seen, last_seen)
SELECT s.store_id, s.menu_item_id, s.first_seen, s.last_seen
FROM (
    SELECT store_id, menu_item_id, min(first_seen) AS first_seen, max(last_seen) AS last_seen
    FROM stage_sold
    GROUP BY store_id, menu_item_id
) AS s
CROSS JOIN LATERAL (
    SELECT i.first_seen, i.last_seen
    FROM menu_items AS i
    WHERE (i.store_id, i.menu_item_id) = (s.store_id, s.menu_item_id)
    OFFSET 0
) AS known
WHERE
    s.first_seen < coalesce(known.first_seen, 'infinity')
    OR s.last_seen > coalesce(known.last_seen, '-infinity')
ORDER BY s.store_id, s.menu_item_id
ON CONFLICT (store_id, menu_item_id) DO UPDATE SET
    first_seen = least(t.first_seen, excluded.first_seen),
    last_seen = greatest(t.last_seen, excluded.last_seen)
WHERE
    (t.first_seen, t.last_seen) IS DISTINCT FROM (
        least(t.first_seen, excluded.first_seen), greatest(t.last_seen, excluded.last_seen)
    )
