-- How many objects ended how.
SELECT coalesce(source, 'unknown') AS source, state, error_code, count(*) AS objects
FROM ingested_objects
GROUP BY source, state, error_code
ORDER BY source, state, error_code
