-- Brings the claims to contested lines up to date: whoever holds one, what the batch's checks
-- say, and without those that let go.
WITH lines AS (
    SELECT DISTINCT store_id, child_id AS guest_check_line_item_id FROM stage_contested
),
spoken AS (
    SELECT store_id, child_id AS guest_check_line_item_id, guest_check_id, said
    FROM stage_said
    WHERE table_name = 'detail_lines'
),
holders AS (
    INSERT INTO line_claims (store_id, guest_check_line_item_id, guest_check_id, line)
    SELECT t.store_id, t.guest_check_line_item_id, t.guest_check_id, to_jsonb(t)
    FROM lines
    JOIN detail_lines AS t USING (store_id, guest_check_line_item_id)
    LEFT JOIN spoken AS s USING (store_id, guest_check_line_item_id, guest_check_id)
    WHERE
        t.removed_at IS NULL
        AND s.store_id IS NULL
        -- One of the batch's checks may just have been given back what it lets go.
        AND NOT EXISTS (
            SELECT FROM stage_winners AS w
            WHERE
                w.applied
                AND w.store_id = t.store_id
                AND w.guest_check_id = t.guest_check_id
        )
    ON CONFLICT DO NOTHING
),
let_go AS (
    DELETE FROM line_claims AS c
    USING (
        SELECT l.*, w.guest_check_id
        FROM lines AS l
        JOIN stage_winners AS w USING (store_id)
        WHERE w.applied
        UNION
        SELECT store_id, guest_check_line_item_id, guest_check_id FROM spoken
    ) AS heard
    LEFT JOIN spoken AS s USING (store_id, guest_check_line_item_id, guest_check_id)
    WHERE
        s.said IS NULL
        AND c.store_id = heard.store_id
        AND c.guest_check_line_item_id = heard.guest_check_line_item_id
        AND c.guest_check_id = heard.guest_check_id
)
INSERT INTO line_claims AS c (store_id, guest_check_line_item_id, guest_check_id, line)
SELECT store_id, guest_check_line_item_id, guest_check_id, said
FROM spoken
WHERE said IS NOT NULL
ON CONFLICT (store_id, guest_check_line_item_id, guest_check_id) DO UPDATE SET
    line = excluded.line
WHERE c.line IS DISTINCT FROM excluded.line
