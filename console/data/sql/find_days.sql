-- The stores of one business date: how many sources each has, and how many of them failed.
SELECT
    store_id,
    count(*) AS sources,
    count(*) FILTER (WHERE state = 'dead_lettered') AS failed,
    max(last_loaded_at) AS last_loaded_at
FROM store_days
WHERE bus_dt = %(day)s
GROUP BY store_id
ORDER BY failed DESC, store_id
LIMIT %(most)s
