-- Writes rows as their checks say them, in key order. What is gone keeps what it said last.
WITH gone AS (
    UPDATE {table} AS t
    SET removed_at = s.as_of
    FROM stage_said AS s
    WHERE
        s.table_name = %(table)s
        AND s.said IS NULL
        AND t.store_id = s.store_id
        AND t.guest_check_id = s.guest_check_id
        AND t.{child_id} = s.child_id
        AND t.removed_at IS NULL
)
INSERT INTO {table} AS t ({columns})
SELECT {final}
FROM (
    SELECT jsonb_populate_record(NULL::{table}, said) AS row
    FROM stage_said
    WHERE table_name = %(table)s AND said IS NOT NULL
    ORDER BY store_id, guest_check_id, child_id
) AS f
ON CONFLICT ({key}) DO UPDATE SET {assignments}, removed_at = NULL
WHERE ({stored}, t.removed_at) IS DISTINCT FROM ({excluded}, NULL)
