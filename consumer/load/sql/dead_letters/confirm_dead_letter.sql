-- The dead-letter queue took a message. A look at the queue may have been faster.
UPDATE dead_letters
SET message_id = %(message_id)s, sent_at = clock_timestamp(), state = 'waiting'
WHERE error_log_key = %(error_log_key)s AND message_id IS NULL
