-- An answer stands when the snapshot is now of its object. It has a say, about what the answers
-- that are newer do not tell, as long as none of those is whole.
WITH past AS (
    DELETE FROM store_day_gaps AS g
    USING stage_days AS d, store_day_snapshots AS t
    WHERE
        (t.source, t.store_id, t.bus_dt) = (d.source, d.store_id, d.bus_dt)
        AND (g.source, g.store_id, g.bus_dt) = (d.source, d.store_id, d.bus_dt)
        AND (g.as_of, g.event_order) <= (t.whole_as_of, t.whole_event_order)
)
UPDATE stage_days AS d
SET
    standing = t.object_id = d.object_id,
    applied = (d.as_of, d.event_order) >= (t.whole_as_of, t.whole_event_order)
FROM store_day_snapshots AS t
WHERE t.source = d.source AND t.store_id = d.store_id AND t.bus_dt = d.bus_dt
