-- Stores with the most messages on the dead-letter queue.
SELECT store_id, count(*) AS present
FROM dead_letters
WHERE
    state IN ('unconfirmed', 'waiting')
    AND store_id IS NOT NULL
    AND (%(cause)s::text IS NULL OR cause = %(cause)s)
    AND (%(day)s::date IS NULL OR bus_dt = %(day)s)
GROUP BY store_id
ORDER BY present DESC, store_id
LIMIT 12
