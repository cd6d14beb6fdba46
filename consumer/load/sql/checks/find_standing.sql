-- Which checks stand as records of these digests said, by their places in the list, each with its
-- business day. None for an object version that was loaded before: it is read in full, so that what
-- was found in it is found again.
SELECT w.place::integer - 1 AS place, t.opn_bus_dt
FROM unnest(%(ids)s::text::bigint []) WITH ORDINALITY AS w (id, place)
CROSS JOIN LATERAL (
    SELECT content_digest, digest_object_id, object_id, patched, opn_bus_dt
    FROM guest_checks
    WHERE (store_id, guest_check_id) = (%(store_id)s, w.id)
    -- Looks each check up by index, whatever the statistics say.
    OFFSET 0
) AS t
WHERE
    -- All digests in one value: arrays take their time to be written, element by element.
    t.content_digest = substr(%(digests)b::bytea, w.place::integer * 16 - 15, 16)
    AND t.digest_object_id = t.object_id
    AND NOT t.patched
    AND NOT EXISTS (
        SELECT FROM ingested_objects
        WHERE (bucket, object_key, version) = (%(bucket)s, %(object_key)s, %(version)s)
    )
