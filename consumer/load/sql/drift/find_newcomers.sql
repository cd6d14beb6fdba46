-- Unknown fields with a name like a known one's, by week.
SELECT source, path, json_type, week, first_day, first_seen, filled
FROM schema_fields
WHERE json_type IS NOT NULL AND came
ORDER BY source, path, week
