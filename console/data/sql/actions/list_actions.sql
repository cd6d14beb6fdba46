-- The latest actions, and what became of their messages.
SELECT
    a.action_id, a.kind, a.actor, a.program, a.filter, a.reason, a.state, a.error_message, a.began_at,
    a.ended_at, i.items, i.acted, i.ended_well, i.failed_again
FROM operator_actions AS a
CROSS JOIN LATERAL (
    SELECT
        count(*) AS items,
        count(*) FILTER (WHERE i.state <> 'planned') AS acted,
        count(*) FILTER (WHERE d.end_state IN ('loaded', 'superseded', 'ignored')) AS ended_well,
        count(*) FILTER (WHERE d.end_state = 'dead_lettered') AS failed_again
    FROM operator_action_items AS i
    LEFT JOIN dead_letters AS d USING (message_id)
    WHERE i.action_id = a.action_id
) AS i
WHERE a.kind <> 'view' OR %(with_views)s
ORDER BY a.action_id DESC
LIMIT %(limit)s
