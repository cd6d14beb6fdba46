-- Dead letters of one cause: those on the queue first, then those that left it.
SELECT
    d.dead_letter_id, d.message_id, d.object_id, d.object_key, d.store_id, d.bus_dt, d.attempts,
    d.redriven, d.failed_at, d.state, d.left_at, d.end_state, d.ended_at
FROM dead_letters AS d
WHERE
    d.cause = %(cause)s
    AND (%(store)s::text IS NULL OR d.store_id = %(store)s)
    AND (%(day)s::date IS NULL OR d.bus_dt = %(day)s)
ORDER BY d.state NOT IN ('unconfirmed', 'waiting'), d.failed_at DESC, d.dead_letter_id DESC
OFFSET %(offset)s
LIMIT %(limit)s
