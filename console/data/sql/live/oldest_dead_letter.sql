-- Since when something waits on the dead-letter queue.
SELECT min(failed_at) AS failed_at
FROM dead_letters
WHERE state IN ('unconfirmed', 'waiting')
