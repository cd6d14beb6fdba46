-- A look saw all that is on the dead-letter queue: what should be there and was not seen is gone. What
-- is unconfirmed may yet come: its message may wait on the main queue. A row that a batch holds is
-- passed by.
UPDATE dead_letters
SET state = 'gone', left_at = clock_timestamp()
WHERE dead_letter_id = ANY (ARRAY(
    SELECT dead_letter_id
    FROM dead_letters
    WHERE
        state IN ('unconfirmed', 'waiting')
        AND (message_id IS NULL OR message_id <> ALL (%(seen)s::text []))
        AND coalesce(sent_at, failed_at, '-infinity') < %(began_at)s::timestamptz - CASE
            WHEN state = 'waiting' THEN interval '1 minute'
            WHEN redriven THEN interval '12 hours'
            ELSE interval '1 hour'
        END
    FOR UPDATE SKIP LOCKED
))
