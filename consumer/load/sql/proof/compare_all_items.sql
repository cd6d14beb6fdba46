-- Items that reached further before anything was read than the whole lake does.
SELECT to_jsonb(t)::text AS stored, to_jsonb(s)::text AS expected
FROM items_before AS t
LEFT JOIN read_items AS s USING (store_id, menu_item_id)
WHERE
    (%(stores)s::text[] = '{}' OR store_id = ANY (%(stores)s))
    AND (
        s.menu_item_id IS NULL
        OR t.first_seen < coalesce(s.first_seen, 'infinity')
        OR t.last_seen > coalesce(s.last_seen, '-infinity')
    )
ORDER BY store_id, menu_item_id
