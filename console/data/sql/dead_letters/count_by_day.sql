-- Business dates with the most messages on the dead-letter queue.
SELECT bus_dt, count(*) AS present
FROM dead_letters
WHERE
    state IN ('unconfirmed', 'waiting')
    AND bus_dt IS NOT NULL
    AND (%(cause)s::text IS NULL OR cause = %(cause)s)
    AND (%(store)s::text IS NULL OR store_id = %(store)s)
GROUP BY bus_dt
ORDER BY present DESC, bus_dt
LIMIT 12
