-- The taxes of applied checks, in key order, but for those that partial documents told of.
INSERT INTO taxes AS t ({columns})
SELECT {staged}
FROM stage_winners AS w
JOIN stage_taxes AS s USING (doc_no, pos)
WHERE
    w.applied
    AND NOT EXISTS (
        SELECT FROM stage_said AS p
        WHERE
            p.table_name = 'taxes'
            AND p.store_id = s.store_id
            AND p.guest_check_id = s.guest_check_id
            AND p.child_id = s.tax_num
    )
ORDER BY s.store_id, s.guest_check_id, s.tax_num
ON CONFLICT (store_id, guest_check_id, tax_num) DO UPDATE SET
    {assignments}, removed_at = NULL
WHERE ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
