-- Gives an item the dates that the lake says; without any, no line may refer to it.
WITH mended AS (
    UPDATE menu_items
    SET first_seen = %(first)s, last_seen = %(last)s
    WHERE store_id = %(store)s AND menu_item_id = %(item)s AND %(first)s::date IS NOT NULL
)
DELETE FROM menu_items AS t
WHERE
    t.store_id = %(store)s
    AND t.menu_item_id = %(item)s
    AND %(first)s::date IS NULL
    AND NOT EXISTS (
        SELECT FROM detail_lines AS l
        WHERE (l.store_id, l.menu_item_id) = (t.store_id, t.menu_item_id)
    )
