-- The store-days to compare.
INSERT INTO compared_days (store_id, bus_dt)
SELECT * FROM unnest(%(stores)s::text[], %(days)s::date[])
