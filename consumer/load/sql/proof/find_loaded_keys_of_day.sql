-- The objects of a store-day that the tables may stand on.
SELECT DISTINCT object_key
FROM public.ingested_objects
WHERE
    bus_dt = %(day)s
    AND store_id = %(store)s
    AND source = %(source)s
    AND event_order <> ''
