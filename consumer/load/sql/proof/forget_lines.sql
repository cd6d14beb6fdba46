-- Deletes the lines of checks, before their documents are loaded again.
DELETE FROM detail_lines AS t
USING unnest(%(stores)s::text[], %(guest_check_ids)s::bigint[]) AS w (store_id, guest_check_id)
WHERE (t.store_id, t.guest_check_id) = (w.store_id, w.guest_check_id)
