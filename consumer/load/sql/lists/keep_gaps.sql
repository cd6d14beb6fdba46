-- Remembers what answers with quarantined rows do not tell. A bad row whose id cannot be read may
-- be any: then the answer tells only of the rows that it has.
INSERT INTO store_day_gaps AS g (
    object_id, source, store_id, bus_dt, as_of, event_order, tells, record_ids
)
SELECT
    d.object_id, d.source, d.store_id, d.bus_dt, d.as_of, d.event_order, k.keep_all,
    ARRAY(
        SELECT s.record_id FROM {stage} AS s WHERE k.keep_all AND s.doc_no = d.doc_no
        UNION
        (
            SELECT unnest(k.keep_ids) WHERE NOT k.keep_all
            EXCEPT
            SELECT s.record_id FROM {stage} AS s WHERE s.doc_no = d.doc_no
        )
    )
FROM stage_days AS d
JOIN stage_documents AS k USING (doc_no)
WHERE d.applied AND NOT d.whole AND d.source = %(source)s
ORDER BY d.object_id
ON CONFLICT (object_id) DO UPDATE SET
    as_of = excluded.as_of,
    event_order = excluded.event_order,
    tells = excluded.tells,
    record_ids = excluded.record_ids
-- The same bytes may have been put again since they were read.
WHERE (excluded.as_of, excluded.event_order) >= (g.as_of, g.event_order)
