-- Leave these findings out of the report until later documents show them again.
INSERT INTO forgotten_drift (source, path, forgotten_at)
SELECT source, %(path)s, now()
FROM unnest(%(sources)s::text []) AS source
ON CONFLICT (source, path) DO UPDATE SET forgotten_at = excluded.forgotten_at
