-- What the lake says of some items.
SELECT w.store_id, w.menu_item_id, r.first_seen, r.last_seen
FROM unnest(%(stores)s::text[], %(items)s::bigint[]) AS w (store_id, menu_item_id)
LEFT JOIN read_items AS r USING (store_id, menu_item_id)
