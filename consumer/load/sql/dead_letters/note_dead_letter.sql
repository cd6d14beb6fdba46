-- Somebody saw a message on the dead-letter queue: it has its row, or an unconfirmed one without an
-- id, or none. What a message does not tell of its object and its cause, the ledger does.
WITH confirmed AS (
    UPDATE dead_letters AS t
    SET message_id = %(message_id)s, sent_at = %(sent_at)s, state = 'waiting', left_at = NULL
    WHERE
        t.error_log_key = %(error_log_key)s
        AND t.message_id IS NULL
        AND NOT EXISTS (SELECT FROM dead_letters WHERE message_id = %(message_id)s)
    RETURNING t.dead_letter_id
),
object AS (
    SELECT o.object_id, o.source, o.store_id, o.bus_dt, o.error_log_key, o.cause
    FROM ingested_objects AS o
    WHERE (o.bucket, o.object_key) = (%(bucket)s, %(object_key)s)
    ORDER BY
        o.error_log_key = %(error_log_key)s DESC NULLS LAST,
        o.version = %(version)s DESC NULLS LAST,
        o.event_order DESC
    LIMIT 1
),
known_cause AS (
    INSERT INTO causes (cause, source, error_code, location, problem)
    SELECT
        %(cause)s, %(cause_source)s, %(cause_code)s, %(cause_location)s, %(cause_problem)s
    WHERE NOT EXISTS (SELECT FROM confirmed)
    ON CONFLICT DO NOTHING
)
INSERT INTO dead_letters AS t (
    message_id, original_id, object_id, object_key, source, store_id, bus_dt, error_code, cause,
    error_message, error_log_key, attempts, redriven, failed_at, sent_at, state
)
SELECT
    %(message_id)s, %(original_id)s, o.object_id, nullif(%(object_key)s, ''), o.source, o.store_id,
    o.bus_dt, %(error_code)s,
    CASE WHEN o.error_log_key = %(error_log_key)s THEN coalesce(o.cause, %(cause)s) ELSE %(cause)s END,
    %(error_message)s, %(error_log_key)s, %(attempts)s, %(redriven)s, %(failed_at)s, %(sent_at)s,
    'waiting'
FROM (SELECT) AS always
LEFT JOIN object AS o ON true
WHERE NOT EXISTS (SELECT FROM confirmed)
ON CONFLICT (message_id) DO UPDATE SET
    state = 'waiting', sent_at = excluded.sent_at, attempts = excluded.attempts, left_at = NULL
WHERE t.state <> 'waiting'
