-- The checks that are stored as opened on the days to compare, or on no day at all.
INSERT INTO compared_checks (store_id, guest_check_id)
SELECT c.store_id, c.guest_check_id
FROM compared_days AS d
JOIN public.guest_checks AS c ON (c.opn_bus_dt, c.store_id) = (d.bus_dt, d.store_id)
UNION
SELECT c.store_id, c.guest_check_id
FROM public.guest_checks AS c
JOIN compared_days AS d USING (store_id)
WHERE d.bus_dt IS NULL AND c.opn_bus_dt IS NULL
ON CONFLICT DO NOTHING
