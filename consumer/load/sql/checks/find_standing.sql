-- Which checks stand as records of these digests said, by their places in the list, each with its
-- business day. None for an object version that was loaded before: it is read in full, so that what
-- was found in it is found again.
SELECT w.place::integer - 1 AS place, t.opn_bus_dt
FROM unnest(%(ids)b::bigint [], %(digests)b::bytea []) WITH ORDINALITY AS w (id, digest, place)
CROSS JOIN LATERAL (
    SELECT content_digest, digest_object_id, object_id, patched, opn_bus_dt
    FROM guest_checks
    WHERE (store_id, guest_check_id) = (%(store_id)s, w.id)
    -- Looks each check up by index, whatever the statistics say.
    OFFSET 0
) AS t
WHERE
    t.content_digest = w.digest
    AND t.digest_object_id = t.object_id
    AND NOT t.patched
    AND NOT EXISTS (
        SELECT FROM ingested_objects
        WHERE (bucket, object_key, version) = (%(bucket)s, %(object_key)s, %(version)s)
    )
