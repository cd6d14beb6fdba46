-- Marks rows that the standing answer no longer has. A quarantined row is still in the answer:
-- what was stored under its id stays, and when its id cannot be read everything stays.
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
