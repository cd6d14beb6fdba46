-- What partial documents said of checks of which a full document has long been newer. Patches count
-- from the full document's as-of on; one that is no newer than even the check's own version
-- counts for no full document that could still win. All patches of a check go, or none; what it was
-- read from is not told by a digest until it is read again. The checks
-- were locked by a statement before: this one sees every patch of them.
WITH checks AS (
    SELECT c.store_id, c.guest_check_id
    FROM guest_checks AS c
    WHERE
        c.ctid = ANY (%(held)s::tid [])
        AND c.last_updated_utc IS NOT NULL
        AND NOT EXISTS (
            SELECT FROM check_patches AS p
            CROSS JOIN jsonb_each(p.patches) AS e
            WHERE
                (p.store_id, p.guest_check_id) = (c.store_id, c.guest_check_id)
                AND (e.value ->> 'a')::timestamptz >= least(
                    c.last_updated_utc, c.as_of, c.latest_credible, %(older_than)s
                )
        )
),
unpatched AS (
    UPDATE guest_checks AS t
    SET patched = false, content_digest = NULL
    FROM checks AS c
    WHERE (t.store_id, t.guest_check_id) = (c.store_id, c.guest_check_id)
)
DELETE FROM check_patches AS p
USING checks AS c
WHERE (p.store_id, p.guest_check_id) = (c.store_id, c.guest_check_id)
