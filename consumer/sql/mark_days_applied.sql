-- An answer stands when the snapshot is now of its object.
UPDATE stage_days AS d
SET applied = true
FROM store_day_snapshots AS t
WHERE
    t.source = d.source
    AND t.store_id = d.store_id
    AND t.bus_dt = d.bus_dt
    AND t.object_id = d.object_id
    AND t.as_of <= d.as_of
