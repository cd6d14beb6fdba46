-- An operator takes a message off the dead-letter queue: it is replayed or purged.
UPDATE dead_letters
SET state = %(state)s, left_at = clock_timestamp()
WHERE message_id = %(message_id)s
