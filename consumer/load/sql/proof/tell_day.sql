-- The checks of a day as the documents so far say: what sums are made of, and whose each is.
SELECT
    c.guest_check_id, c.sub_ttl, c.gst_cnt, t.tax, c.cancel_flag IS TRUE AS is_cancelled,
    o.object_key, coalesce(o.version_id, o.etag) AS version
FROM pg_temp.guest_checks AS c
CROSS JOIN LATERAL (
    SELECT sum(x.tax_coll_ttl) AS tax
    FROM pg_temp.taxes AS x
    WHERE
        (x.store_id, x.guest_check_id) = (c.store_id, c.guest_check_id) AND x.removed_at IS NULL
) AS t
LEFT JOIN pg_temp.ingested_objects AS o USING (object_id)
WHERE
    c.store_id = %(store)s
    AND c.removed_at IS NULL
    AND (
        (%(check_id)s::bigint IS NULL AND c.opn_bus_dt = %(day)s)
        OR c.guest_check_id = %(check_id)s
    )
