-- Ledger rows that something refers to, which is what decides between documents of equal version
-- and what a row's provenance names; and those that showed a finding first or last. Rows
-- that are pruned as well keep nothing.
CREATE TEMP TABLE kept_objects AS
SELECT object_id FROM guest_checks
UNION
SELECT object_id FROM store_days
UNION
SELECT counted_object_id FROM store_days WHERE counted_object_id IS NOT NULL
UNION
SELECT (gap ->> 'object_id')::bigint
FROM store_days
CROSS JOIN jsonb_array_elements(gaps) AS gap
WHERE gaps IS NOT NULL
UNION
SELECT object_id FROM fiscal_invoices
WHERE removed_at IS NULL OR removed_at >= %(older_than)s
UNION
SELECT object_id FROM charge_backs
WHERE removed_at IS NULL OR removed_at >= %(older_than)s
UNION
SELECT object_id FROM transactions
WHERE removed_at IS NULL OR removed_at >= %(older_than)s
UNION
SELECT object_id FROM cash_management_details
WHERE removed_at IS NULL OR removed_at >= %(older_than)s
UNION
SELECT f.object_id
FROM object_findings AS f
JOIN (
    SELECT finding_id, min(event_time) AS first_seen, max(event_time) AS last_seen
    FROM object_findings
    GROUP BY finding_id
) AS e USING (finding_id)
WHERE f.event_time IN (e.first_seen, e.last_seen)
