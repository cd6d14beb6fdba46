-- Messages are about to leave the dead-letter queue.
UPDATE dead_letters
SET state = %(state)s, left_at = clock_timestamp()
WHERE message_id = ANY(%(message_ids)s) AND state IN ('unconfirmed', 'waiting')
