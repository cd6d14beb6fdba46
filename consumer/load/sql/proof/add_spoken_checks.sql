-- The checks that the answers of the days to compare speak of, and those of other documents that
-- opened on these days, or do not say when.
INSERT INTO compared_checks (store_id, guest_check_id)
SELECT s.store_id, s.guest_check_id
FROM spoken AS s
LEFT JOIN pg_temp.guest_checks AS c USING (store_id, guest_check_id)
WHERE
    s.object_key = ANY (%(answers)s)
    OR c.opn_bus_dt IS NULL
    OR EXISTS (
        SELECT FROM compared_days AS d WHERE (d.store_id, d.bus_dt) = (c.store_id, c.opn_bus_dt)
    )
ON CONFLICT DO NOTHING
