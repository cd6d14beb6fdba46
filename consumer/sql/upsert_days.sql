-- The newest answer for each store-day list in the batch, and whether it stands.
WITH newest AS (
    SELECT DISTINCT ON (source, store_id, bus_dt)
        doc_no, source, store_id, bus_dt, as_of, event_order, object_id
    FROM stage_documents
    WHERE source = ANY (%(list_sources)s)
    ORDER BY source, store_id, bus_dt, as_of DESC, event_order DESC
),
staged AS (
    INSERT INTO stage_days (doc_no, source, store_id, bus_dt, as_of, event_order, object_id)
    SELECT * FROM newest
)
INSERT INTO store_day_snapshots AS t (
    source, store_id, bus_dt, as_of, event_order, object_id
)
SELECT source, store_id, bus_dt, as_of, event_order, object_id
FROM newest
ORDER BY source, store_id, bus_dt
ON CONFLICT (source, store_id, bus_dt) DO UPDATE SET
    as_of = excluded.as_of,
    event_order = excluded.event_order,
    object_id = excluded.object_id
WHERE
    (excluded.as_of, excluded.event_order) > (t.as_of, t.event_order)
