-- The objects that were loaded for the days to compare, as the ledger says.
SELECT o.object_key, coalesce(o.version_id, o.etag), o.store_id, o.bus_dt
FROM compared_days AS d
JOIN public.ingested_objects AS o USING (bus_dt, store_id)
WHERE o.state = 'loaded' AND o.event_order <> '' AND o.source = ANY (%(sources)s)
