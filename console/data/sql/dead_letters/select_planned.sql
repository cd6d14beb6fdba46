-- What an action is about: confirmed messages on the queue, of a canary the oldest of each store in
-- turn. Those that a running action has planned are left to it.
WITH chosen AS (
    SELECT
        message_id, object_key, store_id, bus_dt, failed_at, dead_letter_id,
        row_number() OVER (
            PARTITION BY store_id ORDER BY failed_at, dead_letter_id
        ) AS turn
    FROM dead_letters AS d
    WHERE
        state IN ('unconfirmed', 'waiting')
        AND message_id IS NOT NULL
        AND cause = %(cause)s
        AND (%(store)s::text IS NULL OR store_id = %(store)s)
        AND (%(day)s::date IS NULL OR bus_dt = %(day)s)
        AND NOT EXISTS (
            SELECT
            FROM operator_action_items AS i
            JOIN operator_actions AS a USING (action_id)
            WHERE i.message_id = d.message_id AND i.state = 'planned' AND a.state = 'running'
        )
)
SELECT message_id, object_key, store_id, bus_dt, failed_at, count(*) OVER () AS matching
FROM chosen
ORDER BY CASE WHEN %(canary)s THEN turn END, failed_at, dead_letter_id
LIMIT %(limit)s
