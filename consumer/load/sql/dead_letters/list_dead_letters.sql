-- What is on the dead-letter queue as far as is known; unconfirmed are those that may be.
SELECT
    message_id AS id, original_id, error_code, error_message, error_log_key,
    coalesce(object_key, '') AS object_key, failed_at, sent_at, attempts, redriven,
    state = 'unconfirmed' AS is_unconfirmed
FROM dead_letters
WHERE state IN ('unconfirmed', 'waiting')
ORDER BY failed_at, dead_letter_id
