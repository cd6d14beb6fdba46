-- What the lakehouse has still to export.
SELECT
    count(DISTINCT (topic, business_day)) AS days,
    coalesce(extract(EPOCH FROM now() - min(noted_at)), 0)::float AS oldest_seconds
FROM lakehouse_changes
