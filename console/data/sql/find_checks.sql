-- The checks of a number, in all stores that have one.
SELECT
    c.store_id, c.guest_check_id, c.chk_num, c.opn_bus_dt, c.sub_ttl, c.last_updated_utc,
    c.clsd_utc IS NOT NULL OR coalesce(c.clsd_flag, false) AS is_closed,
    c.removed_at, o.object_key
FROM guest_checks AS c
LEFT JOIN ingested_objects AS o USING (object_id)
WHERE c.guest_check_id = %(check_id)s
ORDER BY c.store_id
LIMIT %(most)s
