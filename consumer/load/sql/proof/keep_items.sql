-- Adds the items of the documents that were read to those of all that were read before.
INSERT INTO read_items AS r (store_id, menu_item_id, first_seen, last_seen)
SELECT *
FROM unnest(%(stores)s::text[], %(items)s::bigint[], %(firsts)s::date[], %(lasts)s::date[])
ON CONFLICT (store_id, menu_item_id) DO UPDATE SET
    first_seen = least(r.first_seen, excluded.first_seen),
    last_seen = greatest(r.last_seen, excluded.last_seen)
