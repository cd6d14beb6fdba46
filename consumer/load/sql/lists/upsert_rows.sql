-- The rows of the answers that have a say, but for those of which a newer answer tells; of rows
-- with one id in one answer the last counts.
INSERT INTO {table} AS t ({columns}, as_of, object_id)
SELECT DISTINCT ON (s.store_id, s.bus_dt, s.record_id) {staged}, k.sent_as_of, d.object_id
FROM stage_days AS d
JOIN stage_documents AS k USING (doc_no)
JOIN {stage} AS s USING (doc_no)
WHERE
    d.applied
    AND d.source = %(source)s
    AND NOT EXISTS (
        SELECT FROM store_day_gaps AS g
        WHERE
            (g.source, g.store_id, g.bus_dt) = (d.source, d.store_id, d.bus_dt)
            AND (g.as_of, g.event_order) > (d.as_of, d.event_order)
            AND (s.record_id = ANY (g.record_ids)) = g.tells
    )
ORDER BY s.store_id, s.bus_dt, s.record_id, s.pos DESC
ON CONFLICT (store_id, bus_dt, record_id) DO UPDATE SET
    {assignments}, as_of = excluded.as_of, object_id = excluded.object_id, removed_at = NULL
WHERE ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
