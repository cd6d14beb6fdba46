-- Rows whose document had lost its ledger row come from the answer that their day stands at now:
-- it was loaded again, but what it says alike was not written.
UPDATE {table} AS t
SET object_id = d.object_id
FROM unnest(%(stores)s::text[], %(days)s::date[]) AS w (store_id, bus_dt)
JOIN store_days AS d USING (store_id, bus_dt)
WHERE
    d.source = %(source)s
    AND (t.store_id, t.bus_dt) = (w.store_id, w.bus_dt)
    AND NOT EXISTS (SELECT FROM ingested_objects AS o WHERE o.object_id = t.object_id)
