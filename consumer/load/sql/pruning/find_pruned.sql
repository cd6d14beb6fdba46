-- Which of these objects may be without a ledger row because it was pruned: answers written before
-- what was pruned, of a store-day that stands.
SELECT w.object_key
FROM unnest(
    %(keys)s::text[], %(written)s::timestamptz[], %(sources)s::text[], %(stores)s::text[],
    %(days)s::date[]
) AS w (object_key, written_at, source, store_id, bus_dt)
JOIN public.store_days AS d USING (source, store_id, bus_dt)
WHERE w.written_at < (SELECT max(older_than) FROM public.prunings)
