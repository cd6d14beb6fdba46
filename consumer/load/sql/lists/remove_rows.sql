-- Marks rows that an answer no longer has, but for those of which a newer answer tells. A
-- quarantined row is still in its answer: what was stored under its id stays, and when its id
-- cannot be read everything stays.
UPDATE {table} AS t
SET removed_at = d.as_of
FROM stage_days AS d
JOIN stage_documents AS k USING (doc_no)
WHERE
    d.applied
    AND d.source = %(source)s
    AND NOT k.keep_all
    AND t.store_id = d.store_id
    AND t.bus_dt = d.bus_dt
    AND t.removed_at IS NULL
    AND NOT t.record_id = ANY (k.keep_ids)
    AND NOT EXISTS (
        SELECT FROM {stage} AS s WHERE s.doc_no = d.doc_no AND s.record_id = t.record_id
    )
    AND NOT EXISTS (
        SELECT FROM store_day_gaps AS g
        WHERE
            (g.source, g.store_id, g.bus_dt) = (d.source, d.store_id, d.bus_dt)
            AND (g.as_of, g.event_order) > (d.as_of, d.event_order)
            AND (t.record_id = ANY (g.record_ids)) = g.tells
    )
