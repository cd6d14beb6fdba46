-- A document whose key does not say what it holds, or lies in another layout than ours.
INSERT INTO free_documents (event, object_key, source, store_id, days, guest_check_ids)
VALUES (
    %(event)s, %(object_key)s, %(source)s, %(store_id)s, %(days)s::date[],
    %(guest_check_ids)s::bigint[]
)
