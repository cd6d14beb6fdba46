-- Checks on some pages that partial documents have touched; a check that a batch holds is passed by.
SELECT coalesce(array_agg(c.place), '{}')
FROM (
    SELECT ctid::text AS place
    FROM guest_checks
    WHERE ctid >= %(first)s::tid AND ctid < %(last)s::tid AND patched
    FOR UPDATE SKIP LOCKED
) AS c
