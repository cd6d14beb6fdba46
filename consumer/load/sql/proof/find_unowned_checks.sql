-- Checks whose document has lost its row in the ledger: no document would ever replace them.
SELECT c.store_id, c.guest_check_id
FROM compared_checks AS w
JOIN public.guest_checks AS c USING (store_id, guest_check_id)
WHERE NOT EXISTS (SELECT FROM public.ingested_objects AS o WHERE o.object_id = c.object_id)
