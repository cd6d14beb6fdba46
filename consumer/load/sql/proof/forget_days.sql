-- What some store-days stand at is forgotten, so that the answers loaded next decide anew.
UPDATE store_days AS t
SET
    as_of = '-infinity',
    event_order = '',
    whole_as_of = '-infinity',
    whole_event_order = '',
    gaps = NULL,
    digest = NULL,
    counted_as_of = '-infinity',
    counted_event_order = ''
FROM unnest(%(sources)s::text[], %(stores)s::text[], %(days)s::date[])
    AS w (source, store_id, bus_dt)
WHERE (t.source, t.store_id, t.bus_dt) = (w.source, w.store_id, w.bus_dt)
