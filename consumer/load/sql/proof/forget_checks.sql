-- Deletes checks, before their documents are loaded again.
DELETE FROM guest_checks AS t
USING unnest(%(stores)s::text[], %(guest_check_ids)s::bigint[]) AS w (store_id, guest_check_id)
WHERE (t.store_id, t.guest_check_id) = (w.store_id, w.guest_check_id)
