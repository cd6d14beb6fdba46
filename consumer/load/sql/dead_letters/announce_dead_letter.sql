-- A message is about to go to the dead-letter queue. One that comes again before it was confirmed has
-- its row already; one that SQS moves keeps its id. Of an object, the ledger row is the one that
-- names the same error log, else that of the announced version, else the newest of the key. A message
-- without an object that was replayed ends here: nobody else can tell.
WITH known_cause AS (
    INSERT INTO causes (cause, source, error_code, location, problem)
    VALUES (
        %(cause)s, %(cause_source)s, %(error_code)s, %(cause_location)s, %(cause_problem)s
    )
    ON CONFLICT DO NOTHING
),
ended AS (
    UPDATE dead_letters
    SET end_state = 'dead_lettered', ended_at = clock_timestamp()
    WHERE
        %(object_key)s::text IS NULL
        AND object_id IS NULL
        AND end_state IS NULL
        AND state = 'replayed'
        AND original_id = %(original_id)s
        AND error_log_key <> %(error_log_key)s
),
object AS (
    SELECT o.object_id, o.source, o.store_id, o.bus_dt
    FROM ingested_objects AS o
    WHERE (o.bucket, o.object_key) = (%(bucket)s, %(object_key)s)
    ORDER BY
        o.error_log_key = %(error_log_key)s DESC NULLS LAST,
        o.version = %(version)s DESC NULLS LAST,
        o.event_order DESC
    LIMIT 1
)
INSERT INTO dead_letters AS t (
    message_id, original_id, object_id, object_key, source, store_id, bus_dt, error_code, cause,
    error_message, error_log_key, attempts, redriven, failed_at, state
)
SELECT
    %(message_id)s, %(original_id)s, o.object_id, %(object_key)s, o.source, o.store_id, o.bus_dt,
    %(error_code)s, %(cause)s, %(error_message)s, %(error_log_key)s, %(attempts)s,
    %(message_id)s::text IS NOT NULL, %(failed_at)s, 'unconfirmed'
FROM (SELECT) AS always
LEFT JOIN object AS o ON true
-- On whichever of the two: the id of a message, or the log of one that is not confirmed.
ON CONFLICT DO NOTHING
