-- Marks rows that an answer no longer has, but for those of which a newer answer tells, and those
-- that may be its quarantined ones.
UPDATE {table} AS t
SET removed_at = d.as_of
FROM stage_days AS d
WHERE
    d.applied
    AND d.source = %(source)s
    AND (t.store_id, t.bus_dt) = (d.store_id, d.bus_dt)
    AND t.removed_at IS NULL
    AND (d.gap IS NULL OR is_told(d.gap, t.record_id))
    AND NOT EXISTS (
        SELECT FROM {stage} AS s WHERE s.doc_no = d.doc_no AND s.record_id = t.record_id
    )
    AND (d.gaps IS NULL OR NOT is_told_later(d.gaps, t.record_id, d.as_of, d.event_order))
