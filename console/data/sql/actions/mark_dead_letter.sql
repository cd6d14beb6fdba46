-- A message left the dead-letter queue. Its object may have ended already.
UPDATE dead_letters
SET state = %(state)s, left_at = clock_timestamp()
WHERE message_id = %(message_id)s AND state IN ('unconfirmed', 'waiting')
