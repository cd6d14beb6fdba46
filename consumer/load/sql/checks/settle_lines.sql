-- Gives each contested line to the check with the newest version of those that claim it; checks
-- that only partial documents know come last. A line that nobody claims is gone.
WITH lines AS (
    SELECT DISTINCT store_id, child_id FROM stage_contested
),
verdicts AS (
    SELECT DISTINCT ON (l.store_id, l.child_id)
        l.store_id,
        l.child_id,
        jsonb_populate_record(NULL::detail_lines, c.line) AS row
    FROM lines AS l
    LEFT JOIN line_claims AS c
        ON c.store_id = l.store_id AND c.guest_check_line_item_id = l.child_id
    LEFT JOIN guest_checks AS h
        ON h.store_id = c.store_id AND h.guest_check_id = c.guest_check_id
    ORDER BY
        l.store_id, l.child_id,
        h.last_updated_utc DESC NULLS LAST,
        CASE WHEN h.last_updated_utc IS NOT NULL THEN h.as_of END DESC,
        c.guest_check_id DESC
),
gone AS (
    UPDATE detail_lines AS t
    SET removed_at = h.as_of
    FROM verdicts AS v, guest_checks AS h
    WHERE
        (v.row).store_id IS NULL
        AND t.store_id = v.store_id
        AND t.guest_check_line_item_id = v.child_id
        AND t.removed_at IS NULL
        AND h.store_id = t.store_id
        AND h.guest_check_id = t.guest_check_id
)
INSERT INTO detail_lines AS t ({columns})
SELECT {final}
FROM verdicts AS f
WHERE (f.row).store_id IS NOT NULL
ORDER BY f.store_id, f.child_id
ON CONFLICT (store_id, guest_check_line_item_id) DO UPDATE SET
    {assignments}, removed_at = NULL
WHERE ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
