-- Which paths are left out of the report, and since when.
SELECT source, path, forgotten_at
FROM forgotten_drift
