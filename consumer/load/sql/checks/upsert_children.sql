-- The taxes or lines of applied checks, in key order.
INSERT INTO {table} AS t ({columns})
SELECT {staged}
FROM stage_winners AS w
JOIN {stage} AS s USING (doc_no, pos)
WHERE w.applied
ORDER BY s.store_id, s.guest_check_id, s.{child_id}
ON CONFLICT ({key}) DO UPDATE SET
    {assignments}, removed_at = NULL
WHERE ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
