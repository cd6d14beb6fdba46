-- What of an action was not on the dead-letter queue any more: it was done, if the dead letter says so,
-- by a console that was killed before it could tell, or by somebody else. What is only held by another
-- may yet come back; the rest is gone.
WITH ended AS (
    UPDATE operator_action_items AS i
    SET
        state = CASE WHEN d.state = %(done)s THEN %(done)s ELSE 'missing' END,
        error_message = CASE WHEN d.state IS DISTINCT FROM %(done)s THEN %(why)s END,
        acted_at = clock_timestamp()
    FROM operator_action_items AS o
    LEFT JOIN dead_letters AS d USING (message_id)
    WHERE
        i.action_id = %(action_id)s
        AND i.state = 'planned'
        AND (o.action_id, o.message_id) = (i.action_id, i.message_id)
    RETURNING i.message_id
)
UPDATE dead_letters
SET state = 'gone', left_at = clock_timestamp()
WHERE
    %(why)s::text IS NULL
    AND message_id IN (SELECT message_id FROM ended)
    AND state IN ('unconfirmed', 'waiting')
