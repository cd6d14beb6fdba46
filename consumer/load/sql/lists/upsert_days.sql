-- The newest answer for each store-day list in the batch, and the newest whole one: that without
-- a quarantined row. Locks each day, in key order, even when it writes nothing.
WITH answers AS (
    INSERT INTO stage_days (
        doc_no, source, store_id, bus_dt, as_of, event_order, object_id, whole
    )
    SELECT
        doc_no, source, store_id, bus_dt, as_of, event_order, object_id, quarantined = 0
    FROM stage_documents
    WHERE source = ANY (%(list_sources)s)
    RETURNING *
),
newest AS (
    SELECT DISTINCT ON (source, store_id, bus_dt) * FROM answers
    ORDER BY source, store_id, bus_dt, as_of DESC, event_order DESC
),
newest_whole AS (
    SELECT DISTINCT ON (source, store_id, bus_dt) * FROM answers
    WHERE whole
    ORDER BY source, store_id, bus_dt, as_of DESC, event_order DESC
)
INSERT INTO store_day_snapshots AS t (
    source, store_id, bus_dt, as_of, event_order, object_id, whole_as_of, whole_event_order
)
SELECT
    n.source, n.store_id, n.bus_dt, n.as_of, n.event_order, n.object_id,
    coalesce(w.as_of, '-infinity'), coalesce(w.event_order, '')
FROM newest AS n
LEFT JOIN newest_whole AS w USING (source, store_id, bus_dt)
ORDER BY n.source, n.store_id, n.bus_dt
ON CONFLICT (source, store_id, bus_dt) DO UPDATE SET
    (as_of, event_order, object_id) = (
        SELECT either.as_of, either.event_order, either.object_id
        FROM (
            VALUES (t.as_of, t.event_order, t.object_id),
            (excluded.as_of, excluded.event_order, excluded.object_id)
        ) AS either (as_of, event_order, object_id)
        ORDER BY either.as_of DESC, either.event_order DESC
        LIMIT 1
    ),
    (whole_as_of, whole_event_order) = (
        SELECT either.as_of, either.event_order
        FROM (
            VALUES (t.whole_as_of, t.whole_event_order),
            (excluded.whole_as_of, excluded.whole_event_order)
        ) AS either (as_of, event_order)
        ORDER BY either.as_of DESC, either.event_order DESC
        LIMIT 1
    )
WHERE
    (excluded.as_of, excluded.event_order) > (t.as_of, t.event_order)
    OR (excluded.whole_as_of, excluded.whole_event_order)
    > (t.whole_as_of, t.whole_event_order)
