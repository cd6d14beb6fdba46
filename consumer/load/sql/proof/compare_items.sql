-- Items whose dates in the table do not reach as far as the documents that were read.
SELECT to_jsonb(t)::text AS stored, to_jsonb(s)::text AS expected
FROM (SELECT store_id, menu_item_id, first_seen, last_seen FROM pg_temp.menu_items) AS s
LEFT JOIN (
    SELECT store_id, menu_item_id, first_seen, last_seen FROM public.menu_items
) AS t USING (store_id, menu_item_id)
WHERE
    t.menu_item_id IS NULL
    OR s.first_seen < coalesce(t.first_seen, 'infinity')
    OR s.last_seen > coalesce(t.last_seen, '-infinity')
ORDER BY store_id, menu_item_id
