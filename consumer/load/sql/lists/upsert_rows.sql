-- The rows of the answers that have a say, but for those of which a newer answer tells; of rows
-- with one id in one answer the last counts. Only what differs from what is stored is written: most
-- answers change a row or two of a day, whose lock keeps everybody else from writing its rows.
INSERT INTO {table} AS t ({columns}, as_of, object_id)
SELECT {staged}, s.sent_as_of, s.object_id
FROM (
    SELECT DISTINCT ON (s.store_id, s.bus_dt, s.record_id) {staged}, k.sent_as_of, d.object_id
    FROM stage_days AS d
    JOIN stage_documents AS k USING (doc_no)
    JOIN {stage} AS s USING (doc_no)
    WHERE
        d.applied
        AND d.source = %(source)s
        AND (d.gaps IS NULL OR NOT is_told_later(d.gaps, s.record_id, d.as_of, d.event_order))
    ORDER BY s.store_id, s.bus_dt, s.record_id, s.pos DESC
) AS s
WHERE NOT EXISTS (
    SELECT FROM {table} AS t
    WHERE
        (t.store_id, t.bus_dt, t.record_id) = (s.store_id, s.bus_dt, s.record_id)
        AND t.removed_at IS NULL
        AND ({stored}) IS NOT DISTINCT FROM ({staged})
    -- Looks each row up by index, whatever the statistics say.
    OFFSET 0
)
ORDER BY s.store_id, s.bus_dt, s.record_id
ON CONFLICT (store_id, bus_dt, record_id) DO UPDATE SET
    {assignments}, as_of = excluded.as_of, object_id = excluded.object_id, removed_at = NULL
