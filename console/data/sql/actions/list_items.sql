-- The messages of an action with their ends: of the object the last one since it was acted on, else what
-- the dead letter tells, else that the message was dead-lettered again. One that is loaded already and
-- comes again outdated keeps its row: that it came shows only in an empty queue, half a minute after
-- it was sent, since SQS's counts tell late.
-- The first five hundred of them, each with the counts of all.
WITH ends AS (
    SELECT
        i.message_id, i.object_key, i.state, i.error_message, i.acted_at, d.store_id, d.bus_dt,
        coalesce(
            e.state,
            d.end_state,
            CASE WHEN again.dead_letter_id IS NOT NULL THEN 'dead_lettered' END,
            o.state
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
    LEFT JOIN ingested_objects AS o
        ON o.object_id = d.object_id
        AND o.state = 'loaded'
        AND i.state = 'replayed'
        AND i.acted_at < clock_timestamp() - interval '30 seconds'
        AND %(is_drained)s
    WHERE i.action_id = %(action_id)s
)
SELECT
    *,
    count(*) OVER () AS items,
    count(*) FILTER (WHERE state IN ('replayed', 'purged', 'viewed')) OVER () AS done,
    count(*) FILTER (WHERE state IN ('missing', 'failed')) OVER () AS not_done,
    count(end_state) OVER () AS ended,
    count(*) FILTER (WHERE state = 'replayed' AND end_state IS NULL) OVER () AS waiting
FROM ends
ORDER BY message_id
LIMIT 500
