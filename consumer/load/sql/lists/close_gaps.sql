-- Drops gaps that make no difference: a newer answer tells all that the older one does.
DELETE FROM store_day_gaps AS g
USING stage_days AS d, store_day_gaps AS newer
WHERE
    (g.source, g.store_id, g.bus_dt) = (d.source, d.store_id, d.bus_dt)
    AND (newer.source, newer.store_id, newer.bus_dt) = (d.source, d.store_id, d.bus_dt)
    AND (newer.as_of, newer.event_order) > (g.as_of, g.event_order)
    AND newer.tells = g.tells
    AND CASE
        WHEN g.tells THEN g.record_ids <@ newer.record_ids
        ELSE newer.record_ids <@ g.record_ids
    END
