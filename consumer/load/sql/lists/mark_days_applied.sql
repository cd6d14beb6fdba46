-- An answer stands when its store-day is now of its object. It has a say, about what the answers
-- that are newer do not tell, as long as none of those is whole. Each day is looked up by its key:
-- joined, the planner would rather read every store-day there is. What was not read stands already.
UPDATE stage_days AS d
SET
    (standing, applied, gaps) = (
        SELECT
            t.object_id = d.object_id,
            NOT d.unread
            AND (d.as_of, d.event_order) >= (t.whole_as_of, t.whole_event_order),
            t.gaps
        FROM store_days AS t
        WHERE (t.source, t.store_id, t.bus_dt) = (d.source, d.store_id, d.bus_dt)
    )
WHERE d.source = ANY (%(list_sources)s)
