-- The objects of the store-days to compare that the tables may stand on, by source, store and day.
SELECT DISTINCT o.source, o.store_id, o.bus_dt, o.object_key
FROM compared_days AS d
JOIN public.ingested_objects AS o USING (bus_dt, store_id)
WHERE o.source = ANY (%(sources)s) AND o.event_order <> ''
