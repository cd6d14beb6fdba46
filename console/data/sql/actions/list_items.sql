-- The messages of an action with their ends: of the object the last one since it was acted on, else what
-- the dead letter tells, else that the message was dead-lettered again.
SELECT
    i.message_id, i.object_key, i.state, i.error_message, i.acted_at, d.store_id, d.bus_dt,
    coalesce(
        e.state,
        d.end_state,
        CASE WHEN again.dead_letter_id IS NOT NULL THEN 'dead_lettered' END
    ) AS end_state,
    coalesce(e.error_code, again.error_code) AS error_code
FROM operator_action_items AS i
JOIN operator_actions AS a USING (action_id)
LEFT JOIN dead_letters AS d USING (message_id)
LEFT JOIN LATERAL (
    SELECT o.state, o.error_code
    FROM object_events AS o
    WHERE o.object_id = d.object_id AND o.ended_at >= a.began_at
    ORDER BY o.event_id DESC
    LIMIT 1
) AS e ON i.state <> 'planned'
LEFT JOIN LATERAL (
    SELECT n.dead_letter_id, n.error_code
    FROM dead_letters AS n
    WHERE
        n.cause = d.cause
        AND n.original_id = d.original_id
        AND n.dead_letter_id > d.dead_letter_id
        AND n.failed_at >= a.began_at
    ORDER BY n.dead_letter_id DESC
    LIMIT 1
) AS again ON i.state = 'replayed'
WHERE i.action_id = %(action_id)s
ORDER BY i.message_id
