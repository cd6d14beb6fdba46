-- The days of which the tables have rows.
SELECT DISTINCT opn_bus_dt
FROM public.guest_checks
WHERE opn_bus_dt IS NOT NULL AND (%(stores)s::text[] IS NULL OR store_id = ANY (%(stores)s))
UNION
SELECT DISTINCT bus_dt
FROM public.store_days
WHERE %(stores)s::text[] IS NULL OR store_id = ANY (%(stores)s)
