-- Checks that may be in one total of a store-day and not in another, and why. Signed: what
-- v_daily_revenue counts is positive, what others may count instead is negative.
SELECT
    c.guest_check_id,
    k.reason,
    k.sign * coalesce(c.sub_ttl, 0),
    k.sign * t.tax,
    k.sign
FROM guest_checks AS c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(x.tax_coll_ttl), 0) AS tax
    FROM taxes AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id)
        AND (x.removed_at IS NULL OR c.removed_at IS NOT NULL)
) AS t
CROSS JOIN LATERAL (
    SELECT
        r.reason,
        CASE WHEN r.reason IN ('opened_before', 'removed', 'cancelled') THEN -1 ELSE 1 END::numeric
            AS sign
    FROM (
        SELECT CASE
            WHEN c.opn_bus_dt < %(day)s THEN 'opened_before'
            WHEN c.removed_at IS NOT NULL THEN 'removed'
            WHEN c.cancel_flag THEN 'cancelled'
            WHEN coalesce(NOT c.clsd_flag, c.clsd_utc IS NULL) THEN 'open'
            WHEN c.clsd_bus_dt > c.opn_bus_dt THEN 'closed_later'
            ELSE 'counted'
        END AS reason
    ) AS r
) AS k
WHERE
    c.store_id = %(store)s
    AND c.opn_bus_dt BETWEEN %(day)s::date - 2 AND %(day)s
    AND (
        c.opn_bus_dt = %(day)s
        OR (c.clsd_bus_dt = %(day)s AND c.removed_at IS NULL AND c.cancel_flag IS NOT TRUE)
    )
ORDER BY c.guest_check_id
