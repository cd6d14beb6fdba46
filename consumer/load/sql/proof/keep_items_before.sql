-- Keeps the items as the table has them before anything is compared.
INSERT INTO items_before (store_id, menu_item_id, first_seen, last_seen)
SELECT store_id, menu_item_id, first_seen, last_seen
FROM public.menu_items
