-- How many of the objects that ended last could not be loaded.
SELECT count(*) FILTER (WHERE state = 'dead_lettered')
FROM (
    SELECT state
    FROM ingested_objects
    WHERE state IN ('loaded', 'dead_lettered')
    ORDER BY committed_at DESC
    LIMIT %(objects)s
) AS latest
