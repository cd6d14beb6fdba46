-- Deletes rows of a list that no answer ever held.
DELETE FROM {table} AS t
USING unnest(%(store_id)s::text[], %(bus_dt)s::date[], %(record_id)s::text[])
    AS w (store_id, bus_dt, record_id)
WHERE (t.store_id, t.bus_dt, t.record_id) = (w.store_id, w.bus_dt, w.record_id)
