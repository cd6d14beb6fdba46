-- The objects whose keys do not name their store and day, that were loaded since a moment.
SELECT DISTINCT object_key
FROM public.ingested_objects
WHERE
    committed_at >= %(since)s
    AND event_order <> ''
    AND source = ANY (%(sources)s)
    AND NOT starts_with(object_key, %(api_prefix)s)
