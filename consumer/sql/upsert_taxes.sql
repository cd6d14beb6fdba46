-- The taxes of applied checks, in key order.
INSERT INTO taxes AS t ({columns})
SELECT {staged}
FROM stage_winners AS w
JOIN stage_taxes AS s USING (doc_no, pos)
WHERE w.applied
ORDER BY s.store_id, s.guest_check_id, s.tax_num
ON CONFLICT (store_id, guest_check_id, tax_num) DO UPDATE SET
    {assignments}, removed_at = NULL
WHERE
    t.patches IS NULL
    AND ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
