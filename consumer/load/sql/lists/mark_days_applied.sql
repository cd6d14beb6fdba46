-- An answer stands when its store-day is now of its object. It has a say, about what the answers
-- that are newer do not tell, as long as none of those is whole.
UPDATE stage_days AS d
SET
    standing = t.object_id = d.object_id,
    applied = (d.as_of, d.event_order) >= (t.whole_as_of, t.whole_event_order),
    gaps = t.gaps
FROM store_days AS t
WHERE
    d.source = ANY (%(list_sources)s)
    AND (t.source, t.store_id, t.bus_dt) = (d.source, d.store_id, d.bus_dt)
